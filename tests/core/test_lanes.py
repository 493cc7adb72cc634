"""T lanes equal T runs, and a lane that breaks touches no neighbour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import MUONS, RULES, everyday, stepped, stream

import thalweg as tw
from thalweg.dialects import variants

T = 3
STEPS = 25
FACTORS = np.array([0.1, 1.0, 3.0])
STAGES: dict[str, Any] = {
    **RULES,
    "clip + adam + decay": lambda: tw.chain(tw.clip(0.5), tw.adam(), tw.decay(0.1)),
    "adam + schedule_free": lambda: tw.chain(tw.adam(), tw.schedule_free()),
    "adam + average": lambda: tw.chain(tw.adam(), tw.average(0.9)),
    "choose": lambda: tw.choose((tw.is_matrix, tw.momentum().at(lr=0.02)), otherwise=tw.adam()),
    "adasecant 2014": lambda: tw.adasecant("2014"),
    "adafactor floor": lambda: tw.adafactor(eps1=tw.at_least(1e-3), relative_step=False),
    **MUONS,
    "asgd ahead": lambda: variants.late_asgd(t0=5.0),
    "rprop backtracking": lambda: tw.rprop(backtracking=True),
    "eve v1": lambda: tw.eve(version="v1"),
    "nadam schedule": lambda: tw.nadam(mu=lambda t: 0.9 - 0.1 / t),
}


def lanes_of(seed: int, dtype: Any) -> list[Any]:
    return [stream(seed + i, STEPS, dtype) for i in range(T)]


def stacked(trees: list[dict[str, Any]]) -> dict[str, Any]:
    return {k: np.stack([tree[k] for tree in trees]) for k in trees[0]}


@pytest.mark.parametrize("dtype", [pytest.param(np.float32, marks=pytest.mark.slow), np.float64])
@pytest.mark.parametrize("name", everyday(STAGES))
def test_lanes_equal_runs(name: str, dtype: Any) -> None:
    stage = tw.core.compose.as_stage(STAGES[name]())
    rates, seeds = stage.lr * FACTORS, np.array([11, 12, 13])
    runs = lanes_of(5, dtype)
    together = tw.Optimizer(stage, lr=rates, seed=seeds, lanes=T)
    params = stacked([r[0] for r in runs])
    state = together.init(params)
    for i in range(STEPS):
        losses = np.array([r[2][i] for r in runs])
        params, state = stepped(together, params, stacked([r[1][i] for r in runs]), state, loss=losses)
    shipped = together.ship(params, state)
    for lane, (p, gradients, losses) in enumerate(runs):
        alone = tw.Optimizer(stage, lr=float(rates[lane]), seed=int(seeds[lane]))
        own = alone.init(p)
        for g, loss in zip(gradients, losses, strict=True):
            p, own = stepped(alone, p, g, own, loss=float(loss))
        for k, x in alone.ship(p, own).items():
            if name.split()[0] in ("learned", "adasecant", "muon"):  # sums over a tensor or a product may add up in another order
                np.testing.assert_allclose(
                    shipped[k][lane], x, rtol=1e-3 if dtype == np.float32 else 1e-9, atol=1e-6 if dtype == np.float32 else 1e-12
                )
            else:
                np.testing.assert_allclose(shipped[k][lane], x, rtol=5e-7 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("name", everyday(n for n in STAGES if n != "learned"))
def test_a_lane_of_nan_touches_no_neighbour(name: str) -> None:
    stage = tw.core.compose.as_stage(STAGES[name]())
    params, gradients, losses = stream(3, 10)
    results = []
    for poison in (0.0, np.nan):
        optimizer = tw.Optimizer(stage, lanes=2)
        p = stacked([params, params])
        state = optimizer.init(p)
        for g, loss in zip(gradients, losses, strict=True):
            both = stacked([g, {k: x + poison for k, x in g.items()}])
            p, state = stepped(optimizer, p, both, state, loss=np.array([loss, loss + poison]))
        results.append(p)
    for k in params:
        np.testing.assert_array_equal(results[0][k][0], results[1][k][0])
        if name not in ("santa_e", "santa_sss"):
            assert np.isnan(results[1][k][1]).any()


def test_skipping_a_step_is_a_lanes_own_affair() -> None:
    optimizer = tw.Optimizer(tw.adam(), lr=0.1, lanes=2, nonfinite="skip")
    p = {"w": np.ones((2, 3))}
    state = optimizer.init(p)
    g = {"w": np.ones((2, 3))}
    g["w"][1, 0] = np.inf
    p, state = optimizer.step(p, g, state)
    np.testing.assert_array_equal(state["t"]["w"], [1, 0])
    np.testing.assert_array_equal(p["w"][1], 1.0)
    p, state = optimizer.step(p, {"w": np.ones((2, 3))}, state)
    np.testing.assert_array_equal(state["t"]["w"], [2, 1])
    np.testing.assert_allclose(p["w"][1], 0.9)
    np.testing.assert_allclose(p["w"][0], 0.8)


def test_every_float_hyper_parameter_may_be_one_per_lane() -> None:
    betas = np.array([0.5, 0.9])
    optimizer = tw.Optimizer(tw.adam(beta1=betas), lr=0.1, lanes=2)
    g = [{"w": np.array([[1.0], [1.0]])}, {"w": np.array([[-2.0], [-2.0]])}]
    p = {"w": np.zeros((2, 1))}
    state = optimizer.init(p)
    for x in g:
        p, state = optimizer.step(p, x, state)
    for lane, beta in enumerate(betas):
        alone = tw.Optimizer(tw.adam(beta1=float(beta)), lr=0.1)
        q = {"w": np.zeros(1)}
        own = alone.init(q)
        for x in g:
            q, own = alone.step(q, {"w": x["w"][lane]}, own)
        np.testing.assert_allclose(p["w"][lane], q["w"], rtol=1e-14)


@pytest.mark.parametrize("nonfinite", ["propagate", "skip"])
def test_a_line_search_is_a_lanes_own_affair(nonfinite: Any) -> None:
    """Its hyper-parameters, schedules of its own t, and how often it looks; one that is done is not asked again."""
    draw = np.random.default_rng(0)
    A, start = draw.normal(size=(3, 6, 4)), {"w": draw.normal(size=(3, 4))}
    c2, factors = np.array([0.9, 0.1, 0.5]), np.array([1.0, 0.3, 2.0])

    def hills(A: Any, w: Any) -> tuple[Any, Any]:
        inner = np.einsum("...ij,...j->...i", A, w)
        return np.cos(inner).sum(-1) + 0.05 * (w * w).sum(-1), 0.1 * w - np.einsum("...ij,...i->...j", A, np.sin(inner))

    def asking(A: Any) -> Any:
        def ask(p: Any) -> Any:
            loss, g = hills(A, p["w"])
            return loss, {"w": g}

        return ask

    together = tw.Optimizer(tw.lbfgs(c2=c2), lr=factors, lanes=3, nonfinite=nonfinite)
    p, state = start, together.init(start)
    for _ in range(4):
        loss, g = asking(A)(p)
        p, state = together.step(p, g, state, loss=loss, grad_fn=asking(A))
    for lane in range(3):
        alone = tw.Optimizer(tw.lbfgs(c2=float(c2[lane])), lr=float(factors[lane]))
        own = {"w": start["w"][lane]}
        memory = alone.init(own)
        for _ in range(4):
            own, memory = alone.step(own, None, memory, grad_fn=asking(A[lane]))
        np.testing.assert_allclose(p["w"][lane], own["w"], rtol=1e-10)
        np.testing.assert_allclose(
            state["memory"]["lbfgs"]["S"]["w"][lane], memory["memory"]["lbfgs"]["S"]["w"], rtol=1e-9, atol=1e-12
        )


def test_a_hyper_parameter_per_lane_is_the_same_number_under_jit() -> None:
    """There t is traced, a whole number in a tensor: no lane's value may be rounded to its dtype."""
    jax = pytest.importorskip("jax")
    betas = np.array([0.5, 0.9])
    g = np.random.default_rng(0).normal(size=(6, 2, 3))

    def walk(betas: Any, g: Any, steps: Any) -> Any:
        optimizer = tw.Optimizer(tw.adam(beta1=betas), lr=0.1, lanes=2)
        params = {"w": g[0]}
        return steps(lambda i, carried: optimizer.step(carried[0], {"w": g[i]}, carried[1]), (params, optimizer.init(params)))

    def on_host(step: Any, carried: Any) -> Any:
        for i in range(6):
            carried = step(i, carried)
        return carried[0]["w"]

    def traced(step: Any, carried: Any) -> Any:
        return jax.lax.fori_loop(0, 6, step, jax.tree.map(jax.numpy.asarray, carried))[0]["w"]

    expected = walk(betas, g, on_host)
    with jax.enable_x64(True):
        for given in (betas, jax.numpy.asarray(betas)):
            found = jax.jit(lambda given, g: walk(given, g, traced))(given, g)
            np.testing.assert_allclose(found, expected, rtol=1e-12)
        np.testing.assert_allclose(jax.jit(lambda g: walk(betas, g, traced))(g), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tw.Optimizer(tw.sgd(), np.ones(3), lanes=2), "the learning rate has shape .3,.; there are 2 lanes"),
        (lambda: tw.Optimizer(tw.sgd(), np.ones(3)), "the learning rate has shape .3,.; it is one number"),
        (lambda: tw.Optimizer(tw.momentum(mu=np.ones(3) / 2), lanes=2), "momentum's mu has shape .3,.; there are 2 lanes"),
        (lambda: tw.Optimizer(tw.sgd(), 0.1).init({}), "the tree is empty"),
        (lambda: tw.Optimizer(tw.sgd(), 0.1).step({}, {}, {}), "the tree is empty"),
    ],
)
def test_numbers_that_are_not_one_for_each_lane_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
