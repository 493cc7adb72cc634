"""The transformation of a trial in JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from thalweg.core.stage import Stage
from thalweg.jax import Transformation
from thalweg.jax import optimizer as transformation


def optimizer(stage: Stage, lr: float, factor: Callable[[Any], Any] | None, seed: int) -> Transformation:
    """The transformation, in whose learning rate the schedule is. factor: that of update t = 1, 2, ...; None: constant."""
    return transformation(stage, lr if factor is None else lambda done: jnp.asarray(lr * factor(done + 1)), seed=seed)
