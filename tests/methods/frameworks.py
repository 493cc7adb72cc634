"""Arrays of torch and JAX, and how near two runs are to be."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from support import ASKING


def torch_array(x: Any) -> Any:
    return pytest.importorskip("torch").tensor(x)


def jax_array(x: Any) -> Any:
    return pytest.importorskip("jax").numpy.asarray(x)


@contextlib.contextmanager
def sixty_four_bits() -> Any:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield


def close(a: Any, b: Any, name: str = "") -> None:
    """L-BFGS divides by sums over the model, which the frameworks add up in orders of their own."""
    tolerance = 1e-9 if name in ASKING else 1e-12
    for k in a:
        np.testing.assert_allclose(a[k], b[k], rtol=tolerance, atol=tolerance)
