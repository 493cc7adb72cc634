"""Element-wise words."""

from __future__ import annotations

import numpy as np

from thalweg.ops.calling import X, call
from thalweg.values.symbols import NUMBER, Symbol


def sqrt(x: X) -> X:
    """Square root, element-wise."""
    return call("sqrt", x)


def exp(x: X) -> X:
    """e to the x, element-wise."""
    return call("exp", x)


def log(x: X) -> X:
    """Natural logarithm, element-wise."""
    return call("log", x)


def cos(x: X) -> X:
    """Cosine, element-wise."""
    return call("cos", x)


def tanh(x: X) -> X:
    """Hyperbolic tangent, element-wise."""
    return call("tanh", x)


def sigmoid(x: X) -> X:
    """1 / (1 + e^-x), element-wise; written with tanh, which cannot overflow."""
    if isinstance(x, Symbol):
        return Symbol.of("sigmoid", x)
    return 0.5 * tanh(0.5 * x) + 0.5


def floor(x: X) -> X:
    """The largest whole number that is not above x, element-wise."""
    return call("floor", x)


def sign(x: X) -> X:
    """-1, 0 or 1, element-wise."""
    return call("sign", x)


def maximum(a: X, b: X) -> X:
    """The larger of the two, element-wise."""
    return call("maximum", a, b)


def minimum(a: X, b: X) -> X:
    """The smaller of the two, element-wise."""
    return call("minimum", a, b)


def clip(x: X, low: X, high: X) -> X:
    """x kept within [low, high], element-wise."""
    if any(isinstance(a, Symbol) for a in (x, low, high)):
        return Symbol.of("clip", x, low, high)
    return minimum(maximum(x, low), high)


def _level(x: X) -> int:
    return x.level if isinstance(x, Symbol) else NUMBER


def where(condition: X, a: X, b: X) -> X:
    """a where the condition holds, b elsewhere: the only branch on data a rule has.

    Raises TypeError for two numbers under a tensor's condition: what comes out would have no dtype of its own.
    """
    if isinstance(condition, Symbol) and condition.level > NUMBER and max(_level(a), _level(b)) == NUMBER:
        choice = f"where({condition!r}, {a!r}, {b!r})"
        raise TypeError(f"{choice} chooses between numbers for a tensor; give it two tensors, as in where(g > 0, 2 * g, g)")
    if isinstance(condition, bool | np.bool_):
        return a if condition else b
    return call("where", condition, a, b)


def ratio(a: X, b: X) -> X:
    """a / b, and 0 where b is 0: the convention 0/0 = 0 of rules that have no epsilon."""
    if isinstance(a, Symbol) or isinstance(b, Symbol):
        return Symbol.of("ratio", a, b)
    zero = b == 0
    return where(zero, 0.0, a / where(zero, 1.0, b))


def mix(m: X, x: X, beta: X) -> X:
    """The exponential moving average, one step of it: beta m + (1 - beta) x."""
    return beta * m + (1 - beta) * x


def debias(m: X, beta: X, t: X) -> X:
    """An average that began at zero, corrected for it: m / (1 - beta^t)."""
    return m / (1 - beta**t)


def every_kth(t: X, k: X) -> X:
    """Whether the t-th update is one of the first, the (k + 1)-th, the (2k + 1)-th, ...

    The quotient is taken half an update early: it then is no whole number, nor so near one that rounding, or a compiler's
    reciprocal in place of a division, could make it one while float32 can count.
    """
    return t - 1 - k * floor((t - 0.5) / k) == 0


def off(x: X) -> bool:
    """True for a plain 0 alone: lets a configuration drop work and memory. A schedule, a lane or a tracer is never off."""
    return isinstance(x, int | float) and x == 0
