"""Functions as arithmetic, which the compiler vectorizes; it calls the C library once for each number.

They are right to the last bit or the one before it, also of infinities, subnormal numbers and NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@dataclass(frozen=True)
class Number:
    """A floating-point type: LLVM's, and how its bits are laid out."""

    type: Any
    bits: int
    mantissa: int
    bias: int

    @property
    def integer(self) -> Any:
        """The integers of the same width."""
        return ir.IntType(self.bits)

    def __call__(self, x: float) -> Any:
        return ir.Constant(self.type, x)

    def whole(self, x: int) -> Any:
        """An integer of the same width."""
        return ir.Constant(self.integer, x)


NUMBERS = {types.float32: Number(ir.FloatType(), 32, 23, 127), types.float64: Number(ir.DoubleType(), 64, 52, 1023)}
HIGH = ir.IntType(32)
Body = Callable[[ir.IRBuilder, Number, Any], Any]


def _function(x: Any, body: Body) -> Any:
    """Return an intrinsic's signature and body, of one number."""
    number = NUMBERS[x]
    return x(x), lambda context, builder, signature, arguments: body(builder, number, arguments[0])


@intrinsic
def cube_root(context: Any, x: Any) -> Any:
    """x to the power of 1/3; NaN for a negative x, as of any power that is no whole number."""
    return _function(x, _cube_root)


