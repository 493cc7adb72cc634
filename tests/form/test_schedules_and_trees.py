"""Schedules against the formulas of their papers, and the files that trees are kept in."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from oracles import stages

import thalweg as tw
from thalweg.form import schedules
from thalweg.values import trees

T = range(1, 31)


def same(mine: Any, truth: Any) -> None:
    np.testing.assert_allclose([mine(t) for t in T], [truth(t) for t in T], rtol=1e-14, atol=1e-15)


def test_schedules_equal_their_formulas() -> None:
    same(schedules.constant(0.3), lambda t: 0.3)
    same(schedules.linear(0.3, 20, 0.1), lambda t: 0.3 + (0.1 - 0.3) * min(1, (t - 1) / 20))
    same(schedules.cosine(0.3, 20, 0.1), lambda t: 0.1 + 0.2 * 0.5 * (1 + math.cos(math.pi * min(1, (t - 1) / 20))))
    same(schedules.inverse_sqrt(0.3, 5), lambda t: 0.3 * min(t / 5, math.sqrt(5 / t)))
    same(schedules.inverse_sqrt(0.3), stages.inverse_sqrt(0.3))
    same(schedules.warm_up(4, 0.3), lambda t: 0.3 * min(1, t / 4))
    same(schedules.warm_up(4, schedules.linear(0.3, 20)), lambda t: min(1, t / 4) * 0.3 * (1 - min(1, (t - 1) / 20)))


def test_schedules_run_on_numbers_lanes_and_tracers() -> None:
    peak = np.array([0.1, 0.2])
    together = tw.Optimizer(tw.sgd(), lr=schedules.warm_up(3, schedules.cosine(peak, 5)), lanes=2)
    p = {"w": np.zeros((2, 1))}
    state = together.init(p)
    for _ in range(4):
        p, state = together.step(p, {"w": np.ones((2, 1))}, state)
    alone = [sum(schedules.warm_up(3, schedules.cosine(x, 5))(t) for t in range(1, 5)) for x in peak]
    np.testing.assert_allclose(p["w"][:, 0], [-x for x in alone], rtol=1e-14)


@pytest.mark.parametrize("bad", [0, -1, 2.5, "3", True])
def test_schedules_count_updates(bad: Any) -> None:
    for make in (schedules.linear, schedules.cosine, schedules.inverse_sqrt):
        with pytest.raises(ValueError, match="steps counts updates"):
            make(0.1, bad)
    with pytest.raises(ValueError, match="steps counts updates"):
        schedules.warm_up(bad, 0.1)


def test_a_saved_tree_comes_back(tmp_path: Any) -> None:
    tree = {
        "a": [np.arange(3.0), (1, 2.5, None)],
        "b": {3: "text", "x/y": np.float32(2)},
        "inf": math.inf,
        "yes": True,
        "empty": {},
    }
    trees.save(tmp_path / "t.npz", tree)
    back = trees.load(tmp_path / "t.npz")
    np.testing.assert_array_equal(back["a"][0], tree["a"][0])
    assert back["a"][1] == (1, 2.5, None)
    assert back["b"][3] == "text"
    assert back["b"]["x/y"].dtype == np.float32
    assert (back["inf"], back["yes"], back["empty"]) == (math.inf, True, {})


def test_no_pickle_is_written_or_read(tmp_path: Any) -> None:
    with pytest.raises(TypeError, match="cannot save a set"):
        trees.save(tmp_path / "t.npz", {"a": {1, 2}})
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "evil.npz", outline=np.array({"a": 1}, dtype=object))
    with pytest.raises(ValueError, match=r"evil.npz is no file that thalweg saved"):
        trees.load(tmp_path / "evil.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ValueError, match="is no file that thalweg saved"):
        trees.load(tmp_path / "text.npz")
    with pytest.raises(FileNotFoundError):
        trees.load(tmp_path / "none.npz")


def test_torch_and_jax_arrays_are_saved_as_numpys(tmp_path: Any) -> None:
    torch = pytest.importorskip("torch")
    trees.save(tmp_path / "t.npz", {"x": torch.ones(2, requires_grad=True), "half": torch.full((2,), 1.5, dtype=torch.bfloat16)})
    back = trees.load(tmp_path / "t.npz")
    assert back["x"].dtype == np.float32
    np.testing.assert_array_equal(back["half"], np.float32(1.5))


def test_names_are_paths() -> None:
    assert trees.flatten({"a": {"b": 1, "c": [2, 3]}})[0] == ["a.b", "a.c.0", "a.c.1"]
    assert trees.flatten(5)[0] == ["p"]


SCHEDULES = [
    schedules.constant(0.1),
    schedules.warm_up(3, 0.1),
    schedules.warm_up(3, schedules.cosine(0.1, 9)),
    schedules.linear(0.1, 9, 0.01),
    schedules.cosine(0.1, 9),
    schedules.warm_up_stable_decay(0.1, 20),
    schedules.inverse_sqrt(0.1, 4),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_a_schedule_is_a_small_object(schedule: Any) -> None:
    for other in (pickle.loads(pickle.dumps(schedule)), copy.deepcopy(schedule), eval(repr(schedule), vars(schedules))):
        assert other == schedule
        assert hash(other) == hash(schedule)
        assert [other(t) for t in T] == [schedule(t) for t in T]
    assert len(repr(schedule)) < 80
    with pytest.raises(AttributeError):
        schedule.steps = 5


def test_a_condition_by_name_is_a_small_object() -> None:
    again = pickle.loads(pickle.dumps(tw.named("head")))
    assert again == tw.named("head") != tw.named("body")
    assert repr(again) == "named('head')"
