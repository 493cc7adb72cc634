"""Sophia beside optax: when it looks at the curvature, and what estimates it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
from oracles import sophia  # noqa: E402

import thalweg.jax as tj  # noqa: E402

from .rows import (  # noqa: E402
    BENT,
    SOME,
    SOPHIAS,
    falling,
)
from .walks import apart, stream, told, tree, walk_all  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("rate", [0.02, falling], ids=["number", "schedule"])
@pytest.mark.parametrize(("options", "papers"), SOPHIAS, ids=told)
def test_sophia_looks_before_it_steps_as_in_the_paper(options: dict[str, Any], papers: dict[str, Any], rate: Any) -> None:
    """optax steps before it looks, and corrects its momentum."""
    ours, theirs = walk_all(
        [library.contrib.sophia(rate, hessian_diagonal_fn=BENT, **options) for library in (tj, optax)], tree(0), stream()
    )
    lr = (lambda t: float(falling(t - 1))) if callable(rate) else rate
    for as_optax, ends in ((False, ours), (True, theirs)):
        pairs = zip(jax.tree.leaves(tree(0)), [np.asarray(g) for g in jax.tree.leaves(stream())], strict=True)
        truth = [sophia.sophia(np.asarray(p), list(g), list(1e6 * g), lr=lr, optax=as_optax, **papers)[-1] for p, g in pairs]
        assert apart(jax.tree.leaves(ends), truth) < 1e-12
    assert apart(ours, theirs) > 1e-6


def test_sophia_draws_as_optax_does() -> None:
    def loss(p: Any) -> Any:
        return sum(jnp.sum(jnp.cosh(x) * jnp.cos(x.T).sum()) for x in jax.tree.leaves(p))

    states = []
    for library in (tj, optax):
        tx = library.contrib.sophia(0.02, update_interval=3)
        state = tx.init(tree(0))
        update = jax.jit(functools.partial(tx.update, obj_fn=loss))
        for t in range(8):
            _, state = update(tree(t + 1), state, tree(0))
        states.append(state)
    for ours, theirs in zip(*(jax.tree.leaves(optax.tree.get(state, "nu")) for state in states), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    keys = [optax.tree.get(state, "key") for state in states]
    assert jnp.array_equal(*keys)
    with pytest.raises(ValueError, match="obj_fn must be provided"):
        tj.contrib.sophia(0.02).update(tree(1), tj.contrib.sophia(0.02).init(tree(0)), tree(0))


def test_sophias_mask_and_dtype_are_optaxs() -> None:
    still = jax.tree.map(jnp.zeros_like, tree(0))
    ends = []
    for library in (tj, optax):
        tx = library.contrib.sophia(0.02, weight_decay=0.1, weight_decay_mask=SOME, mu_dtype="bfloat16", hessian_diagonal_fn=BENT)
        updates, state = optax.with_extra_args_support(tx).update(still, tx.init(tree(0)), tree(0))
        assert {x.dtype for x in jax.tree.leaves(optax.tree.get(state, "mu"))} == {jnp.dtype(jnp.bfloat16)}
        ends.append(updates)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-12), *ends)
