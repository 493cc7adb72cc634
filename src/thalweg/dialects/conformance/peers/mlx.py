"""MLX, on the processor, which alone has float64."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.optimizers as optimizers
import numpy as np

from thalweg.dialects.conformance.stream import Point, Stream

VERSION = mx.__version__


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers."""
    with mx.stream(mx.cpu):
        params = {key: mx.array(x, dtype=mx.float64) for key, x in along.start.items()}
        optimizer, found = getattr(optimizers, name)(**options), []
        for g in along.gradients:
            params = optimizer.apply_gradients({key: mx.array(g[key], dtype=mx.float64) for key in params}, params)
            mx.eval(params, optimizer.state)
            found.append({key: np.array(x) for key, x in params.items()})
    return found
