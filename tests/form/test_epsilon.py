"""Epsilon as one value: a number that may change from step to step, and a place that is fixed."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
from support import run, stream

import thalweg as tw
import thalweg.numpy as tn
from thalweg.ops import Epsilon, over_root
from thalweg.rule import rule


def apart(a: Any, b: Any) -> float:
    params, gradients, _ = stream(steps=5)
    paths = [run(stage, params, gradients, lr=0.1)[0] for stage in (a, b)]
    return max(np.abs(x[k] - y[k]).max() for x, y in zip(*paths, strict=True) for k in x)


@pytest.mark.parametrize(
    ("name", "usual"), [("adam", tw.outside), ("adabelief", tw.both), ("sm3", tw.inside), ("muon", tw.outside)]
)
def test_a_plain_number_stands_where_the_rule_has_its_own(name: str, usual: Any) -> None:
    method = tw.rules[name]
    assert repr(method(eps=0.5)) == repr(method(eps=usual(0.5))) == f"<{name}(eps=0.5)>"
    assert method(eps=0.5).config == method(eps=usual(0.5)).config


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (lambda: tw.adam(eps=0.1, eps_place="raw"), tw.adam(eps=tw.outside(0.1, raw=True)), "eps_place='raw' is now eps=inside"),
        (lambda: tw.rmsprop(eps_place="inside", eps=0.1), tw.rmsprop(eps=tw.inside(0.1)), "eps_place='inside' is now eps=ins"),
        (lambda: tw.radam(eps_root=0.1), tw.radam(eps=tw.outside(0.0, root=0.1)), r"eps=outside\(..., root=0.1\)"),
        (lambda: tw.muon(eps_place="floor"), tw.muon(eps=tw.at_least(1e-7)), "eps_place='floor' is now eps=at_least"),
        (lambda: tw.adafactor(eps_place="floor"), tw.adafactor(eps1=tw.at_least(1e-30)), "'floor' is now eps1=at_least"),
    ],
)
def test_an_earlier_releases_words_are_taken_with_a_warning(old: Any, new: Any, says: str) -> None:
    with pytest.warns(DeprecationWarning, match=says) as warned:
        stage = old()
    assert warned[0].filename == __file__
    assert [f.config for f in stage.functions] == [f.config for f in new.functions]


def test_a_word_that_was_never_one_is_refused_before_any_warning() -> None:
    with pytest.raises(ValueError, match=r"eps_place is one of .*did you mean 'outside'"):
        tw.adam(eps_place="outsid")
    with pytest.raises(ValueError, match="eps_place is one of 'outside' or 'at_least'"):
        tw.muon(eps=tw.inside(0.1))
    with pytest.raises(ValueError, match=r"eps needs 0 < eps, not 0.0"):
        tw.adam(eps=tw.inside(0.0))
    with pytest.raises(ValueError, match=r"eps_root needs 0 <= eps_root, not -1.0"):
        tw.adam(eps=tw.outside(0.1, root=-1.0))


@pytest.mark.parametrize("word", [tw.outside, tw.inside, tw.both, tw.at_least])
def test_its_numbers_are_dynamic(word: Any) -> None:
    params, gradients, _ = stream(steps=4)
    changing, _ = run(tw.adam(eps=word(lambda t: 0.1 * t, root=lambda t: 0.2 / t)), params, gradients)
    for t, (g, now) in enumerate(zip(gradients, changing, strict=True), start=1):
        optimizer = tw.Optimizer(tw.adam(eps=word(0.1 * t, root=0.2 / t)))
        before = params if t == 1 else changing[t - 2]
        state = optimizer.init(params)
        for i, earlier in enumerate(gradients[: t - 1]):
            _, state = optimizer.step(changing[i], earlier, state)
        moved, _ = optimizer.step(before, g, state)
        assert all(np.array_equal(moved[k], now[k]) for k in now)
    lanes = tw.Optimizer(tw.adam(eps=word(np.array([0.1, 0.2]))), lanes=2)
    p = {"w": np.ones((2, 3))}
    moved, _ = lanes.step(p, p, lanes.init(p))
    for i, eps in enumerate((0.1, 0.2)):
        alone = tw.Optimizer(tw.adam(eps=word(eps)))
        own, _ = alone.step({"w": np.ones(3)}, {"w": np.ones(3)}, alone.init({"w": np.ones(3)}))
        assert np.array_equal(moved["w"][i], own["w"])


def test_it_is_printed_copied_and_pickled() -> None:
    for eps in (tw.outside(0.5), tw.inside(0.5, raw=True), tw.both(0.5), tw.at_least(0.5), tw.outside(0.5, root=0.25, raw=True)):
        assert eval(repr(eps), vars(tw)) == eps
        stage = tw.rmsprop(eps=eps)
        for twin in (copy.deepcopy(stage), pickle.loads(pickle.dumps(stage))):
            assert twin.config == stage.config
            assert apart(stage, twin) == 0.0
    assert repr(tw.rmsprop(eps=tw.inside(0.5))) == "<rmsprop(eps=inside(0.5))>"
    assert str(tw.adam.__signature__.parameters["eps"]) == "eps=outside(1e-08)"  # type: ignore[attr-defined]


def test_the_places_are_apart_and_a_recipe_hands_them_on() -> None:
    places = [
        tw.outside(0.5),
        tw.inside(0.5),
        tw.outside(0.5, raw=True),
        tw.both(0.5),
        tw.at_least(0.5),
        tw.outside(0.5, root=0.1),
    ]
    for i, eps in enumerate(places):
        assert all(apart(tw.adam(eps=eps), tw.adam(eps=other)) > 1e-3 for other in places[:i])
        assert apart(tw.adamw(eps=eps, weight_decay=0.0), tw.adam(eps=eps)) == 0.0


def test_a_rule_of_ones_own_may_leave_the_number_plain() -> None:
    @rule
    def plain(g, v=0.0, *, eps: tw.Positive = 0.5):
        v = v + g * g
        return over_root(g, v, eps), v

    @rule
    def old(g, v=0.0, *, eps: tw.Positive = 0.5):
        v = v + g * g
        with pytest.warns(DeprecationWarning, match="is now over_root"):
            return over_root(g, v, eps, "inside"), v

    assert apart(plain(), tw.adagrad(eps=0.5)) == 0.0
    assert apart(old(), tw.adagrad(eps=tw.inside(0.5))) == 0.0


def test_a_group_of_numpys_may_have_another_number_and_no_other_place() -> None:
    p = [np.ones(3), np.ones(3)]
    optimizer = tn.Adam([{"params": p[0], "eps": tw.outside(0.5)}, {"params": p[1]}], lr=0.1, eps=0.25)
    assert [group["eps"] for group in optimizer.param_groups] == [0.5, 0.25]
    with pytest.raises(ValueError, match="eps_place is the same for all groups"):
        tn.Adam([{"params": p[0], "eps": tw.inside(0.5)}], eps=0.5)
    optimizer = tn.Adam(np.ones(3), eps=tw.inside(0.5))
    saved = optimizer.state_dict()
    for group in saved["groups"]:
        del group["eps_place"], group["eps_root"]  # as an earlier release saved of most rules
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["eps_place"] == "inside"


def test_torchs_groups_hold_numbers_and_words() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    def made(**options: Any) -> Any:
        p = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
        return p, tt.Yogi([p], lr=0.1, **options)

    p, ours = made(eps=tw.inside(0.5))
    q, other = made(eps=tw.inside(0.25))
    for x, optimizer in ((p, ours), (q, other)):
        x.grad = torch.full_like(x, 2.0)
        optimizer.step()
    assert not torch.equal(p, q)
    ours.param_groups[0]["eps"] = 0.25  # a scheduler's
    file = io.BytesIO()
    torch.save(ours.state_dict(), file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    for key in ("eps_place", "eps_root"):  # an earlier release had neither
        saved["param_groups"][0].pop(key)
    ours.load_state_dict(saved)
    group = ours.param_groups[0]
    assert (group["eps"], group["eps_place"], group["eps_root"]) == (0.25, "inside", 0.0)
    group = tt.Yogi([{"params": [p], "eps": tw.at_least(0.5)}], lr=0.1).param_groups[0]
    assert (group["eps"], group["eps_place"]) == (0.5, "at_least")


def test_a_kernel_is_printed_once_for_all_its_values() -> None:
    p = np.ones(3)
    optimizer = tn.Adam(p, lr=0.1, eps=tw.inside(lambda t: 0.1 * t))
    optimizer.step(p.copy())
    launches = list(optimizer._bound._launches)
    optimizer.step(p.copy())
    assert list(optimizer._bound._launches) == launches


def test_what_has_no_place_is_what_it_says() -> None:
    assert Epsilon(0.5).beside(2.0) == 2.5
    assert Epsilon(0.5, "at_least").beside(0.25) == 0.5
    assert Epsilon(0.5, "inside", 0.25).under(1.0) == 1.75
