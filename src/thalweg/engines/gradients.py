"""Addresses of a step's gradients, checked and read for all tensors at once.

Asking NumPy for an array's address takes a microsecond, and a model has hundreds of arrays. The fields of NumPy's array
object are public and fixed (`PyArrayObject_fields`), as are those of Python's list, so a compiled loop reads them instead. A
test once per process checks that it reads them right; if it does not, each array is asked.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.engines import native

APART = """\
        low, high = 0, taken
        while low < high:
            middle = (low + high) // 2
            if ranges[2 * middle] < data + size:
                low = middle + 1
            else:
                high = middle
        if low > 0 and ranges[2 * low - 1] > data:
            return 0
"""
"""Lines of a loop over arrays: none may overlap one of the sorted ranges, begin and end, of which there are `taken`."""

READER = f"""
from numba import cfunc, types

from thalweg.engines.words import peek, poke

POINTER = types.CPointer(types.int64)


@cfunc(types.int64(types.int64, POINTER, POINTER, POINTER))
def step(gradients, wanted, axes, ranges):
    arrays = peek(gradients + 24)
    array_type, count, addresses, stride, taken = axes[0], axes[1], axes[2], axes[3], axes[4]
    if peek(gradients + 16) != count:
        return 0
    for k in range(count):
        array = peek(arrays + 8 * k)
        dtype, dimensions, axis, size = wanted[4 * k], wanted[4 * k + 1], wanted[4 * k + 2], wanted[4 * k + 3]
        fits = peek(array + 8) == array_type and peek(array + 56) == dtype
        fits = fits and peek(array + 24) & 0xFFFFFFFF == dimensions and peek(array + 64) & 0x100 != 0
        if not fits:
            return 0
        shape, strides, data = peek(array + 32), peek(array + 40), peek(array + 16)
        for d in range(dimensions):
            if peek(shape + 8 * d) != axes[axis + d] or peek(strides + 8 * d) != axes[axis + dimensions + d]:
                return 0
{APART}        poke(addresses + stride * k, data)
    return 1
"""


class Gradients:
    """Looks up gradients that have the layout of `like` and overlap none of the address ranges in `taken`.

    table: the integer array whose column receives the addresses.
    """

    def __init__(
        self,
        like: Sequence[npt.NDArray[Any]],
        taken: npt.NDArray[np.int64],
        table: npt.NDArray[np.int64],
        read: native.Step | None,
    ) -> None:
        axes = [id(np.ndarray), len(like), address(table), table.strides[0], len(taken)]
        wanted = []
        for array in like:
            wanted.append((id(array.dtype), array.ndim, len(axes), array.nbytes))
            axes += [*array.shape, *array.strides]
        self.wanted, self.axes, self.taken, self.table = np.array(wanted, np.int64), np.array(axes, np.int64), taken, table
        self.dtypes = [array.dtype for array in like]  # keeps them alive, since their addresses are compared
        self.read = read
        self.rest = address(self.wanted), address(self.axes), address(taken)

    def look_up(self, gradients: list[Any]) -> bool:
        """Write the gradients' addresses into the table; False if a gradient needs a closer check."""
        return self.read is not None and self.read(id(gradients), *self.rest) == 1


def address(array: npt.NDArray[Any]) -> int:
    """Return the address of an array's data."""
    found: int = array.__array_interface__["data"][0]
    return found


def ranges(arrays: Iterable[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Return the first and last address of each array, sorted, with overlapping ranges merged."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(np.lib.array_utils.byte_bounds(a) for a in arrays if a.nbytes):
        if found and low < found[-1][1]:
            low, before = found.pop()
            high = max(high, before)
        found.append((low, high))
    return np.array(found, np.int64).reshape(-1, 2)


def overlaps(array: npt.NDArray[Any], taken: npt.NDArray[np.int64]) -> bool:
    """Whether an array overlaps one of the ranges."""
    low, high = np.lib.array_utils.byte_bounds(array)
    return bool(((taken[:, 0] < high) & (taken[:, 1] > low)).any()) if array.size else False


def strides(array: npt.NDArray[Any]) -> tuple[int, ...]:
    """Return the strides in elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


def lies_flat(array: npt.NDArray[Any], lanes: int | None) -> bool:
    """Whether a kernel can process the array as one contiguous range."""
    if array.size == 0 or not array.flags.aligned:
        return array.size == 0
    if lanes is not None:
        return array.flags.c_contiguous
    size = array.itemsize
    for stride, length in sorted((s, n) for s, n in zip(array.strides, array.shape, strict=True) if n != 1):
        if stride != size:
            return False
        size *= length
    return True


@functools.cache
def reader() -> native.Step | None:
    """Return the compiled loop if it reads this Python's and this NumPy's arrays correctly."""
    read = native.compiled(READER, "gradients", holds_gil=True)
    return read if _reads_right(read) else None


def _reads_right(read: native.Step) -> bool:
    like, good, table = np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32), np.zeros((2, 3), np.int64)
    probe = Gradients([like, like], ranges([]), table[:, 1], read)
    if not probe.look_up([good, like]) or table[:, 1].tolist() != [address(good), address(like)]:
        return False
    wide = np.zeros((2, 6), np.float32)
    wrong = [like.astype(np.float64), like.T, wide[:, :3], wide[:, ::2], like.reshape(3, 2), like.ravel(), None, 1.0]
    return not any(probe.look_up([good, bad]) for bad in wrong) and not probe.look_up([good])
