"""How numbers are kept between steps, in few bytes and whatever the rule: parameters rounded so that small steps are not
lost, state in half or a quarter of its bytes. A rule's function never learns of it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

from thalweg.ops import X, floor, maximum, minimum, ratio, sign, sqrt, where
from thalweg.values.symbols import TENSOR, Symbol

BLOCK = 256
"""How many numbers of an int8 state share a scale."""
FINEST = 127
ROUNDINGS = ("nearest", "stochastic", "kahan", "master")
STATE_DTYPES = ("own", "float32", "bfloat16", "int8")


@dataclass(frozen=True)
class Storage:
    """How parameters and state are kept.

    rounding: how a new parameter becomes one of a narrow dtype. "nearest" forgets what is less than half a unit in the last
    place; "stochastic" rounds up as often as the lost part says, so that it is right on average; "kahan" keeps what was lost
    beside it, in the same dtype; "master" keeps the parameter itself in float32, and rounds a copy.
    state_dtype: what a rule remembers of gradients is kept in: "own" is the parameter's dtype; "int8" is a code for each
    number and a float32 scale for every 256 (Dettmers et al. 2022, arXiv 2110.02861, block-wise; the code is another, see
    `encoded`). What is narrower than the arithmetic is rounded stochastically, for an average that moves by less than a
    unit at each step would otherwise never move. Memory of parameters, like an average of them, is then kept in float32.
    Raises ValueError for other words.
    """

    rounding: str = "nearest"
    state_dtype: str = "own"

    def __post_init__(self) -> None:
        for name, allowed in (("rounding", ROUNDINGS), ("state_dtype", STATE_DTYPES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r} is none of {', '.join(map(repr, allowed))}")

    def beside(self, dtype: str) -> Storage:
        """What applies to parameters of this dtype: float32 and float64 need no rounding.

        Raises ValueError where they cannot be so kept.
        """
        if self.rounding == "stochastic" and dtype == "float16":
            raise ValueError('rounding="stochastic" is for bfloat16; for float16 write "kahan" or "master"')
        if dtype == "float64" and self.state_dtype != "own":
            raise ValueError(f'beside float64 parameters the state is float64; leave out state_dtype="{self.state_dtype}"')
        return self if dtype in ("float16", "bfloat16") else replace(self, rounding="nearest")


# int8: the sign and fourth root of each number's share of the largest in its block


def decoded(code: X, scale: X) -> X:
    """The number that a code from -127 to 127 stands for: scale * sign(code) * (|code| / 127)^4.

    Fourth powers reach from 1 to 4e-9, as squared gradients do, with a spacing of 3 % at the top and 12 % at 1e-3.
    """
    share = code * (1 / FINEST)
    return scale * (share * share) * (share * abs(share))


def encoded(x: X, scale: X, u: X) -> X:
    """One of the two codes around x, so that the mean over u in [0, 1) decodes to x; what is not 0 has a code that is not.

    scale: at least the largest |x|. A second moment of 0 beside a first one that is not would be a division by 0.
    """
    root = minimum(FINEST * sqrt(sqrt(abs(x) * ratio(1.0, scale))), float(FINEST))
    low = floor(root)
    low4, root4, high4 = (fourth_power(value) for value in (low, root, low + 1))
    code = where(u * (high4 - low4) < root4 - low4, low + 1, low)
    return sign(x) * maximum(code, 1.0)


def fourth_power(x: X) -> X:
    """x^4."""
    return x * x * (x * x)


# words of storage, as symbols; the engines say them


def largest_of_block(x: Symbol) -> Symbol:
    """The largest |x| of each 256 numbers that lie together."""
    return Symbol("largest_of_block", (x,), TENSOR)


def uniform(key: Symbol, stream: int) -> Symbol:
    """A number in [0, 1) for each element, from a hash of the key (which changes at each step), the stream and its place."""
    return Symbol("uniform", (key, stream), TENSOR)


def dithered(x: Symbol, u: Symbol) -> Symbol:
    """One of the two bfloat16 around x; x is the mean over u."""
    return Symbol("dithered", (x, u), TENSOR)


def rounded(x: Symbol, dtype: str) -> Symbol:
    """The nearest number of the dtype."""
    return Symbol(f"rounded_{dtype}", (x,), TENSOR)


def key_of(seed: Any, t: Any) -> Any:
    """A step's key: a whole number that float32 holds exactly. t: a number, or a tensor of them."""
    return (zlib.crc32(repr(seed).encode()) + t * 7_919.0) % 2**24


def scale_name(slot: str) -> str:
    """What an int8 slot's scales are called."""
    return f"{slot}_scale"
