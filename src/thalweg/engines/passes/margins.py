"""What a launch's matrices have one number for each row or column of: memory, what passes found, what the host makes of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg import ops
from thalweg.engines.addresses import Addresses
from thalweg.engines.bucket import Bucket
from thalweg.engines.drawn import Drawn
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.lines import SIZES
from thalweg.engines.passes.host import Host
from thalweg.form.memory import COLS
from thalweg.graph.margins import WHOLE
from thalweg.graph.program import NotTraced

Floats = npt.NDArray[Any]
Shape = tuple[int, ...]


class Margins:
    """The margins of the tensors of an address table, with lanes as first axis.

    `memory` are the state's arrays by name, one per tensor. dtype: the parameters'. `seen` turns a whole matrix into the array of
    the face whose words take it.
    """

    seen: Callable[[Floats], Any] = staticmethod(np.asarray)

    def __init__(self, made: Drawn, addresses: Addresses, dtype: str) -> None:
        self.hosts, self.like, self.addresses = made.hosts, made.cut.like, addresses
        self.computed, self.lanes = COMPUTED[dtype], addresses.lanes
        self.shapes = [shape_of(work.shape) for work in addresses.work]
        self.whole = [work.shape for work in addresses.work]
        self.stored = {one.name for each in made.cut.passes for one in each.stored}
        self.brief = [*self.stored, *(one.name for own in made.cut.margins for one in own if one.kind == WHOLE)]
        reduced = (one.name for each in made.cut.passes for one in each.reductions)
        self.names = {*made.program.margins, *reduced, *self.stored, self.like}
        self.memory: dict[str, list[Floats]] = {}
        self.found: list[dict[str, Floats]] = [{} for _ in self.shapes]
        self.new: list[dict[str, Any]] = [{} for _ in self.shapes]
        self.places: list[list[int | None]] = []
        if made.cut.by_row:
            for column, axis in zip(SIZES, (-1, -2), strict=True):
                addresses.table[:, addresses.columns[column]] = [shape[axis] for shape in self.shapes]

    def sizes(self, inputs: Mapping[str, str]) -> dict[str, Floats]:
        """Return the matrices' numbers of rows and columns by input, in float64, as Python's numbers are elsewhere.

        inputs: by word. Raises NotTraced if a tensor is no matrix.
        """
        if inputs and any(len(shape) < 2 + (self.lanes is not None) for shape in self.whole):
            raise NotTraced("rows and columns of a vector")
        axes = {name: -2 if word == "rows" else -1 for word, name in inputs.items()}
        return {name: np.array([max(shape[axis], 1) for shape in self.shapes], np.float64) for name, axis in axes.items()}

    def look_up(self, needs: list[str]) -> None:
        """Note where the hosts' numbers are among a bucket's arguments."""
        self.places = [[None if name in self.names else needs.index(name) for name in host.needs] for host in self.hosts]

    def let_go(self) -> None:
        """Keep only the addresses of the state's arrays, for an owner who checks them at each step."""
        for name, arrays in self.memory.items():
            self.memory[name] = [np.asarray(_Place(array)) for array in arrays]

    def begin(self, present: Sequence[int]) -> None:
        """Forget what an earlier step found, and widen the memory of the tensors that step; others' may be gone."""
        self.new = [{} for _ in self.shapes]
        for k in present:
            found = self.found[k]
            found.clear()
            for name, arrays in self.memory.items():
                found[name] = _widened(arrays[k], self.computed)
            if self.like is not None:
                found[self.like] = np.broadcast_to(np.zeros((), self.computed), self.whole[k])

    def take(self, k: int, found: dict[str, Floats]) -> None:
        """Keep what a pass found of the k-th tensor."""
        self.found[k] |= {name: self.seen(array) if name in self.stored else array for name, array in found.items()}

    def forget(self) -> None:
        """Let go the matrices that passes stored: together they are as large as the parameters."""
        if self.stored:
            self.addresses.drop(self.brief)
            for found in self.found:
                found.clear()

    def reckon(self, depth: int, buckets: Sequence[Bucket], members: Sequence[Sequence[int]]) -> None:
        """Compute what the pass of this depth reads, and the memory that is known by then. members: each bucket's tensors."""
        host = self.hosts[depth]
        if not host.margins:
            return
        with np.errstate(all="ignore"), ops.lanes(self.lanes is not None):
            for bucket, own in zip(buckets, members, strict=True):
                for j, k in enumerate(own):
                    self._reckon(host, self.places[depth], bucket, (j, k))

    def _reckon(self, host: Host, places: list[int | None], bucket: Bucket, which: tuple[int, int]) -> None:
        j, k = which
        found, (*first, down, across) = self.found[k], self.shapes[k]
        arguments = [
            found[name] if i is None else self._number(bucket.arguments[i], j, len(self.whole[k]))
            for name, i in zip(host.needs, places, strict=True)
        ]
        for one, value in zip(host.margins, host.compute(*arguments), strict=True):
            if one.is_memory:
                self.new[k][one.name] = value
                continue
            if one.kind == WHOLE:  # in the place of what it was made of, which nobody reads any more
                stored = one.of.args[0].name
                found[stored][...] = value
                self.addresses.hold(one.name, k, self.addresses.held[stored, k])
                continue
            shape = (*first, 1, across) if one.kind == COLS else (*first, down, 1)
            array = np.ascontiguousarray(np.broadcast_to(np.asarray(value, self.computed), shape))
            self.addresses.hold(one.name, k, array)

    def _number(self, value: Any, j: int, axes: int) -> Any:
        """Return a bucket's argument for its j-th tensor, in a form that broadcasts against it."""
        if not isinstance(value, np.ndarray) or not value.ndim:
            return value
        own = value[..., j]
        if own.dtype != self.computed and not own.ndim:  # a size, which is one of Python's numbers elsewhere
            return own.item()
        return own if self.lanes is None else own.reshape(-1, *[1] * (axes - 1))

    def keep(self) -> None:
        """Write the new memory."""
        for k, new in enumerate(self.new):
            for name, value in new.items():
                _store(self.memory[name][k], value)


class _Place:
    """An array's memory without the array."""

    def __init__(self, array: Floats) -> None:
        self.__array_interface__ = {**array.__array_interface__, "strides": array.strides}


def shape_of(shape: Shape) -> Shape:
    """Return a tensor's shape as matrices: of a vector, one row."""
    return (1,) * (2 - len(shape)) + tuple(shape)


def _widened(array: Floats, computed: str) -> Floats:
    """Return the numbers of the state in the dtype of the arithmetic; 16-bit integers are the bits of bfloat16."""
    if array.dtype == np.uint16:
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(computed)


def _store(into: Floats, value: Any) -> None:
    """Write numbers into the state, in its own dtype."""
    value = value.meet(into) if hasattr(value, "meet") else value
    if into.dtype != np.uint16:
        into[...] = value
        return
    wide = np.array(np.broadcast_to(np.asarray(value, np.float32), into.shape))
    bits = wide.view(np.uint32)
    rounded = bits + (((bits >> 16) & 1) + 0x7FFF)
    into[...] = np.where(np.isnan(wide), bits | 0x00400000, rounded) >> 16
