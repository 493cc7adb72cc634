"""Keras, on the backend that KERAS_BACKEND or its file names, or else on the first of torch, JAX and TensorFlow that is there."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from typing import Any

import numpy as np

from thalweg.dialects.conformance.stream import NotHere, Point, Stream

for _backend in ("torch", "jax", "tensorflow"):
    if importlib.util.find_spec(_backend) is not None:
        os.environ.setdefault("KERAS_BACKEND", _backend)

import keras  # noqa: E402

BACKEND = keras.backend.backend()
VERSION = keras.__version__
ON = f"on {BACKEND}"


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers, everything of it in float64."""
    if options.get("backend", BACKEND) != BACKEND:
        raise NotHere
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        with _in_float64():
            return _walk(name, {key: x for key, x in options.items() if key != "backend"}, along)
    finally:
        keras.config.set_floatx(before)


def _in_float64() -> Any:
    if BACKEND != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)


def _walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    variables = {key: keras.Variable(x, dtype="float64", name=key) for key, x in along.start.items()}
    optimizer, found = getattr(keras.optimizers, name)(**options), []
    optimizer.build(list(variables.values()))
    for g in along.gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g[key], dtype="float64") for key in variables])
        found.append({key: np.array(keras.ops.convert_to_numpy(x.value)) for key, x in variables.items()})
    return found
