"""The angle of a point as arithmetic, which the compiler vectorizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba.extending import intrinsic

from thalweg.engines.words.functions import NUMBERS, Number, size

SERIES = {
    32: (-0.33333331760434556, 0.19999540314957969, -0.14263949753605724, 0.10743668324830098, -0.06451718869358959),
    64: (
        -0.33333333333333330, 0.19999999999995517, -0.14285714284665681, 0.11111111015187019, -0.09090904575306489,
        0.07692183125376892, -0.06664510525508937, 0.05858140904866328, -0.05085407834589484, 0.0392304477847931,
        -0.01917540471110493,
    ),
}  # fmt: skip
"""Minimax polynomials in t^2: (arctan(t) / t - 1) / t^2 for t up to tan(pi / 8), to 3e-9 and 6e-18 of arctan(t)."""
EIGHTH = math.tan(math.pi / 8)
AFTER_PI = {32: math.pi - float(np.float32(math.pi)), 64: 1.2246467991473532e-16}
"""pi less the nearest number."""


@intrinsic
def angle(context: Any, y: Any, x: Any) -> Any:
    """The angle of the point (x, y), as C's atan2 defines it, right to a unit in the last place or two."""
    number = NUMBERS[x]
    return x(x, x), lambda context, builder, signature, arguments: _angle(builder, number, *arguments)


def _angle(b: ir.IRBuilder, number: Number, y: Any, x: Any) -> Any:
    """That of (|x|, |y|) is the one below pi / 4 of (larger, smaller) or, where |y| is larger, pi / 2 less that one."""
    height, width = size(b, number, y), size(b, number, x)
    steep = b.fcmp_ordered(">", height, width)
    found = _flat(b, number, b.select(steep, width, height), b.select(steep, height, width))
    found = b.select(steep, _from(b, number, 0.5, found), found)
    behind = b.icmp_signed("<", b.bitcast(x, number.integer), number.whole(0))  # -0 too
    found = b.select(behind, _from(b, number, 1.0, found), found)
    sign = b.and_(b.bitcast(y, number.integer), number.whole(1 << (number.bits - 1)))
    signed = b.bitcast(b.or_(b.bitcast(found, number.integer), sign), number.type)
    return b.select(b.fcmp_unordered("uno", x, y), b.fadd(x, y), signed)


def _flat(b: ir.IRBuilder, number: Number, low: Any, high: Any) -> Any:
    """arctan(t) with t = low / high or, where that is above tan(pi / 8), pi / 4 + arctan((low - high) / (low + high)).

    Large numbers are made smaller, so that their sum is finite, and subnormal ones normal. Two infinities are like any two equal
    numbers."""
    infinite = b.fcmp_ordered("==", low, number(math.inf))
    low, high = b.select(infinite, number(1.0), low), b.select(infinite, number(1.0), high)
    scale = b.select(b.fcmp_ordered(">", high, number(2.0 ** (number.bias - 2))), number(0.25), number(1.0))
    up = number.mantissa + 4
    scale = b.select(b.fcmp_ordered("<", high, number(2.0 ** (up - number.bias))), number(2.0**up), scale)
    low, high = b.fmul(low, scale), b.fmul(high, scale)
    above = b.fcmp_ordered(">", low, b.fmul(high, number(EIGHTH)))
    t = b.fdiv(b.select(above, b.fsub(low, high), low), b.select(above, b.fadd(low, high), high))
    t = b.select(b.fcmp_unordered("uno", t, t), number(0.0), t)  # of the origin
    square, (*others, series) = b.fmul(t, t), map(number, SERIES[number.bits])
    for term in reversed(others):
        series = b.fadd(b.fmul(series, square), term)
    more = b.fadd(b.fmul(t, b.fmul(square, series)), b.select(above, number(AFTER_PI[number.bits] / 4), number(0.0)))
    return b.fadd(b.fadd(t, more), b.select(above, number(math.pi / 4), number(0.0)))


def _from(b: ir.IRBuilder, number: Number, share: float, x: Any) -> Any:
    """A share of pi less x."""
    return b.fadd(b.fsub(number(share * math.pi), x), number(share * AFTER_PI[number.bits]))
