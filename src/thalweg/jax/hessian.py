"""The Hessian's diagonal of a JAX function, estimated; see `thalweg.jax.hutchinson`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import optax

Tree = Any


def hutchinson(loss: Callable[[Tree], Any], params: Tree, key: Any) -> Tree:
    """u * (H u) for random signs u, drawn by the key: its mean is the Hessian's diagonal (Hutchinson 1990, Commun. Stat. 19:433).

    loss: parameters -> a number. The product is exact, forward over reverse; it costs about two gradients. With the second
    half of a split key it is what optax.contrib.hutchinson_estimator_diag_hessian gives.
    """
    signs = optax.tree.random_like(key, params, jax.random.rademacher)
    signs = jax.tree.map(lambda u, p: u.astype(p.dtype), signs, params)
    _, product = jax.jvp(jax.grad(loss), (params,), (signs,))
    return jax.tree.map(lambda u, hu: u * hu, signs, product)
