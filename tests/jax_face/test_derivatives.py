"""Derivatives through a step, as meta-learning takes them, where a norm is 0; and norms of constants inside `jax.jit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import first

import thalweg as tw

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
jnp = jax.numpy
tj = pytest.importorskip("thalweg.jax")
norms = pytest.importorskip("thalweg.values.norms")

PARAMS = {"w": np.ones((3, 2), np.float32), "b": np.zeros(2, np.float32)}


def ended(make: Callable[[Any], Any], lr: Any, params: Any, steps: int = 2) -> Any:
    """The sum of squares after some steps: biases that start at 0, as networks have them."""
    tx = make(lr)
    params = jax.tree.map(jnp.asarray, params)
    state = tx.init(params)
    for _ in range(steps):
        updates, state = tx.update(jax.tree.map(lambda x: 2 * x + 1, params), state, params)
        params = optax.apply_updates(params, updates)
    return sum(jnp.sum(x**2) for x in jax.tree.leaves(params))


SAME = {
    "lamb": (lambda lr: tj.lamb(lr), lambda lr: optax.lamb(lr)),
    "lars": (lambda lr: tj.lars(lr), lambda lr: optax.lars(lr)),
    "fromage": (lambda lr: tj.fromage(lr), lambda lr: optax.fromage(lr)),
}
OURS = {
    "trust ratio": lambda lr: tj.optimizer(tw.chain(tw.sgd(), tw.trust_ratio()), lr),
    "novograd": lambda lr: tj.novograd(lr),
    "clip": lambda lr: tj.optimizer(tw.chain(tw.clip(1.0), tw.sgd()), lr),
}


@pytest.mark.parametrize("name", first(sorted(SAME)))
def test_by_the_learning_rate_and_by_the_parameters_as_in_optax(name: str) -> None:
    ours, theirs = SAME[name]
    for transform in (lambda f: f, jax.jit):
        mine, other = (transform(jax.grad(lambda lr, make=make: ended(make, lr, PARAMS)))(0.1) for make in (ours, theirs))
        np.testing.assert_allclose(mine, other, rtol=1e-5)
        mine, other = (transform(jax.grad(lambda p, make=make: ended(make, 0.1, p)))(PARAMS) for make in (ours, theirs))
        for key in PARAMS:
            np.testing.assert_allclose(mine[key], other[key], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", OURS)
def test_they_are_those_of_a_difference(name: str) -> None:
    make, step = OURS[name], 1e-2
    wanted = (ended(make, 0.1 + step, PARAMS) - ended(make, 0.1 - step, PARAMS)) / (2 * step)
    for transform in (lambda f: f, jax.jit):
        np.testing.assert_allclose(transform(jax.grad(lambda lr: ended(make, lr, PARAMS)))(0.1), wanted, rtol=2e-2)
        by_params = transform(jax.grad(lambda p: ended(make, 0.1, p)))(PARAMS)
        assert all(np.isfinite(by_params[key]).all() for key in PARAMS)


@pytest.mark.parametrize("size", [0.0, 1e-30, 1.0, 3e30])
def test_the_norm_of_a_constant_inside_jit(size: float) -> None:
    x = np.full(4, size, np.float32)
    inside = jax.jit(lambda: norms.euclidean([jnp.full(4, size, jnp.float32)]))()
    captured = jax.jit(lambda: norms.euclidean([jnp.asarray(x)]))()
    given = jax.jit(lambda x: norms.euclidean([x]))(x)
    assert float(inside) == float(captured) == float(given) == pytest.approx(2 * size, rel=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-3, 1.0, 3e30])
def test_the_derivative_of_the_norm_is_the_unit_vector_and_0_at_0(size: float) -> None:
    x = jnp.asarray([3 * size, 4 * size], jnp.float32)
    wanted = [0.6, 0.8] if size else [0.0, 0.0]
    for transform in (lambda f: f, jax.jit):
        found = transform(jax.grad(lambda x: norms.euclidean([x])))(x)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
        lanes = transform(jax.grad(lambda x: norms.euclidean([x], 1, keepdims=True).sum()))(jnp.stack([x, 2 * x]))
        np.testing.assert_allclose(lanes, [wanted, wanted], rtol=1e-6)
        along = transform(lambda x: jax.jvp(lambda x: norms.euclidean([x, x]), (x,), (jnp.ones(2),))[1])(x)
        np.testing.assert_allclose(along, np.sqrt(2) * sum(wanted), rtol=1e-6)


def test_a_step_from_0_inside_jit_is_the_step_outside() -> None:
    for make, _ in SAME.values():
        np.testing.assert_allclose(jax.jit(lambda make=make: ended(make, 0.1, PARAMS))(), ended(make, 0.1, PARAMS), rtol=1e-5)
