"""Element-wise words. Each word in `__all__` is thereby known to rules, kernels and formulas."""

from __future__ import annotations

import numpy as np

from thalweg.ops.calling import X, call
from thalweg.ops.word import Spelling, word
from thalweg.values.symbols import NUMBER, Symbol

__all__ = [
    "arctan2", "clip", "cos", "debias", "every_kth", "exp", "floor", "log", "maximum", "minimum", "mix", "off", "ratio",
    "sigmoid", "sign", "sqrt", "tanh", "where",
]  # fmt: skip


@word(latex=r"\sqrt{{{0}}}", plain="√")
def sqrt(x: X) -> X:
    """Square root, element-wise."""
    return call("sqrt", x)


@word(loop=Spelling("exponential({0})", 9), latex="e^{{{0}}}")
def exp(x: X) -> X:
    """e to the x, element-wise."""
    return call("exp", x)


@word(latex=r"\log")
def log(x: X) -> X:
    """Natural logarithm, element-wise."""
    return call("log", x)


@word(latex=r"\cos")
def cos(x: X) -> X:
    """Cosine, element-wise."""
    return call("cos", x)


@word(loop=Spelling("angle({0}, {1})", 9), triton=Spelling("", 9), latex=r"\operatorname{atan2}", plain="atan2")
def arctan2(y: X, x: X) -> X:
    """The angle of the point (x, y), element-wise: the arc tangent of y / x for x > 0, and 0 for the origin."""
    return call("arctan2", y, x)


@word(loop=Spelling("hyperbolic_tangent({0})", 9), triton=Spelling("2 * tl.sigmoid(2 * {0}) - 1", 5, of=7), latex=r"\tanh")
def tanh(x: X) -> X:
    """Hyperbolic tangent, element-wise."""
    return call("tanh", x)


@word(
    host=lambda x: 0.5 * np.tanh(0.5 * x) + 0.5,
    loop=Spelling("logistic({0})", 9),
)
def sigmoid(x: X) -> X:
    """1 / (1 + e^-x), element-wise, computed with tanh, which cannot overflow."""
    if isinstance(x, Symbol):
        return Symbol.of("sigmoid", x)
    return 0.5 * tanh(0.5 * x) + 0.5


@word()
def floor(x: X) -> X:
    """The largest whole number not above x, element-wise."""
    return call("floor", x)


@word(
    loop=Spelling(
        "{0} if {0} != {0} else (number(1.0) if {0} > number(0.0) else (number(-1.0) if {0} < number(0.0) else number(0.0)))",
        1,
    ),
    triton=Spelling("sign({0})", 9),
)
def sign(x: X) -> X:
    """-1, 0 or 1, element-wise."""
    return call("sign", x)


@word(
    loop=Spelling("{0} if ({0} >= {1}) | ({0} != {0}) else {1}", 1),
    triton=Spelling("maximum({0}, {1})", 9),
    latex=r"\max",
    plain="max",
)
def maximum(a: X, b: X) -> X:
    """The larger of the two, element-wise."""
    return call("maximum", a, b)


@word(
    loop=Spelling("{0} if ({0} <= {1}) | ({0} != {0}) else {1}", 1),
    triton=Spelling("minimum({0}, {1})", 9),
    latex=r"\min",
    plain="min",
)
def minimum(a: X, b: X) -> X:
    """The smaller of the two, element-wise."""
    return call("minimum", a, b)


@word(host=lambda x, low, high: np.minimum(np.maximum(x, low), high))
def clip(x: X, low: X, high: X) -> X:
    """x kept within [low, high], element-wise."""
    if any(isinstance(a, Symbol) for a in (x, low, high)):
        return Symbol.of("clip", x, low, high)
    return minimum(maximum(x, low), high)


def _level(x: X) -> int:
    return x.level if isinstance(x, Symbol) else NUMBER


@word(host=lambda condition, a, b: a if condition else b, loop=Spelling("{1} if {0} else {2}", 1, of=3))
def where(condition: X, a: X, b: X) -> X:
    """a where the condition holds, b elsewhere: the only branch on data in a rule.

    Raises TypeError for two numbers with a tensor condition, since the result would have no dtype.
    """
    if isinstance(condition, Symbol) and condition.level > NUMBER and max(_level(a), _level(b)) == NUMBER:
        choice = f"where({condition!r}, {a!r}, {b!r})"
        raise TypeError(f"{choice} chooses between numbers for a tensor; give it two tensors, as in where(g > 0, 2 * g, g)")
    if isinstance(condition, bool | np.bool_):
        return a if condition else b
    return call("where", condition, a, b)


@word(host=lambda a, b: 0.0 if b == 0 else a / b, loop=Spelling("number(0.0) if {1} == number(0.0) else {0} / {1}", 1))
def ratio(a: X, b: X) -> X:
    """a / b, and 0 where b is 0: the convention 0/0 = 0 of rules that have no epsilon."""
    if isinstance(a, Symbol) or isinstance(b, Symbol):
        return Symbol.of("ratio", a, b)
    zero = b == 0
    return where(zero, 0.0, a / where(zero, 1.0, b))


def mix(m: X, x: X, beta: X) -> X:
    """One step of an exponential moving average: beta m + (1 - beta) x."""
    return beta * m + (1 - beta) * x


def debias(m: X, beta: X, t: X) -> X:
    """Bias correction of an average with initial value zero: m / (1 - beta^t)."""
    return m / (1 - beta**t)


def every_kth(t: X, k: X) -> X:
    """Whether the t-th update is the first, (k + 1)-th, (2k + 1)-th, ...

    The quotient is shifted by half an update. It is then never near a whole number, so that neither rounding nor a compiler's
    reciprocal can change the result while float32 can count.
    """
    return t - 1 - k * floor((t - 0.5) / k) == 0


def off(x: X) -> bool:
    """True for a plain 0 only, so that a configuration can drop work and memory. A schedule, a lane or a tracer is never off."""
    return isinstance(x, int | float) and x == 0
