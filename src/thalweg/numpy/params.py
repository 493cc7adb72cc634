"""Checks for in-place updates: the parameters must be writable NumPy arrays that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.values.arrays import framework
from thalweg.values.trees import instead

Floats = npt.NDArray[Any]


def check_array(name: str, array: Any) -> None:
    """Raise TypeError for anything but a NumPy array, ValueError for a read-only one."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"parameter '{name}' is a {type(array).__name__}; only NumPy arrays are updated in place{_cure(array)}")
    if not array.flags.writeable:
        raise ValueError(f"parameter '{name}' is read-only, so it cannot be updated; hand over a copy, np.array(...) of it")


def _cure(x: Any) -> str:
    space = framework(x) if hasattr(x, "dtype") else None
    if space is not None and space.name != "numpy":
        return f"; thalweg.{space.name} has optimizers for these"
    return f"; wrap it: numpy.array({x!r}, dtype=float)" if isinstance(x, int | float | np.generic) else instead(x)


def check_apart(names: Sequence[str], arrays: Sequence[Floats]) -> None:
    """Raise ValueError if parameters overlap, or elements of one do: they would move twice."""
    bounds = sorted((np.lib.array_utils.byte_bounds(a), i) for i, a in enumerate(arrays) if a.size)
    for name, array in zip(names, arrays, strict=True):
        if array.size and any(stride == 0 and length > 1 for stride, length in zip(array.strides, array.shape, strict=True)):
            raise ValueError(f"parameter '{name}' is broadcast: its elements share memory; hand over a copy, np.array(...) of it")
    last = 0
    for k in range(1, len(bounds)):
        (_, reach), before = bounds[last]
        (start, end), i = bounds[k]
        if start < reach and np.shares_memory(arrays[i], arrays[before]):
            raise ValueError(f"parameters '{names[before]}' and '{names[i]}' share memory; hand over one of them")
        last = k if end > reach else last
