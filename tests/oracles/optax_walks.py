"""A walk of optax's over the oracles' stream, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from .common import Array
from .streams import halving, start, stream

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")


@contextmanager
def float64() -> Iterator[None]:
    """float64 inside only, so that no other test sees it."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


def walk(make: Callable[[Any], Any], lr: Any, zeros: bool = True) -> Array:
    """optax counts from 0."""
    with float64():
        tx = make((lambda count: lr_of(lr, count)) if callable(lr) else lr)
        w = jax.numpy.asarray(start())
        state = tx.init(w)
        update = jax.jit(tx.update)
        path = []
        for g in stream(zeros=zeros):
            step, state = update(jax.numpy.asarray(g), state, w)
            w = optax.apply_updates(w, step)
            path.append(np.asarray(w))
    assert path[0].dtype == np.float64
    return np.array(path)


def lr_of(lr: Any, count: Any) -> Any:
    assert lr is halving
    return 2.0 ** -(6.0 + count // 10)


B = {"beta1": 0.875, "beta2": 0.992}
b = {"b1": 0.875, "b2": 0.992}
