"""Powers of float32 as arithmetic of float64, which the compiler vectorizes; it calls the C library once for each power."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

SINGLE, DOUBLE, WORD = ir.FloatType(), ir.DoubleType(), ir.IntType(64)
BIAS, MANTISSA = 1023, 52
ROOT_HALF, ONE = 0x3FE6A09E667F3BCD, 0x3FF0000000000000
"""float64's bits: of the root of 1/2, and of 1."""
MAX = np.finfo(np.float32).max
FRACTION, SIZE = (1 << MANTISSA) - 1, (1 << 63) - 1
LOG = (2.0000000000084284, 0.6666666523987216, 0.40000385987382053, 0.2853497842903546, 0.23617611328003255)
EXP = (
    1.0000000005546064,
    1.0000000363446397,
    0.49999992075100985,
    0.1666642007244514,
    0.04166822618847284,
    0.008374824030662809,
    0.0013836835744798386,
)
"""Minimax polynomials: 2 artanh(s) / s in s^2 for s up to (sqrt(2) - 1) / (sqrt(2) + 1), to 4e-12 of it, and e^r for r from
-log(2) / 2 to log(2) / 2, to 2e-9 of it. With them a power is wrong by 3e-9 of itself, a twentieth of float32's unit.
"""
LEAST, MOST = -120.0, 100.0
"""Of the exponents of e, those beyond which every float32 is 0 or infinite."""
FAR = 1e300
"""Stands for the logarithms of infinity and, negative, of 0: its product with 0 is 0, and with any other float32 beyond these."""


@intrinsic
def raised(context: Any, x: Any, y: Any) -> Any:
    """x to the power of y, of all float32 as C defines it except that it is NaN for a y that is NaN."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return _power(builder, *arguments)

    return types.float32(types.float32, types.float32), generate


def _power(b: ir.IRBuilder, x: Any, y: Any) -> Any:
    """e^(y log |x|), with the sign or the NaN that a negative x brings. float32's subnormal numbers are normal in float64.

    y is the same for all elements, so that what depends on y alone is computed once.
    """
    base, exponent = b.fpext(x, DOUBLE), b.fpext(y, DOUBLE)
    size = _call(b, "fabs", base)
    infinite = b.fcmp_ordered("==", size, _number(math.inf))
    log = b.select(infinite, _number(FAR), _log(b, size))
    log = b.select(b.fcmp_ordered("==", size, _number(0.0)), _number(-FAR), log)
    found = b.bitcast(_exp(b, b.fmul(_held(b, exponent, -float(MAX), float(MAX)), log)), WORD)
    whole = b.fcmp_ordered("==", _call(b, "floor", exponent), exponent)
    half = b.fmul(exponent, _number(0.5))
    odd = b.and_(whole, b.fcmp_ordered("!=", _call(b, "floor", half), half))
    sign = b.and_(b.bitcast(base, WORD), b.select(odd, _word(SIZE + 1), _word(0)))
    none = b.and_(b.fcmp_ordered("<", base, _number(0.0)), b.and_(b.not_(whole), b.not_(infinite)))
    none = b.or_(none, b.and_(b.fcmp_unordered("uno", base, base), b.fcmp_unordered("!=", exponent, _number(0.0))))
    none = b.or_(none, b.fcmp_unordered("uno", exponent, exponent))
    return b.fptrunc(b.select(none, _number(math.nan), b.bitcast(b.or_(found, sign), DOUBLE)), SINGLE)


def _log(b: ir.IRBuilder, x: Any) -> Any:
    """k log(2) + log(m), for x = 2^k m with m from sqrt(1/2) to sqrt(2), whose logarithm is 2 artanh((m - 1) / (m + 1))."""
    bits = b.add(b.bitcast(x, WORD), _word(ONE - ROOT_HALF))
    m = b.bitcast(b.add(b.and_(bits, _word(FRACTION)), _word(ROOT_HALF)), DOUBLE)
    count = b.bitcast(b.or_(b.lshr(bits, _word(MANTISSA)), _word((BIAS + MANTISSA) << MANTISSA)), DOUBLE)  # 2^52, plus an integer
    k = b.fsub(count, _number(2.0**MANTISSA + BIAS))
    s = b.fdiv(b.fsub(m, _number(1.0)), b.fadd(m, _number(1.0)))
    log = b.fmul(s, _polynomial(b, LOG, b.fmul(s, s)))
    return b.fadd(b.fmul(k, _number(math.log(2))), log)


def _exp(b: ir.IRBuilder, x: Any) -> Any:
    """2^n e^r, for x = n log(2) + r with |r| <= log(2) / 2."""
    held = _held(b, x, LEAST, MOST)
    shift = _number(1.5 * 2.0**MANTISSA)  # with it, the last bits are those of the nearest whole number
    shifted = b.fadd(b.fmul(held, _number(1 / math.log(2))), shift)
    r = b.fsub(held, b.fmul(b.fsub(shifted, shift), _number(math.log(2))))
    power = b.bitcast(b.shl(b.add(b.bitcast(shifted, WORD), _word(BIAS)), _word(MANTISSA)), DOUBLE)
    return b.fmul(_polynomial(b, EXP, r), power)


def _held(b: ir.IRBuilder, x: Any, least: float, most: float) -> Any:
    low = b.select(b.fcmp_ordered("<", x, _number(least)), _number(least), x)
    return b.select(b.fcmp_ordered(">", low, _number(most)), _number(most), low)


def _polynomial(b: ir.IRBuilder, coefficients: tuple[float, ...], x: Any) -> Any:
    """The polynomial's value by Horner's rule, the constant term first."""
    fused = b.module.declare_intrinsic("llvm.fmuladd", [DOUBLE], ir.FunctionType(DOUBLE, [DOUBLE] * 3))
    *others, last = coefficients
    value: Any = _number(last)
    for c in reversed(others):
        value = b.call(fused, [value, x, _number(c)])
    return value


def _number(x: float) -> Any:
    return ir.Constant(DOUBLE, x)


def _word(x: int) -> Any:
    return ir.Constant(WORD, x)


def _call(b: ir.IRBuilder, word: str, x: Any) -> Any:
    return b.call(b.module.declare_intrinsic(f"llvm.{word}", [DOUBLE]), [x])
