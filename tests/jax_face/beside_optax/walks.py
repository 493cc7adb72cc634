"""Walks of a transformation of ours and of optax's, each a program; what they start at and see."""

from __future__ import annotations

import operator
import re
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

STEPS = 200
TREE = {"w": (4, 3), "list": [(5,), ()]}


def told(x: Any) -> str:
    """A case's name: the same in every process, as an address is not."""
    return re.sub(r" at 0x\w+", "", str(x))


def tree(seed: int, scale: float = 1.0) -> Any:
    draw = np.random.default_rng(seed)
    return jax.tree.map(lambda s: jnp.asarray(scale * draw.normal(size=s)), TREE, is_leaf=lambda x: isinstance(x, tuple))


def stream(steps: int = STEPS) -> Any:
    """Gradients of all steps, stacked."""
    each = [tree(t + 1, 10.0 ** (t % 5 - 3)) for t in range(steps)]
    return jax.tree.map(lambda *x: jnp.stack(x), *each)


def walk(tx: Any, params: Any, gradients: Any, **extra: Any) -> Any:
    """All steps as one program; the last point and state."""

    def one(carry: Any, g: Any) -> Any:
        p, s = carry
        u, s = tx.update(g, s, p, **extra)
        return (optax.apply_updates(p, u), s), None

    found, _ = jax.jit(lambda p, s: jax.lax.scan(one, (p, s), gradients))(params, tx.init(params))
    return found


def rounding(stage: Any, usual: float) -> float:
    """How far two programs of one method may be apart: noise is made of float32 numbers, and XLA joins their products and sums
    in one program and not in another."""
    return 2e-6 if any("noise" in part.asks for part in stage.functions) else usual


def apart(a: Any, b: Any) -> float:
    """The largest difference, as a share of a tensor's largest entry."""
    return max(jax.tree.leaves(jax.tree.map(lambda x, y: float(jnp.abs(x - y).max() / jnp.abs(y).max()), a, b)))


def named(library: Any, name: str) -> Any:
    """`name` of the library, or "contrib.name" of its contrib."""
    return operator.attrgetter(name)(library)


def blocks(shapes: dict[str, tuple[int, ...]]) -> tuple[Any, Any]:
    """Parameters of these shapes, and 30 gradients of each."""
    draw = np.random.default_rng(0)
    first = {name: jnp.asarray(draw.normal(size=shape)) for name, shape in shapes.items()}
    return first, {name: jnp.asarray(draw.normal(size=(30, *shape))) for name, shape in shapes.items()}


def losses(steps: int) -> Any:
    """A loss for each step."""
    return 2.0 / (1.0 + jnp.arange(steps))


def walk_all(several: list[Any], params: Any, gradients: Any) -> list[Any]:
    """The last points of several transformations over the same gradients."""

    def one(carry: Any, given: Any) -> Any:
        g, value = given
        moved = []
        for tx, (p, s) in zip(several, carry, strict=True):
            u, s = tx.update(g, s, p, value=value)
            moved.append((optax.apply_updates(p, u), s))
        return moved, None

    steps = jax.tree.leaves(gradients)[0].shape[0]
    values = losses(steps)
    begun = [(params, optax.with_extra_args_support(tx).init(params)) for tx in several]
    several = [optax.with_extra_args_support(tx) for tx in several]
    found, _ = jax.jit(lambda carry: jax.lax.scan(one, carry, (gradients, values)))(begun)
    return [p for p, _ in found]
