"""`thalweg.numpy` as its users meet it: names, arguments, checkpoints, refusals."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import ASKING, RULES, bent, bowl, everyday

import thalweg as tw
import thalweg.numpy as tn
from numpy_face.trees import gradients, tree


def test_every_rule_has_a_class_in_any_spelling() -> None:
    for name, rule in tw.rules.items():
        made = tn.of(rule)
        assert getattr(tn, made.__name__) is made
        assert getattr(tn, name.replace("_", "")) is made
        assert made.__name__ in dir(tn)
        assert made.__doc__.startswith(rule.doc.splitlines()[0])
    assert {tn.NAdam, tn.Nadam} == {tn.of(tw.nadam)}
    assert tn.RMSpropGraves.__name__ == "RMSpropGraves"
    assert tn.NAG is tn.Nesterov
    assert tn.SGD.__name__ == "SGD"
    with pytest.raises(AttributeError, match="did you mean 'Adam'"):
        tn.Adamm  # noqa: B018


def test_arguments_are_the_rules() -> None:
    assert list(inspect.signature(tn.AdamW).parameters)[:7] == ["params", "lr", "beta1", "beta2", "eps", "weight_decay", "seed"]
    a, b = tree(), tree()
    for g in gradients(3, a):
        first, second = tn.AdamW(a, 0.1, 0.8, weight_decay=0.5), tn.Optimizer(b, tw.adamw(0.8, weight_decay=0.5), 0.1)
        first.step(g)
        second.step(g)
    assert all(np.array_equal(a[k], b[k]) for k in a)
    for wrong, words in (
        ({"beta_1": 0.5}, "beta1"),
        ({"beta1": 1.0}, "0 <= beta1 < 1"),
        ({"lr": -1.0}, "lr"),
        ({"eps_place": "out"}, "outside"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            tn.Adam(tree(), **wrong)
    with pytest.raises(ValueError, match="no learning rate of its own"):
        tn.Optimizer(tree(), tw.clip())


@pytest.mark.parametrize("shape", ["dict", "list", "single", "nested", "tuple"])
def test_trees(shape: str) -> None:
    parts = tree()
    params: Any = {
        "dict": parts, "list": list(parts.values()), "single": parts["w"], "nested": {"a": [parts["w"], {"b": parts["b"]}]},
        "tuple": tuple(parts.values()),
    }[shape]  # fmt: skip
    pure = tw.Optimizer(tw.adam(), 0.1)
    moved, _ = pure.step(params, params, pure.init(params))
    expected = [np.array(x) for x in tw.trees.flatten(moved)[1]]
    optimizer = tn.Adam(params, lr=0.1)
    optimizer.step(params)
    assert all(np.array_equal(a, b) for a, b in zip(tw.trees.flatten(params)[1], expected, strict=True))


def overlapping() -> list[Any]:
    base = np.zeros(10)
    return [base[:6], base[5:]]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (lambda: {"w": np.broadcast_to(np.ones(3), (2, 3))}, "'w' is read-only"),
        (lambda: {"w": np.lib.stride_tricks.as_strided(np.ones(3), (2, 3), (0, 8), writeable=True)}, "'w' is broadcast"),
        (overlapping, "'0' and '1' share memory"),
        (lambda: [np.ones(3)] * 2, "share memory"),
        (lambda: {"n": np.arange(3)}, "'n' has dtype int64"),
        (lambda: {"n": 1.5}, "'n' is"),
        (lambda: {"c": np.ones(2, complex)}, "'c' has dtype complex128"),
        (dict, "no parameters"),
    ],
)
def test_parameters_that_cannot_be_updated_are_refused(params: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        tn.Adam(params())


@pytest.mark.parametrize("fused", [True, False])
def test_gradients_that_do_not_fit_move_nothing(fused: bool) -> None:
    params = tree()
    before = {k: v.copy() for k, v in params.items()}
    optimizer = tn.Adam(params, fused=fused)
    good = gradients(1, params)[0]
    wrong: list[Any] = [
        {**good, "b": np.ones(4)}, {**good, "b": np.ones(3, np.float32)}, {"w": good["w"]}, {**good, "c": np.ones(1)}, list(good.values()),
        {**good, "b": [1.0, 2.0, 3.0]}, {**good, "b": 1.0}, None,
    ]  # fmt: skip
    for grads in wrong:
        with pytest.raises((TypeError, ValueError, KeyError), match=r"b|c|w|list|missing"):
            optimizer.step(grads)
    assert all(np.array_equal(params[k], before[k]) for k in params)
    optimizer.step(good)
    for grads in wrong:
        with pytest.raises((TypeError, ValueError, KeyError)):
            optimizer.step(grads)
    assert optimizer.state["t"] == {"w": 1, "b": 1}


def test_a_replaced_parameter_is_no_silent_miss() -> None:
    for nested in (False, True):
        params: Any = {"a": [np.ones(2)]} if nested else {"a": np.ones(2)}
        optimizer = tn.SGD(params)
        if nested:
            params["a"][0] = np.ones(2)
        else:
            params["a"] = np.ones(2)
        with pytest.raises(ValueError, match="no longer the array"):
            optimizer.step(params)


@pytest.mark.parametrize("name", everyday(RULES))
def test_resuming_from_a_file_is_exact(name: str, tmp_path: Path) -> None:
    make = tn.of(RULES[name])
    params = tree()
    optimizer = make(params, seed=3)
    steps = gradients(10, params)
    losses = [0.5 + 0.1 * k for k in range(10)]

    def step(ours: Any, k: int) -> None:
        if name in ASKING:
            ours.step(grad_fn=bowl(steps[k]))
        else:
            ours.step(steps[k], loss=losses[k], curvature=bent(steps[k]))

    for k in range(5):
        step(optimizer, k)
    tw.trees.save(tmp_path / "state.npz", optimizer.state_dict())
    twins = {k: v.copy() for k, v in params.items()}
    fresh = make(twins, seed=3)
    fresh.load_state_dict(tw.trees.load(tmp_path / "state.npz"))
    for k in range(5, 10):
        step(optimizer, k)
        step(fresh, k)
    assert all(np.array_equal(params[k], twins[k], equal_nan=True) for k in params)


def test_state_dict_is_a_copy_and_belongs_to_its_rule() -> None:
    params = tree()
    optimizer = tn.Adam(params, lr=tw.schedules.constant(0.1))
    optimizer.step(params)
    kept = optimizer.state_dict()
    first = kept["state"]["memory"]["adam"]["m"]["w"].copy()
    optimizer.step(params)
    assert np.array_equal(kept["state"]["memory"]["adam"]["m"]["w"], first)
    assert kept["groups"][0]["lr"] is None, "a schedule is no data"
    optimizer.load_state_dict(kept)
    kept["state"]["memory"]["adam"]["m"]["w"][:] = 7.0
    assert np.array_equal(optimizer.state["memory"]["adam"]["m"]["w"], first)
    assert callable(optimizer.param_groups[0]["lr"])
    for other in (
        tn.RMSprop(tree()),
        tn.Adam({"w": np.ones((4, 3)), "c": np.ones(3)}),
        tn.Adam({"w": np.ones((3, 4)), "b": np.ones(3)}),
    ):
        before = other.state_dict()
        with pytest.raises((KeyError, ValueError)):
            other.load_state_dict(kept)
        assert str(other.state_dict()) == str(before)


@pytest.mark.parametrize("fused", [True, False])
def test_what_is_not_finite(fused: bool) -> None:
    for nonfinite, expected in (("skip", 1.0), ("propagate", np.nan)):
        p = {"a": np.ones(2), "b": np.ones(2)}
        optimizer = tn.SGD(p, 0.1, nonfinite=nonfinite, fused=fused)
        optimizer.step({"a": np.array([0.0, np.nan]), "b": np.zeros(2)})
        np.testing.assert_array_equal(p["a"], [1.0, expected])
        assert optimizer.state["t"]["b"] == (0 if nonfinite == "skip" else 1)
    with pytest.raises(FloatingPointError, match="'a'"):
        tn.SGD(p, nonfinite="raise", fused=fused).step({"a": np.array([0.0, np.inf]), "b": np.zeros(2)})


def test_several_gradients_and_points_to_ship() -> None:
    p, q = np.array([3.0, -2.0]), np.array([3.0, -2.0])
    chain = tw.chain(tw.sam(0.1), tw.adam(), tw.average(0.5))
    ours, pure = tn.Optimizer(p, chain, 0.1), tw.Optimizer(chain, 0.1)
    state = pure.init(q)

    def ask(x: Any) -> Any:
        return (x**2).sum(), 2 * x

    for _ in range(5):
        ours.step(grad_fn=ask)
        q, state = pure.step(q, None, state, grad_fn=ask)
    assert np.array_equal(p, q)
    assert np.array_equal(ours.ship(), pure.ship(q, state))


def test_a_rule_of_your_own() -> None:
    @tw.rule(lr=0.5)
    def mine(g: Any, t: Any, m: Any = 0.0, *, strength: tw.Positive = 2.0) -> Any:
        """Mine (I 2026)."""
        m = m + strength * abs(g) ** 1.5 / t
        return tw.ops.where(g > 0, m, -m), m

    p = np.array([1.0, 2.0])
    optimizer = tn.of(mine)(p, strength=3.0)
    optimizer.step(np.array([4.0, -4.0]))
    np.testing.assert_allclose(p, [1.0 - 12.0, 2.0 + 12.0], rtol=1e-15)
    assert optimizer._bound._launches


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (lambda t: None, "gave None at t = 1"), (lambda t: "0.1", "gave '0.1' at t = 1"),
        (lambda t: np.array([0.1, 0.2]), r"shape \(2,\); it is one number"),
    ],
)  # fmt: skip
def test_a_schedule_that_gives_no_number_is_refused(rate: Any, words: str, fused: bool) -> None:
    p = np.ones(2)
    optimizer = tn.Adam(p, lr=rate, fused=fused)
    with pytest.raises((TypeError, ValueError), match=words):
        optimizer.step(np.ones(2))
    np.testing.assert_array_equal(p, 1.0)


def test_mistakes_in_what_an_optimizer_holds_are_told() -> None:
    params = {"w": np.ones(2), "b": np.ones(3)}
    optimizer = tn.Adam(params)
    optimizer.step(params)
    lr = optimizer.param_groups[0].pop("lr")
    with pytest.raises(KeyError, match="a parameter group lacks 'lr'"):
        optimizer.step(params)
    optimizer.param_groups[0]["lr"] = lr
    optimizer.state["t"]["b"] = np.array([1, 2])
    with pytest.raises(ValueError, match=r"\['b'\] has shape \(2,\)"):
        optimizer.step(params)
    optimizer.state["t"]["b"] = 1
    del params["b"]
    with pytest.raises(ValueError, match=r"there are 1 parameters now, and there were 2 \(w, b\)"):
        optimizer.step(params)
