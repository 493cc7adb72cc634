"""Detects changes of parameters and state since a kernel was bound: other objects, or another layout of an array.

Between two steps a user may replace an array, change its layout in place (`w.shape = ...`, `resize`, `setflags`) or swap
whole dicts. Checking one object takes a microsecond, so a compiled loop compares all at once (see `gradients`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import chain
from typing import Any

import numpy as np

from thalweg.engines import native
from thalweg.engines.gradients import address

WRITES = 0x500
"""The array flags ALIGNED and WRITEABLE."""
LOOSE, SAME, LAID = -2, -1, 0
"""May change; must be the same object; must, if it is an array, lie as it did, too."""

WATCHER = f"""
from numba import cfunc, types

from thalweg.engines.words import peek

POINTER = types.CPointer(types.int64)


@cfunc(types.int64(types.int64, POINTER, POINTER, types.int64))
def step(objects, wanted, axes, count):
    found = peek(objects + 24)
    if peek(objects + 16) != count:
        return 0
    for k in range(count):
        own, row = peek(found + 8 * k), 6 * k
        dimensions, axis = wanted[row + 1], wanted[row + 5]
        if dimensions == {LOOSE}:
            continue
        if own != wanted[row]:
            return 0
        if dimensions == {SAME}:
            continue
        if peek(own + 24) & 0xFFFFFFFF != dimensions or peek(own + 64) & {WRITES} != wanted[row + 2]:
            return 0
        if peek(own + 56) != wanted[row + 3] or peek(own + 16) != wanted[row + 4]:
            return 0
        shape, strides = peek(own + 32), peek(own + 40)
        for d in range(dimensions):
            if peek(shape + 8 * d) != axes[axis + d] or peek(strides + 8 * d) != axes[axis + dimensions + d]:
                return 0
    return 1
"""


class Watch:
    """A record of what `views` yield now, for comparison with what they yield later.

    Arrays must be the same objects with the same layout, and so must their bases; their numbers may change, and so may the
    places held by `loose`. A dict must be the same object, with as many entries under the same keys in the same order.
    params: a dict whose keys must stay, too.
    """

    def __init__(
        self, arrays: Iterable[Any], tree: dict[str, Any], loose: Set[tuple[str, ...]], read: native.Step | None,
        params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        keys = list(params or ())
        self.views: list[Iterable[Any]] = [arrays, *([] if params is None else [params])]
        sorts = [LAID] * len(list(arrays)) + [SAME] * len(keys)
        for path, held in _dicts(tree, ()):
            self.views += held.values(), held
            sorts += [LOOSE if (*path, key) in loose else LAID for key in held] + [SAME] * len(held)
        found = list(chain.from_iterable(self.views))
        bases = list({id(base): base for x in found for base in _bases(x)}.values())
        self.views.append(bases)
        self.held = found + bases  # keeps alive every object whose address is compared
        self.dtypes = [x.dtype for x in self.held if isinstance(x, np.ndarray)]
        axes: list[int] = []
        rows = [_row(x, sort, axes) for x, sort in zip(self.held, sorts + [LAID] * len(bases), strict=True)]
        self.wanted, self.axes = np.array(rows, np.int64), np.array(axes or [0], np.int64)
        self.read, self.rest = read, (address(self.wanted), address(self.axes), len(rows))

    def agrees(self) -> bool:
        """Whether everything is unchanged; False if the loop cannot read this Python's objects."""
        if self.read is None:
            return False
        now = list(chain.from_iterable(self.views))  # kept alive while it is read
        return self.read(id(now), *self.rest) == 1


def _dicts(tree: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    yield path, tree
    for key, child in tree.items():
        if isinstance(child, dict) and (*path, key) != ("t",):
            yield from _dicts(child, (*path, key))


def _bases(x: Any) -> Iterator[Any]:
    """Yield the chain of bases of an array view."""
    while isinstance(x, np.ndarray) and isinstance(x.base, np.ndarray):
        x = x.base
        yield x


def _row(x: Any, sort: int, axes: list[int]) -> tuple[int, ...]:
    if sort == LOOSE or (sort == LAID and not isinstance(x, np.ndarray | dict)):
        return 0, LOOSE, 0, 0, 0, 0
    if sort == SAME or not isinstance(x, np.ndarray):
        return id(x), SAME, 0, 0, 0, 0
    flags = WRITES & (0x100 * x.flags.aligned + 0x400 * x.flags.writeable)
    row = id(x), x.ndim, flags, id(x.dtype), address(x), len(axes)
    axes += [*x.shape, *x.strides]
    return row


@functools.cache
def watcher() -> native.Step | None:
    """Return the compiled loop if it reads this Python's and this NumPy's objects correctly."""
    read = native.compiled(WATCHER, "watch", holds_gil=True)
    return read if _watches(read) else None


def _watches(read: native.Step) -> bool:
    def changed(change: Any) -> bool:
        array, tree = np.zeros((2, 3), np.float32), {"m": np.zeros(2), "d": 1.0}
        watch = Watch([array], tree, frozenset(), read)
        before = watch.agrees()
        change(array, tree)
        return before and not watch.agrees()

    changes: Sequence[Any] = (
        lambda array, _: setattr(array, "shape", (3, 2)),
        lambda array, _: setattr(array, "dtype", np.int32),
        lambda array, _: array.setflags(write=False),
        lambda array, _: array.resize((4, 3), refcheck=False),
        lambda _, tree: tree.update(m=np.zeros(2)),
        lambda _, tree: tree.update(x=1.0),
        lambda _, tree: tree.update(e=tree.pop("d")),
    )
    return not changed(lambda _, tree: tree.update(d=2.0)) and all(map(changed, changes))
