"""The pure core: trees, steps, what is missing, schedules, accumulation, averages, resuming."""

from __future__ import annotations

import copy
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
from support import HANDED, RULES, everyday, run, stepped, stream

import thalweg as tw
from core.trees import G, P, same

Point = namedtuple("Point", ["x", "y"])


@pytest.mark.parametrize(
    "params",
    [
        np.array([1.0, 2.0]),
        np.array(3.0),
        {"a": np.ones(2), "b": {"c": np.ones((2, 2))}},
        [np.ones(2), np.ones(3)],
        (np.ones(2), [np.ones(1), {"z": np.ones(4)}]),
        OrderedDict(a=np.ones(2)),
        Point(np.ones(2), np.ones(3)),
        {0: np.ones(2), 1: np.ones(2)},
        {"empty": np.ones((0, 3)), "w": np.ones(2)},
    ],
    ids=str,
)
def test_any_tree_keeps_its_shape(params: Any) -> None:
    optimizer = tw.Optimizer(tw.adam(), lr=0.1)
    moved, state = optimizer.step(params, params, optimizer.init(params))
    assert type(moved) is type(params)
    assert tw.trees.flatten(moved)[0] == tw.trees.flatten(params)[0]
    for before, after in zip(tw.trees.flatten(params)[1], tw.trees.flatten(moved)[1], strict=True):
        assert isinstance(after, np.ndarray)
        assert after.shape == before.shape
        np.testing.assert_allclose(after, before - 0.1, rtol=1e-6)
    assert set(state["t"].values()) == {1}


def test_the_update_is_p_minus_lr_d() -> None:
    optimizer = tw.Optimizer(tw.sgd(), lr=0.5)
    moved, _ = optimizer.step(P, G, optimizer.init(P))
    assert same(moved, {k: P[k] - 0.5 * G[k] for k in P})


@pytest.mark.parametrize("name", everyday(RULES))
def test_a_step_changes_nothing_it_was_handed(name: str) -> None:
    params, gradients, losses = stream(steps=3)
    optimizer = tw.Optimizer(RULES[name]())
    state = optimizer.init(params)
    for g, loss in zip(gradients, losses, strict=True):
        before = copy.deepcopy((params, g, state))
        new = stepped(optimizer, params, g, state, loss=loss)
        assert same((params, g, state), before)
        held = [x for x in tw.trees.flatten(new)[1] if isinstance(x, np.ndarray) and x.size]
        for mine in tw.trees.flatten(g)[1]:
            assert not any(np.shares_memory(x, mine) for x in held), "the caller may overwrite his gradient"
        params, state = new


@pytest.mark.parametrize("name", everyday(RULES))
def test_a_learning_rate_of_zero_moves_nothing(name: str) -> None:
    params, gradients, losses = stream(steps=10)
    path, _ = run(RULES[name](), params, gradients, lr=0.0, losses=losses)
    assert same(path[-1], params)


