"""Powers in kernels: of float32 right to the last bit or its neighbour, and one loop that the compiler vectorizes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("numba")

import thalweg as tw
from thalweg.core.leaf import Leaf
from thalweg.engines import native
from thalweg.engines.drawn import drawn
from thalweg.engines.gradients import address
from thalweg.graph.program import stage_paths

LOOP = """
from numba import cfunc, types

from thalweg.engines.words import raised

numbers = types.CPointer(types.float32)


@cfunc(types.int64(numbers, numbers, numbers, types.int64))
def step(x, y, z, count):
    for i in range(count):
        z[i] = raised(x[i], y[i])
    return 0
"""
LIMITS = np.finfo(np.float32)
EXPONENTS = [1.0, 2.0, 3.0, 0.5, 0.25, 0.75, 0.3, 1e-3, 1e-30, 7.7, 40.0, -1.0, -0.5, -1 / 3, -2.5, -12.0]


def raised(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found = np.empty_like(x)
    native.compiled(LOOP, "test of powers")(address(x), address(y), address(found), len(x))
    return found


def magnitudes() -> npt.NDArray[Any]:
    """Positive numbers of all exponents, subnormal ones among them, and many near 1."""
    rng = np.random.default_rng(0)
    powers = rng.uniform(np.log2(float(LIMITS.smallest_subnormal)), 128, 40_000)
    ends = [LIMITS.max, LIMITS.tiny, LIMITS.smallest_subnormal]
    near = 1 + rng.normal(size=20_000) * 10.0 ** rng.uniform(-7, -0.7, 20_000)
    return np.concatenate([np.exp2(powers), near, ends]).astype(np.float32)


@pytest.mark.parametrize("y", EXPONENTS)
def test_powers_of_all_magnitudes(y: float) -> None:
    """Beside long double's powers, where these are float32 numbers, subnormal ones among them."""
    x = magnitudes()
    x = x[x > 0]
    exponent = np.full_like(x, y)
    found, wanted = raised(x, exponent), x.astype(np.longdouble) ** exponent.astype(np.longdouble)
    there = wanted < float(LIMITS.max)
    unit = np.spacing(wanted[there].astype(np.float32)).astype(np.longdouble)
    assert float(np.abs((found[there] - wanted[there]) / unit).max()) < 0.6
    assert np.isinf(found[wanted > float(LIMITS.max) * (1 + 1e-6)]).all()


def test_a_power_of_1_is_the_number_itself() -> None:
    x = magnitudes()
    np.testing.assert_array_equal(raised(x, np.ones_like(x)), x)


def test_powers_at_their_edges() -> None:
    """As C defines them, except for an exponent that is NaN."""
    numbers = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, -2.5, np.inf, -np.inf]
    numbers += [1e-45, -1e-45, 1e38, -1e38, 16777217.0, -16777216.0, 1e-30]
    x, y = np.array(list(itertools.product([*numbers, np.nan], numbers)), np.float32).T.copy()
    with np.errstate(all="ignore"):
        wanted = np.power(x.astype(np.float64), y.astype(np.float64)).astype(np.float32)
    found = raised(x, y)
    np.testing.assert_array_equal(found, wanted)
    real = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found[real]), np.signbit(wanted[real]))
    assert np.isnan(raised(np.array([1, 0, 2], np.float32), np.full(3, np.nan, np.float32))).all()


def text_of(power: float, dtype: Any) -> str:
    p, optimizer = np.zeros(2, dtype), tw.Optimizer(tw.adahessian(power=power))
    return drawn(optimizer, stage_paths(optimizer, Leaf("p", p.shape, p, p, 0, None, p)), np.dtype(dtype).name).kernel.text


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_the_loop_of_a_rule_with_a_power_is_vectorized(power: float) -> None:
    """The loop is there twice, for the power of 1 too, and none calls the C library."""
    text = text_of(power, np.float32)
    _, code = native._compile(text, native._file(text, "test of a power"))
    assert not [word for word in ("@powf", "@pow(", "llvm.pow") if word in code]
    assert [word for word in (" x double>", " x float>") if word in code] == [" x double>", " x float>"]


def test_a_power_of_float64_is_the_c_librarys() -> None:
    assert "if power == number(1.0) else x1 ** power" in text_of(1.0, np.float64)
