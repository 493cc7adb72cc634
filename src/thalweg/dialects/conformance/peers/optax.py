"""optax: its functions, and those of optax.contrib as "contrib.NAME"."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from thalweg.dialects.conformance.stream import Point, Stream

VERSION = optax.__version__


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers, compiled, in float64."""
    make = functools.reduce(getattr, name.split("."), optax)
    with jax.enable_x64(True):
        transformation: Any = make(**options)
        params = {key: jnp.asarray(x) for key, x in along.start.items()}
        stacked = {key: jnp.asarray(np.stack([g[key] for g in along.gradients])) for key in params}

        def step(carry: Any, gradient: Any) -> tuple[Any, Any]:
            here, state = carry
            updates, state = transformation.update(gradient, state, here)
            here = optax.apply_updates(here, updates)
            return (here, state), here

        _, path = jax.lax.scan(step, (params, transformation.init(params)), stacked)
        found = {key: np.asarray(x) for key, x in path.items()}
    return [{key: found[key][t] for key in found} for t in range(len(along.gradients))]