@pytest.mark.parametrize("name", everyday(HANDED))
def test_a_gradient_of_zero_is_no_accident(name: str) -> None:
    params = {"w": np.ones((3, 2))}
    path, _ = run(RULES[name](), params, [{"w": np.zeros((3, 2))}] * 3, losses=[1.0, 1.0, 1.0])
    assert np.isfinite(path[-1]["w"]).all()
    decays = "weight_decay" in RULES[name].hyper and RULES[name].hyper["weight_decay"].default > 0
    if not decays and name not in (
        "asgd",
        "fromage",
        "ftrl",
        "learned",
        "noisy_sgd",
        "scion",
    ):  # four shrink; a network may answer 0 with anything
        np.testing.assert_allclose(path[-1]["w"], 1.0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", everyday(RULES))
def test_dtypes_stay_what_they_are(name: str, dtype: Any) -> None:
    params, gradients, losses = stream(steps=3, dtype=dtype)
    path, state = run(RULES[name](), params, gradients, losses=losses)
    assert all(p.dtype == dtype for p in path[-1].values())
    for x in tw.trees.flatten(state["memory"])[1]:
        if isinstance(x, np.ndarray):  # one number per tensor is not half, see test_half_numbers
            assert x.dtype in ((dtype, np.float32) if x.ndim == 0 and dtype == np.float16 else (dtype,))


@pytest.mark.parametrize("name", everyday(RULES))
def test_resuming_is_exact(name: str, tmp_path: Any) -> None:
    params, gradients, losses = stream(steps=20)
    whole, last = run(RULES[name](), params, gradients, losses=losses, seed=7)
    half, state = run(RULES[name](), params, gradients[:10], losses=losses, seed=7)
    tw.trees.save(tmp_path / "run.npz", {"params": half[-1], "state": state})
    loaded = tw.trees.load(tmp_path / "run.npz")
    optimizer = tw.Optimizer(RULES[name](), seed=7)
    params, state = loaded["params"], loaded["state"]
    for g, loss in zip(gradients[10:], losses[10:], strict=True):
        params, state = stepped(optimizer, params, g, state, loss=loss)
    assert same((params, state), (whole[-1], last))


def test_a_tensor_without_a_gradient_keeps_its_t_and_memory() -> None:
    optimizer = tw.Optimizer(tw.adam(), lr=0.1)
    params, state = optimizer.step(P, G, optimizer.init(P))
    moved, later = optimizer.step(params, {"w": None, "b": G["b"]}, state)
    assert later["t"] == {"w": 1, "b": 2}
    assert same(moved["w"], params["w"])
    assert same(later["memory"]["adam"]["m"]["w"], state["memory"]["adam"]["m"]["w"])
    assert not same(moved["b"], params["b"])


def test_a_schedule_is_called_with_one_at_the_first_update() -> None:
    asked: list[int] = []
    optimizer = tw.Optimizer(tw.sgd(), lr=lambda t: asked.append(t) or 0.1 / t)
    params, state = optimizer.step({"w": np.ones(2)}, {"w": np.ones(2)}, optimizer.init({"w": np.ones(2)}))
    params, _ = optimizer.step(params, {"w": np.ones(2)}, state)
    assert asked == [1, 2]
    np.testing.assert_allclose(params["w"], 1 - 0.1 - 0.05)


def test_any_float_hyper_parameter_takes_a_schedule() -> None:
    gradients = [np.array([1.0]), np.array([2.0]), np.array([3.0])]
    _, state = run(tw.momentum(mu=lambda t: 0.1 * t), np.zeros(1), gradients, lr=1.0)
    v = 0.0
    for t, g in enumerate(gradients, 1):
        v = 0.1 * t * v + g
    np.testing.assert_allclose(state["memory"]["momentum"]["v"]["p"], v)


def test_accumulation_is_a_step_on_the_mean() -> None:
    params, gradients, _ = stream(steps=12)
    chained = tw.chain(tw.clip(1.0), tw.adam(), tw.average(0.5))
    optimizer = tw.Optimizer(tw.every(4, chained), lr=tw.schedules.linear(0.1, 5))
    state, p = optimizer.init(params), params
    for i, g in enumerate(gradients):
        moved, state = optimizer.step(p, g, state)
        assert same(moved, p) == ((i + 1) % 4 != 0)
        p = moved
    means = [{k: sum(g[k] for g in gradients[i : i + 4]) / 4 for k in params} for i in (0, 4, 8)]
    plain = tw.Optimizer(chained, lr=tw.schedules.linear(0.1, 5))
    q, plain_state = params, plain.init(params)
    for g in means:
        q, plain_state = plain.step(q, g, plain_state)
    for k in params:
        np.testing.assert_allclose(p[k], q[k], rtol=1e-12)
    assert set(state["t"].values()) == {3}
    for k in params:
        np.testing.assert_allclose(optimizer.ship(p, state)[k], plain.ship(q, plain_state)[k], rtol=1e-12)


def test_clipping_is_by_the_norm_over_the_whole_model() -> None:
    whole = np.sqrt(sum((g * g).sum() for g in G.values()))
    for limit in (0.5 * whole, 2 * whole):
        optimizer = tw.Optimizer(tw.chain(tw.clip(limit), tw.sgd()), lr=1.0)
        moved, _ = optimizer.step(P, G, optimizer.init(P))
        for k in P:
            np.testing.assert_allclose(P[k] - moved[k], G[k] * min(1.0, limit / whole), rtol=1e-14)
    zero = {k: np.zeros_like(g) for k, g in G.items()}
    moved, _ = optimizer.step(P, zero, optimizer.init(P))
    assert same(moved, P)


def test_an_average_ships_and_leaves_the_walk_alone() -> None:
    params, gradients, _ = stream(steps=20)
    plain, _ = run(tw.adam(), params, gradients)
    path, state = run(tw.chain(tw.adam(), tw.average(0.9)), params, gradients)
    assert same(path[-1], plain[-1])
    x = params
    for p in plain:
        x = {k: 0.9 * x[k] + 0.1 * p[k] for k in x}
    shipped = tw.Optimizer(tw.chain(tw.adam(), tw.average(0.9))).ship(path[-1], state)
    for k in x:
        np.testing.assert_allclose(shipped[k], x[k], rtol=1e-12)
    assert "walked" not in state


def test_noise_is_a_function_of_seed_t_and_leaf() -> None:
    params, gradients, _ = stream(steps=5)
    first, _ = run(tw.santa_e(), params, gradients, seed=1)
    again, _ = run(tw.santa_e(), params, gradients, seed=1)
    other, _ = run(tw.santa_e(), params, gradients, seed=2)
    assert same(first[-1], again[-1])
    assert not same(first[-1], other[-1])
    reordered = {k: params[k] for k in reversed(params)}
    backwards, _ = run(tw.santa_e(), reordered, [{k: g[k] for k in reversed(g)} for g in gradients], seed=1)
    assert all(same(backwards[-1][k], first[-1][k]) for k in params)


def test_memory_that_is_the_gradient_is_a_copy_of_it() -> None:
    @tw.rule(lr=0.1)
    def remembers(g, p, last=0.0, place=0.0):
        return g, g, p

    optimizer = tw.Optimizer(remembers())
    p, g = np.ones(2), np.ones(2)
    _, state = optimizer.step(p, g, optimizer.init(p))
    g[:] = p[:] = 7.0
    np.testing.assert_array_equal(state["memory"]["remembers"]["last"]["p"], 1.0)
    np.testing.assert_array_equal(state["memory"]["remembers"]["place"]["p"], 1.0)


def test_accumulation_averages_and_does_not_add() -> None:
    optimizer = tw.Optimizer(tw.every(2, tw.sgd()), lr=1.0)
    p = np.zeros(1)
    state = optimizer.init(p)
    for g in (1.0, 3.0):
        p, state = optimizer.step(p, np.array([g]), state)
    np.testing.assert_array_equal(p, -2.0)


def test_each_leaf_draws_its_own_noise() -> None:
    @tw.rule(lr=1.0)
    def shake(g, noise, first=tw.gaussian):
        return noise, first + 0 * g

    optimizer = tw.Optimizer(shake(), seed=3)
    p = {"a": np.zeros(5), "b": np.zeros(5)}
    state = optimizer.init(p)
    moved, state = optimizer.step(p, p, state)
    assert not np.allclose(moved["a"], moved["b"])
    first = state["memory"]["shake"]["first"]
    assert not np.allclose(first["a"], first["b"])
    assert not np.allclose(first["a"], -moved["a"]), "what memory begins with is another draw than the first step's"