def _cube_root(b: ir.IRBuilder, number: Number, x: Any) -> Any:
    """A third of the exponent as the first guess, then Halley's steps y + y (x - y^3) / (x + 2 y^3), each of which triples the
    number of right digits, and one of Newton's, y + (x - y^3) / (3 y^2), which doubles it and takes less. x is scaled so that
    neither 2 y^3 nor the guess leaves the normal numbers."""
    tiny, up, down = 2.0 ** (20 - number.bias), 3 * (number.mantissa // 3 + 8), -3
    small = b.fcmp_ordered("<", x, number(tiny))
    scaled = b.fmul(x, b.select(small, number(2.0**up), number(2.0**down)))
    y, steps = _third_of_exponent(b, number, scaled), 1 if number.bits == 32 else 2
    for _ in range(steps):
        cube = b.fmul(b.fmul(y, y), y)
        share = b.fdiv(b.fsub(scaled, cube), b.fadd(b.fadd(cube, cube), scaled))
        y = b.fadd(y, b.fmul(y, share))
    square = b.fmul(y, y)
    y = b.fadd(y, b.fdiv(b.fsub(scaled, b.fmul(square, y)), b.fmul(square, number(3.0))))
    root = b.fmul(y, b.select(small, number(2.0 ** (-up // 3)), number(2.0 ** (-down // 3))))
    bits, infinite = b.bitcast(x, number.integer), ((2 << (number.bits - 2 - number.mantissa)) - 1) << number.mantissa
    within = b.icmp_unsigned("<", b.sub(bits, number.whole(1)), number.whole(infinite - 1))  # positive and finite
    negative = b.fcmp_ordered("<", x, number(0.0))
    return b.select(within, root, b.select(negative, number(math.nan), b.fadd(x, number(0.0))))


def _third_of_exponent(b: ir.IRBuilder, number: Number, x: Any) -> Any:
    """A number within 4 % of the cube root of a positive normal x: its upper 32 bits are a third of x's, and a constant."""
    high = b.bitcast(x, number.integer)
    if number.bits == 64:
        high = b.trunc(b.lshr(high, number.whole(32)), HIGH)
    single = ir.FloatType()
    third = b.fptosi(b.fmul(b.sitofp(high, single), ir.Constant(single, float(np.float32(1 / 3)))), HIGH)
    unit = 2 ** (number.mantissa - (number.bits - 32))
    guess = b.add(third, ir.Constant(HIGH, round((number.bias * 2 / 3 - 0.0335) * unit)))
    if number.bits == 64:
        guess = b.shl(b.zext(guess, number.integer), number.whole(32))
    return b.bitcast(guess, number.type)


@intrinsic
def exponential(context: Any, x: Any) -> Any:
    """e to the x."""
    return _function(x, _exponential)


def _exponential(b: ir.IRBuilder, number: Number, x: Any) -> Any:
    """2^n e^r, where 2^n is two factors, since alone it may leave the normal numbers."""
    most = (number.bias + 2) * math.log(2)
    least = -(number.bias + number.mantissa + 2) * math.log(2)
    low = b.select(b.fcmp_ordered("<", x, number(least)), number(least), x)
    held = b.select(b.fcmp_ordered(">", low, number(most)), number(most), low)
    whole, more = _reduced(b, number, held)
    half = b.ashr(whole, number.whole(1))
    found = b.fmul(b.fadd(more, number(1.0)), _power_of_2(b, number, half))
    found = b.fmul(found, _power_of_2(b, number, b.sub(whole, half)))
    return b.select(b.fcmp_unordered("uno", x, x), x, found)


def _reduced(b: ir.IRBuilder, number: Number, x: Any) -> tuple[Any, Any]:
    """The whole n, and e^r - 1 by Taylor's series, for x = n log(2) + r with |r| <= log(2) / 2."""
    shift = number(1.5 * 2.0**number.mantissa)  # added and taken away it leaves the nearest whole number
    n = b.fsub(b.fadd(b.fmul(x, number(1 / math.log(2))), shift), shift)
    first, second = _log_of_2(number)
    r = b.fsub(b.fsub(x, b.fmul(n, number(first))), b.fmul(n, number(second)))
    terms = 7 if number.bits == 32 else 13
    series = number(1 / math.factorial(terms))
    for k in range(terms - 1, 1, -1):
        series = b.fadd(b.fmul(series, r), number(1 / math.factorial(k)))
    return b.fptosi(n, number.integer), b.fadd(b.fmul(b.fmul(series, r), r), r)


@intrinsic
def logistic(context: Any, x: Any) -> Any:
    """1 / (1 + e^-x)."""
    return _function(x, _logistic)


def _logistic(b: ir.IRBuilder, number: Number, x: Any) -> Any:
    """1 / (1 + e) or, below 0, e / (1 + e), with e = e^-|x|, which does not overflow."""
    e = _exponential(b, number, b.fneg(size(b, number, x)))
    return b.fdiv(b.select(b.fcmp_ordered("<", x, number(0.0)), e, number(1.0)), b.fadd(e, number(1.0)))


@intrinsic
def hyperbolic_tangent(context: Any, x: Any) -> Any:
    """tanh(x)."""
    return _function(x, _hyperbolic_tangent)


def _hyperbolic_tangent(b: ir.IRBuilder, number: Number, x: Any) -> Any:
    """e / (e + 2) with e = e^(2 |x|) - 1, and x's sign. `most` stands for all above it, where that is 1 in any case."""
    most = number((number.mantissa + 3) / 2)
    height = size(b, number, x)
    held = b.select(b.fcmp_ordered("<", height, most), height, most)
    whole, more = _reduced(b, number, b.fmul(held, number(2.0)))
    power = _power_of_2(b, number, whole)
    e = b.fadd(b.fmul(power, more), b.fsub(power, number(1.0)))
    found = b.bitcast(b.fdiv(e, b.fadd(e, number(2.0))), number.integer)
    sign = b.and_(b.bitcast(x, number.integer), number.whole(1 << (number.bits - 1)))
    return b.select(b.fcmp_unordered("uno", x, x), x, b.bitcast(b.or_(found, sign), number.type))


def size(b: ir.IRBuilder, number: Number, x: Any) -> Any:
    """|x|."""
    return b.call(b.module.declare_intrinsic("llvm.fabs", [number.type]), [x])


def _log_of_2(number: Number) -> tuple[float, float]:
    """log(2) as the sum of a number with so few bits that its products with n are exact, and a small one."""
    scale = 2.0 ** (number.mantissa - 12)
    first = math.floor(math.log(2) * scale) / scale
    rest = {32: math.log(2) - first, 64: float(np.longdouble("0.693147180559945309417232121458176568") - np.longdouble(first))}
    return first, rest[number.bits]


def _power_of_2(b: ir.IRBuilder, number: Number, n: Any) -> Any:
    return b.bitcast(b.shl(b.add(n, number.whole(number.bias)), number.whole(number.mantissa)), number.type)
