"""Storage of numbers between steps in few bytes, for any rule: parameters rounded so that small steps are not lost, state in
a half or a quarter of its bytes. A rule's function never sees the storage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from thalweg.ops import X, floor, maximum, minimum, ratio, sign, sqrt, where
from thalweg.values.symbols import TENSOR, Symbol

BLOCK = 256
"""Number of int8 codes that share a scale."""
FINEST = 127
ROUNDINGS = ("nearest", "stochastic", "kahan", "master")
STATE_DTYPES = ("own", "float32", "bfloat16", "int8")


@dataclass(frozen=True)
class Storage:
    """How parameters and state are stored.

    rounding: how a new parameter is rounded to a narrow dtype. "nearest" loses changes below half a unit in the last place.
    "stochastic" rounds up with the probability of the lost part, so that it is unbiased. "kahan" stores the lost part beside
    the parameter, in the same dtype. "master" stores the parameter in float32 and rounds a copy.
    state_dtype: the dtype of a rule's memory of gradients. "own" is the parameter's. "int8" is a code per number and a float32
    scale per 256 (Dettmers et al. 2022, arXiv 2110.02861, block-wise; the code differs, see `encoded`). Dtypes narrower than the
    arithmetic round stochastically, since an average that moves by less than a unit per step would otherwise never move. Memory
    of parameters, such as their average, is then float32. Raises ValueError for other words.
    """

    rounding: str = "nearest"
    state_dtype: str = "own"

    def __post_init__(self) -> None:
        for name, allowed in (("rounding", ROUNDINGS), ("state_dtype", STATE_DTYPES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r} is none of {', '.join(map(repr, allowed))}")

    def beside(self, dtype: str) -> Storage:
        """Return what applies to parameters of this dtype: float32 and float64 need no rounding.

        Raises ValueError if the dtype does not allow this storage.
        """
        if self.rounding == "stochastic" and dtype == "float16":
            raise ValueError('rounding="stochastic" is for bfloat16; for float16 write "kahan" or "master"')
        if dtype == "float64" and self.state_dtype != "own":
            raise ValueError(f'beside float64 parameters the state is float64; leave out state_dtype="{self.state_dtype}"')
        return self if dtype in ("float16", "bfloat16") else replace(self, rounding="nearest")


# int8: sign and fourth root of each number's ratio to the largest in its block


def decoded(code: X, scale: X) -> X:
    """Return the number for a code from -127 to 127: scale * sign(code) * (|code| / 127)^4.

    Fourth powers range from 1 to 4e-9, as squared gradients do, with a spacing of 3 % at the top and 12 % at 1e-3.
    """
    share = code * (1 / FINEST)
    return scale * (share * share) * (share * abs(share))


def encoded(x: X, scale: X, u: X) -> X:
    """Return one of the two codes around x, whose mean over u in [0, 1) decodes to x; a nonzero x gets a nonzero code.

    scale: at least the largest |x|. If a second moment became 0 beside a nonzero first moment, the step would divide by 0.
    """
    root = minimum(FINEST * sqrt(sqrt(abs(x) * ratio(1.0, scale))), float(FINEST))
    low = floor(root)
    low4, root4, high4 = (fourth_power(value) for value in (low, root, low + 1))
    code = where(u * (high4 - low4) < root4 - low4, low + 1, low)
    return sign(x) * maximum(code, 1.0)


def fourth_power(x: X) -> X:
    """x^4."""
    return x * x * (x * x)


# words of storage, as symbols; each engine implements them


def largest_of_block(x: Symbol) -> Symbol:
    """The largest |x| in each block of 256 adjacent numbers."""
    return Symbol("largest_of_block", (x,), TENSOR)


def dithered(x: Symbol, u: Symbol) -> Symbol:
    """One of the two bfloat16 around x, with mean x over u in [0, 1)."""
    return Symbol("dithered", (x, u), TENSOR)


def rounded(x: Symbol, dtype: str) -> Symbol:
    """The nearest number of the dtype."""
    return Symbol(f"rounded_{dtype}", (x,), TENSOR)


def master_of(p: Symbol, master: Symbol, dtype: str) -> Any:
    """The parameter in float32: its master, except where p is no longer the master's rounded copy because it was written."""
    return where(rounded(master, dtype) == p, master, p)


def with_lost(p: Symbol, lost: Symbol, dtype: str) -> Any:
    """The parameter with what rounding lost, except where p was written since, so that this is more than rounding can lose.

    Compared is a little less of it, since all of it may be a tie, which rounds to an even number.
    """
    return where(rounded(p + (1 - 2.0**-11) * lost, dtype) == p, p + lost, p)


def scale_name(slot: str) -> str:
    """Return the name of an int8 slot's scales."""
    return f"{slot}_scale"
