"""What users do to arrays and state between two steps: it is used as it is, or refused in a sentence with nothing written."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from guarded import LAYOUTS, Guards
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RULES, everyday, first

import thalweg as tw
import thalweg.numpy as tn
from numpy_face.changes import CHANGES, like, one_count, other_dtype, params, run, slots

STAGES = {
    "adam": tw.adam(), "adamw": tw.adamw(), "momentum": tw.momentum(), "lamb": tw.lamb(), "prodigy": tw.prodigy(),
    "clip": tw.chain(tw.clip(1.0), tw.adam()), "free": tw.chain(tw.adam(), tw.schedule_free()),
    "chosen": tw.choose((tw.is_matrix, tw.adam()), otherwise=tw.momentum()),
}  # fmt: skip


@pytest.mark.parametrize("kept", first([False, True]), ids=["asked", "held"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", STAGES)
def test_what_is_in_the_state_is_the_state(name: str, change: Callable[[Any], None], kept: bool) -> None:
    with np.errstate(all="ignore"):
        (fast, state), (slow, other) = (run(STAGES[name], change, fused, kept) for fused in (True, False))
    for key in fast:
        np.testing.assert_allclose(fast[key], slow[key], rtol=1e-12, atol=1e-14)
    assert state["t"] == other["t"]


def test_nothing_else_is_written_when_a_slot_was_replaced() -> None:
    w = np.zeros(5)
    optimizer = tn.Adam(w, lr=0.1)
    for _ in range(3):
        optimizer.step(np.ones(5))
    optimizer.state["memory"]["adam"]["m"]["p"] = np.zeros(5)
    mine = [np.zeros(5) for _ in range(50)]
    optimizer.step(np.ones(5))
    assert not any(x.any() for x in mine)
    assert optimizer.state["memory"]["adam"]["m"]["p"].any()


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["t"].update(w=-1), "whole number"),
        (lambda s: s["t"].update(w=float("nan")), "whole number"),
        (lambda s: s["t"].update(w=1.5), "whole number"),
        (lambda s: s["t"].update(w="3"), "whole number"),
        (lambda s: s["t"].pop("w"), "lacks 'w'"),
        (lambda s: s.pop("t"), "number of updates"),
        (lambda s: s["t"].update(w=10**19), "whole number"),
        (lambda s: s["t"].update(w=1e19), "whole number"),
        (lambda s: s["memory"].clear(), r"\['adam'\] is missing"),
        (lambda s: s["memory"]["adam"].pop("v"), r"\['v'\] is missing"),
        (lambda s: s["memory"]["adam"]["v"].pop("w"), r"\['w'\] is missing"),
        (lambda s: s.update(memory=None), "memory"),
        (lambda s: s["memory"].update(adam=3), "adam"),
        (lambda s: s["memory"]["adam"].update(m=np.zeros(3)), "'m'"),
        (lambda s: s["memory"]["adam"]["m"].update(w=np.zeros((3, 4))), r"\['m'\]\['w'\] has shape \(3, 4\)"),
        (lambda s: s["memory"]["adam"]["m"].update(w=np.zeros(1)), "shape"),
        (lambda s: s["memory"]["adam"]["m"].update(w=np.zeros((4, 3), complex)), "wanted is an array"),
        (lambda s: s["memory"]["adam"]["m"].update(w=np.zeros((4, 3), object)), "wanted is an array"),
        (lambda s: s["memory"]["adam"]["m"].update(w=None), "None"),
    ],
)
def test_a_state_that_cannot_be_moves_nothing(fused: bool, change: Any, words: str) -> None:
    p = params()
    optimizer = tn.Adam(p, fused=fused)
    for k in range(3):
        optimizer.step(like(p, k))
    good, before = optimizer.state_dict(), copy.deepcopy(p)
    change(optimizer.state)
    left = copy.deepcopy(optimizer.state)
    with pytest.raises((TypeError, ValueError, KeyError), match=words):
        optimizer.step(like(p, 4))
    assert all(np.array_equal(p[k], before[k]) for k in p)
    assert repr(optimizer.state) == repr(left)
    broken = copy.deepcopy(good)
    change(broken["state"])
    fresh = tn.Adam(params(), fused=fused, lr=0.5)
    with pytest.raises((TypeError, ValueError, KeyError)):
        fresh.load_state_dict(broken)
    assert fresh.param_groups[0]["lr"] == 0.5
    assert set(fresh.state["t"].values()) == {0}


def resized(p: dict[str, Any]) -> None:
    p["b"].resize(50_000, refcheck=False)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p["b"].setflags(write=False), "read-only"),
        (resized, "shape"),
        (lambda p: setattr(p["w"], "shape", (3, 4)), "shape"),
        (lambda p: setattr(p["b"], "dtype", np.int64), "int64"),
        (lambda p: p["base"].resize(1, refcheck=False), "resized"),
    ],
    ids=["read-only", "resized", "shape", "dtype", "base"],
)
def test_a_parameter_that_became_another_is_refused(fused: bool, change: Any, words: str) -> None:
    base = np.ones(100_000)
    p = {"w": np.ones((4, 3)), "b": np.ones(5), "v": base[50_000:]}
    optimizer = tn.Adam(p, fused=fused)
    for k in range(3):
        optimizer.step(like(p, k))
    g, w = like(p, 4), p["w"].copy()
    change({**p, "base": base})
    with pytest.raises(ValueError, match=words):
        optimizer.step(g)
    assert np.array_equal(p["w"].ravel(), w.ravel())
    assert set(optimizer.state["t"].values()) == {3}


@pytest.mark.parametrize("fused", [True, False])
def test_a_step_that_raises_leaves_everything(fused: bool) -> None:
    def rate(t: int) -> float:
        if t == 3:
            raise RuntimeError("no rate")
        return 0.1

    for stage in (tw.adam(), tw.every(2, tw.prodigy()), tw.choose((tw.is_matrix, tw.adam().at(lr=0.1)), otherwise=tw.momentum())):
        p = params()
        optimizer = tn.Optimizer(p, stage, rate, fused=fused)
        calls = 2 if isinstance(stage, type(tw.every(2, tw.sgd()))) else 1
        for k in range(3 * calls - 1):
            optimizer.step(like(p, k))
        before, held = copy.deepcopy(p), copy.deepcopy(optimizer.state)
        with pytest.raises(RuntimeError, match="no rate"):
            optimizer.step(like(p, 9))
        assert repr(optimizer.state) == repr(held)
        assert all(np.array_equal(p[k], before[k]) for k in p)


def test_states_change_places() -> None:
    a, b, x, y = params(), params("F"), params(), params("F")
    one, two = tn.Adam(a), tn.Adam(b)
    slow, other = tn.Adam(x, fused=False), tn.Adam(y, fused=False)
    for pair in ((one, two, a, b), (slow, other, x, y)):
        for k in range(4):
            pair[0].step(like(pair[2], k))
            if k:
                pair[1].step(like(pair[3], 10 + k))
            if k == 2:
                pair[0].state, pair[1].state = pair[1].state, pair[0].state
    assert all(np.array_equal(a[k], x[k]) and np.array_equal(b[k], y[k]) for k in a)


def test_gradients_that_lie_in_the_state() -> None:
    found = []
    for fused in (True, False):
        p = params()
        optimizer = tn.Adam(p, fused=fused)
        for _ in range(4):
            memory = optimizer.state["memory"]["adam"]["v"]
            optimizer.step({k: memory[k] if k != "b" else p["b"] for k in p})
        found.append(p)
    assert all(np.array_equal(found[0][k], found[1][k]) for k in found[0])


@pytest.mark.parametrize("name", everyday(RULES))
def test_kernels_write_only_where_their_tensors_are(name: str) -> None:
    guards = Guards()
    draw = np.random.default_rng(3)
    p = {layout: guards.array(draw.normal(size=(7, 5)).astype(np.float32), layout) for layout in LAYOUTS}
    optimizer = tn.of(RULES[name])(p)
    if optimizer._bound.optimizer.asks_gradients:
        pytest.skip("it asks for gradients itself, and has no kernel")
    for k in range(3):
        if k == 1:
            for held, key in slots(optimizer):
                held[key] = guards.array(held[key], key if key in LAYOUTS else "C")
        g = {key: guards.array(x, LAYOUTS[k]) for key, x in like(p, k).items()}
        optimizer.step(g, loss=1.0, curvature=g if "curvature" in optimizer._bound.optimizer.asks else None)
    guards.check()


@settings(deadline=None, max_examples=int(os.environ.get("THALWEG_FUZZ", "100")))
@given(st.data())
def test_fuzz(data: Any) -> None:
    """Fused and unfused do the same, and write nowhere else, whatever is done between the steps. THALWEG_FUZZ: how many cases."""
    stage = STAGES[data.draw(st.sampled_from(sorted(STAGES)))]
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    lanes = data.draw(st.sampled_from([None, None, 2]))
    first = () if lanes is None else (lanes,)
    shapes = data.draw(st.lists(st.lists(st.integers(0, 5), max_size=3).map(tuple), min_size=1, max_size=4))
    layout, seed = data.draw(st.sampled_from(LAYOUTS)), data.draw(st.integers(0, 999))
    changes = data.draw(st.lists(st.sampled_from([None, None, *CHANGES[1:-1]]), min_size=4, max_size=4))
    resting, lying = data.draw(st.lists(st.booleans(), min_size=4, max_size=4)), data.draw(st.sampled_from(LAYOUTS))
    found = []
    for fused in (True, False):
        draw, guards = np.random.default_rng(seed), Guards()
        p = [guards.array(draw.normal(size=first + shape).astype(dtype), layout) for shape in shapes]
        optimizer = tn.Optimizer(p, stage, 0.01, lanes=lanes, fused=fused)
        for change, rests in zip(changes, resting, strict=True):
            if change is one_count:
                optimizer.state["t"]["0"] = 7
            elif change is not None and not (change is other_dtype and dtype is np.float64 and stage is STAGES["prodigy"]):
                change(optimizer)
            g: list[Any] = [guards.array(draw.normal(size=first + shape).astype(dtype), lying) for shape in shapes]
            optimizer.step([None if rests and i == len(g) - 1 and i else x for i, x in enumerate(g)], loss=1.0)
            guards.check()
        found.append((p, optimizer.state["t"]))
    tolerance = 1e-12 if dtype is np.float64 else 1e-4
    assert found[0][1] == found[1][1]
    for a, b in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
