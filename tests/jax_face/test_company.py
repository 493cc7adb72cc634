"""Our transformations inside optax's: each wrapper does to a step of ours what it says it does, whatever the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402

pytestmark = pytest.mark.slow

STEPS = 6
RATE = 0.02
STAGES: dict[str, Callable[[], Any]] = {
    "clip + adam + decay": lambda: tw.chain(tw.clip(0.5), tw.adam(), tw.decay(0.1)),
    "lamb": tw.lamb,
    "muon": lambda: tw.choose((tw.is_matrix, tw.muon().at(lr=0.02)), otherwise=tw.adamw()),
    "eve": tw.eve,
    "santa_e": tw.santa_e,
    "rprop": tw.rprop,
    "schedule_free": lambda: tw.chain(tw.sgd(), tw.schedule_free()),
}
"""By coordinate, by tensor, by matrix; asking for the loss, for noise; owning the step; walking elsewhere."""


@pytest.fixture(autouse=True)
def wide() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def ours(stage: Any) -> Any:
    return tj.optimizer(stage(), RATE)


def tree(seed: int) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    return {"w": draw.normal(size=(4, 3)), "b": draw.normal(size=3)}  # of NumPy: these are made where JAX is not yet wide


GRADIENTS = [tree(t + 1) for t in range(STEPS)]
LOSSES = [1.0 / (t + 1) for t in range(STEPS)]


def walk(tx: Any, gradients: list[Any], losses: list[float] = LOSSES, start: Any = None) -> Any:
    p = tree(0) if start is None else start
    s, update = tx.init(p), jax.jit(tx.update)
    for g, value in zip(gradients, losses, strict=False):
        u, s = update(g, s, p, value=jnp.asarray(value))
        p = optax.apply_updates(p, u)
    return p


def same(a: Any, b: Any, rtol: float = 1e-12) -> None:
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol / 100)


def halved(stage: Any) -> tuple[Any, Any]:
    return (
        walk(optax.chain(optax.scale(0.5), ours(stage)), GRADIENTS),
        walk(ours(stage), [jax.tree.map(lambda x: 0.5 * x, g) for g in GRADIENTS]),
    )


def without_the_infinite(stage: Any) -> tuple[Any, Any]:
    bad = jax.tree.map(lambda x: x * jnp.nan, GRADIENTS[0])
    met = [*GRADIENTS[:2], bad, *GRADIENTS[2:]]
    return (
        walk(optax.apply_if_finite(ours(stage), 3), met, [*LOSSES[:2], 9.0, *LOSSES[2:]]),
        walk(ours(stage), GRADIENTS),
    )


def every_second(stage: Any) -> tuple[Any, Any]:
    """Beside a walk on the means, as MultiSteps has them: 3e-10 from float64's."""
    means, mean = [], optax.MultiSteps(optax.identity(), 2)
    state = mean.init(tree(0))
    for g in GRADIENTS:
        told, state = mean.update(g, state)
        means.append(told)
    means = means[1::2]
    return walk(optax.MultiSteps(ours(stage), 2), GRADIENTS), walk(ours(stage), means, LOSSES[1::2])


def of_one_leaf(wrap: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    """The matrix goes to ours; plain descent moves the vector."""

    def pair(stage: Any) -> tuple[Any, Any]:
        found, start = walk(wrap(ours(stage)), GRADIENTS), tree(0)
        alone = walk(ours(stage), [{"w": g["w"]} for g in GRADIENTS], start={"w": start["w"]})
        return found, {**alone, "b": start["b"] - 0.125 * sum(g["b"] for g in GRADIENTS)}

    return pair


def injected(stage: Any) -> tuple[Any, Any]:
    """The learning rate as a number in the state, a schedule's value at each step."""
    falling = optax.linear_schedule(RATE, 0.0, 10)
    make = optax.inject_hyperparams(lambda learning_rate: tj.optimizer(stage(), learning_rate))
    return walk(make(learning_rate=falling), GRADIENTS), walk(tj.optimizer(stage(), falling), GRADIENTS)


def with_a_conditional(stage: Any) -> tuple[Any, Any]:
    """Every update passes through optax's own `conditionally_transform`, a `lax.cond`."""
    always = optax.conditionally_transform(ours(stage), lambda step: step >= 0)
    return walk(always, GRADIENTS), walk(ours(stage), GRADIENTS)


WRAPPERS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "chain": halved,
    "apply_if_finite": without_the_infinite,
    "MultiSteps": every_second,
    "partition": of_one_leaf(lambda tx: optax.partition({"a": tx, "b": optax.sgd(0.125)}, {"w": "a", "b": "b"})),
    "masked": of_one_leaf(
        lambda tx: optax.chain(optax.masked(tx, {"w": True, "b": False}), optax.masked(optax.sgd(0.125), {"w": False, "b": True}))
    ),
    "inject_hyperparams": injected,
    "conditionally_transform": with_a_conditional,
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", STAGES)
def test_a_wrapper_does_to_ours_what_it_says(name: str, wrapper: str) -> None:
    same(*WRAPPERS[wrapper](STAGES[name]))


@pytest.mark.parametrize("name", ["adabound", "lars", "novograd", "eve", "santa_e", "adasecant"])
def test_a_rules_function_takes_injected_hyper_parameters(name: str) -> None:
    """Each float of it is a number in the state, which may be set; `seed` and whole numbers are static."""
    rule = tw.rules[name]
    static = ["seed", *(h.name for h in rule.hyper.values() if h.static)]
    tx = optax.inject_hyperparams(tj.of(rule), static_args=static)(learning_rate=RATE)
    assert set(tx.init(tree(0)).hyperparams) == {"learning_rate", *(h.name for h in rule.hyper.values() if not h.static)}
    same(walk(tx, GRADIENTS), walk(tj.of(rule)(learning_rate=RATE), GRADIENTS))


def test_an_injected_rate_can_be_set_between_steps() -> None:
    tx = optax.inject_hyperparams(tj.adam)(learning_rate=0.1)
    p, state = tree(0), tx.init(tree(0))
    state.hyperparams["learning_rate"] = jnp.asarray(0.0)
    updates, _ = tx.update(GRADIENTS[0], state, p)
    assert all((x == 0).all() for x in jax.tree.leaves(updates))


def test_a_state_can_be_searched_as_optaxs_own() -> None:
    state = optax.chain(optax.clip_by_global_norm(1.0), tj.adam(0.1)).init(tree(0))
    assert int(optax.tree.get(state, "count")) == 0
    same(optax.tree.get(state, "mu"), jax.tree.map(jnp.zeros_like, tree(0)))


def test_a_state_can_be_mapped_as_optaxs_own() -> None:
    tx = tj.adam(0.1)
    optax.tree.map_params(tx, jnp.ones_like, tx.init(tree(0)))
