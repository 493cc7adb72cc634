"""The kernels' own functions: right to a unit in the last place or two, over all of the numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("numba")

from thalweg.engines import native
from thalweg.engines.gradients import address

LOOP = """
from numba import cfunc, types

from thalweg.engines.words import {word}

numbers = types.CPointer(types.{dtype})


@cfunc(types.int64(numbers, numbers, types.int64))
def step(x, y, count):
    for i in range(count):
        y[i] = {word}(x[i])
    return 0
"""
DTYPES: list[Any] = [np.float32, np.float64]


def computed(word: str, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found = np.empty_like(x)
    native.compiled(LOOP.format(word=word, dtype=x.dtype.name), f"test of {word}")(address(x), address(found), len(x))
    return found


def units_apart(word: str, exact: Callable[[Any], Any], x: npt.NDArray[Any]) -> float:
    """The largest distance from the number computed in long double, in units of the last place."""
    wanted = exact(x.astype(np.longdouble))
    unit = np.spacing(wanted.astype(x.dtype)).astype(np.longdouble)
    return float(np.abs((computed(word, x) - wanted) / unit).max())


@pytest.mark.parametrize("dtype", DTYPES)
def test_cube_roots_of_all_magnitudes(dtype: Any) -> None:
    limits, rng = np.finfo(dtype), np.random.default_rng(0)
    powers = rng.uniform(np.log2(limits.smallest_subnormal), np.log2(limits.max), 100_000).astype(np.longdouble)
    x = np.concatenate([np.exp2(powers).astype(dtype), np.array([limits.max, limits.tiny, limits.smallest_subnormal], dtype)])
    assert units_apart("cube_root", np.cbrt, x[x > 0]) < 1.2


@pytest.mark.parametrize("dtype", DTYPES)
def test_exponentials_of_all_magnitudes(dtype: Any) -> None:
    limits, rng = np.finfo(dtype), np.random.default_rng(0)
    x = rng.uniform(np.log(limits.smallest_subnormal), np.log(limits.max), 100_000).astype(dtype)
    x = np.concatenate([x, rng.normal(size=100_000).astype(dtype), np.array([1, -1, 1e-20, np.log(limits.tiny)], dtype)])
    assert units_apart("exponential", np.exp, x) < 1.2


def all_magnitudes(dtype: Any) -> npt.NDArray[Any]:
    """Numbers of both signs: of all exponents, and many near 1."""
    limits, rng = np.finfo(dtype), np.random.default_rng(0)
    powers = rng.uniform(np.log2(limits.smallest_subnormal), np.log2(limits.max), 100_000).astype(np.longdouble)
    x = np.concatenate([np.exp2(powers), *(scale * np.abs(rng.normal(size=100_000)) for scale in (1, 10, 300))]).astype(dtype)
    return np.concatenate([x, -x])


@pytest.mark.parametrize("dtype", DTYPES)
def test_logistic_functions_of_all_magnitudes(dtype: Any) -> None:
    """1 / (1 + e^-x); below 0 in the form that loses nothing there. Where it is subnormal, e^x is."""

    def exact(x: Any) -> Any:
        e = np.exp(-np.abs(x))
        return np.where(x < 0, e, 1) / (1 + e)

    assert units_apart("logistic", exact, all_magnitudes(dtype)) < 2.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_hyperbolic_tangents_of_all_magnitudes(dtype: Any) -> None:
    assert units_apart("hyperbolic_tangent", np.tanh, all_magnitudes(dtype)) < 2.5


ANGLES = """
from numba import cfunc, types

from thalweg.engines.words import angle

numbers = types.CPointer(types.{dtype})


@cfunc(types.int64(numbers, numbers, numbers, types.int64))
def step(y, x, found, count):
    for i in range(count):
        found[i] = angle(y[i], x[i])
    return 0
"""


def angles(y: npt.NDArray[Any], x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found = np.empty_like(x)
    step = native.compiled(ANGLES.format(dtype=x.dtype.name), "test of angles")
    step(address(y), address(x), address(found), len(x))
    return found


@pytest.mark.parametrize("dtype", DTYPES)
def test_angles_of_all_magnitudes(dtype: Any) -> None:
    some, rng = all_magnitudes(dtype), np.random.default_rng(1)
    y, x = rng.permutation(some), rng.permutation(some)
    near = (y[:100_000] / 5 * rng.uniform(1.0, 5.0, 100_000).astype(dtype)).astype(dtype)
    y, x = np.concatenate([y, y[:100_000]]), np.concatenate([x, near])
    wanted = np.arctan2(y.astype(np.longdouble), x.astype(np.longdouble))
    unit = np.spacing(np.abs(wanted).astype(dtype)).astype(np.longdouble)
    assert np.max(np.abs(angles(y, x) - wanted) / unit) < 2.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_angles_at_their_edges(dtype: Any) -> None:
    """As C defines them, signs of zeros included."""
    edges = np.array([0.0, 1.0, np.inf, np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal, np.nan], dtype)
    y, x = (pairs.ravel() for pairs in np.meshgrid(np.concatenate([edges, -edges]), np.concatenate([edges, -edges])))
    found, wanted = angles(y, x), np.arctan2(y, x)
    np.testing.assert_allclose(found, wanted, rtol=2 * float(np.finfo(dtype).eps), atol=0)
    known = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found[known]), np.signbit(wanted[known]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_functions_at_their_edges(dtype: Any) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e4, -1e4, -8.0, 8.0], dtype)
    nan = np.nan
    np.testing.assert_array_equal(computed("exponential", x)[:7], np.array([1, 1, np.inf, 0, nan, np.inf, 0], dtype))
    np.testing.assert_array_equal(computed("logistic", x)[:7], np.array([0.5, 0.5, 1, 0, nan, 1, 0], dtype))
    tangents = computed("hyperbolic_tangent", x)[:7]
    np.testing.assert_array_equal(tangents, np.array([0, 0, 1, -1, nan, 1, -1], dtype))
    assert list(np.signbit(tangents[:2])) == [False, True]
    np.testing.assert_array_equal(
        computed("cube_root", x)[[0, 1, 2, 3, 4, 7, 8]], np.array([0, 0, np.inf, nan, nan, nan, 2], dtype)
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_whole_cubes_have_whole_roots(dtype: Any) -> None:
    whole = np.arange(1, 200, dtype=dtype)
    np.testing.assert_allclose(computed("cube_root", whole**3), whole, rtol=1.2 * float(np.finfo(dtype).eps))
