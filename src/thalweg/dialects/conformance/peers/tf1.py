"""TensorFlow 1's optimizers, which TensorFlow 2 has as tf.compat.v1.train."""

from __future__ import annotations

import inspect
import os
from typing import Any

import numpy as np

from thalweg.dialects.conformance.stream import Point, Stream

PYTHON = {"initial_accumulator_value", "learning_rate_power"}
"""Numbers that stay Python's; a tensor of each other one keeps it from being rounded to float32."""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402

VERSION = tf.__version__


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers."""
    variables = {key: tf.Variable(x, dtype=tf.float64) for key, x in along.start.items()}
    make = getattr(tf.compat.v1.train, f"{name}Optimizer")
    defaults = {key: p.default for key, p in inspect.signature(make).parameters.items()}
    arguments = {key: x for key, x in {**defaults, **options}.items() if isinstance(x, float)}
    wide = {key: tf.constant(x, tf.float64) for key, x in arguments.items() if key not in PYTHON}
    optimizer, found = make(**{**options, **wide}), []
    for g in along.gradients:
        optimizer.apply_gradients([(tf.constant(g[key], tf.float64), x) for key, x in variables.items()])
        found.append({key: np.array(x.numpy()) for key, x in variables.items()})
    return found
