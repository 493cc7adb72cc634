"""Types and checks shared by all of `thalweg.nn`.

Internally every data array has two leading axes, (lanes, batch, ...); a call without lanes is a call with one lane. So
lane i of a sweep equals the separate run i. An array that all lanes share has a first axis of 1 and is broadcast, never
copied.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Params: TypeAlias = dict[str, dict[str, Array]]
Rng: TypeAlias = np.random.Generator | np.random.RandomState
Seed: TypeAlias = int | np.integer[Any] | Rng
Seeds: TypeAlias = Seed | Sequence[Seed]
Draw: TypeAlias = Callable[[Shape], Array]
"""shape -> uniform numbers in [0, 1) of shape (lanes or 1, *shape)"""


def rng_of(seed: Seed) -> Rng:
    """The generator of a seed. A generator is returned as it is, in its current state.

    Raises
    ------
    TypeError
        For anything but a non-negative integer, a `numpy.random.Generator` or a `numpy.random.RandomState`.
    """
    if isinstance(seed, np.random.Generator | np.random.RandomState):
        return seed
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool) and seed >= 0:
        return np.random.default_rng(int(seed))
    raise TypeError(f"seed={seed!r}: a seed is an integer of at least 0, a numpy.random.Generator or a numpy.random.RandomState")


def is_many(seed: Seeds | None) -> bool:
    """Whether seed holds one seed per lane (a list, a tuple or an array) rather than one for all."""
    return isinstance(seed, list | tuple | np.ndarray)


def draw_of(seed: Seeds, lanes: int | None) -> Draw:
    """The source of uniform numbers for a training pass, from one seed for all lanes or one per lane."""
    rngs: list[Rng]
    if is_many(seed):
        many = list(seed)  # type: ignore[arg-type]
        if len(many) != (lanes or 1):
            raise ValueError(f"seed has {len(many)} entries, but there are {lanes or 1} lanes: give one seed, or one a lane")
        rngs = [rng_of(one) for one in many]
    else:
        rngs = [rng_of(seed)]  # type: ignore[arg-type]
    return lambda shape: np.stack([rng.random(shape) for rng in rngs])


def pair(value: int | tuple[int, int], name: str, least: int) -> tuple[int, int]:
    """`3` -> (3, 3); a pair is returned as it is. Anything else, or a number below `least`, raises an error with the name."""
    both = (value, value) if isinstance(value, int) else tuple(value)
    if len(both) != 2 or not all(isinstance(v, int) and not isinstance(v, bool) and v >= least for v in both):
        raise ValueError(
            f"{name}={value!r}: want one integer or a pair of integers of at least {least}, for example {name}=3 or {name}=(3, 3)"
        )
    return both


def positive(value: int, name: str) -> None:
    """Raises ValueError unless value is an integer of at least 1."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r}: want an integer of at least 1")


def folded(a: Array) -> Array:
    """(lanes, batch, *places, n) -> (lanes, batch * places, n)."""
    return a.reshape((len(a), -1, a.shape[-1]))


def sum_but_lanes(a: Array) -> Array:
    """(lanes, ...) -> (lanes,), in the dtype of a."""
    total: Array = a.reshape((a.shape[0], -1)).sum(axis=1)
    return total


def sum_over_batch(a: Array) -> Array:
    """(lanes, batch, n) -> (lanes, n). As a matrix product: NumPy's sum over a middle axis takes six times as long."""
    ones = np.ones((1, a.shape[1]), a.dtype)
    total: Array = np.matmul(ones, a)[:, 0]
    return total
