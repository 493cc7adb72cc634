"""What a grid's matrices have one number for each row or column of: memory, what passes found, what is made of both.

All of it stays on the device. Tensors of one shape are computed together, as lanes of one array.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from thalweg import ops
from thalweg.engines.drawn import Drawn
from thalweg.engines.kernel import Kernel
from thalweg.engines.lines import SIZES
from thalweg.engines.passes.host import Host
from thalweg.engines.passes.margins import shape_of
from thalweg.engines.triton.passes import Job, Pass, Sort, write
from thalweg.engines.triton.reductions import EVEN, TALL, WIDE
from thalweg.form.memory import COLS, ROWS
from thalweg.graph.margins import Reduction
from thalweg.graph.program import NotTraced

Tensor = torch.Tensor
Shape = tuple[int, ...]
Addresses = np.ndarray[Any, np.dtype[np.int64]]

BLOCKS = 16
"""Times that a job computes `TALL` rows: a block is as tall as wide, and a hundredth of it goes into results."""
FEWEST = 64
"""Elements of a matrix for which a job of its own is worth while."""


@dataclass
class Together:
    """The tensors of one shape, and what is known of them in a step: tensors whose first axis counts them."""

    shape: Shape
    members: list[int]
    index: Tensor
    found: dict[str, Tensor] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)
    read: dict[str, Tensor] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.members)

    def of(self, number: Any) -> Any:
        """Return a number of the grid's tensors in a form that broadcasts against these."""
        if not isinstance(number, Tensor) or not number.ndim:
            return number
        return number[self.index].reshape(-1, *[1] * len(self.shape))


class Margins:
    """The margins of a grid's tensors. memory: the state's tensors by name, one per parameter; table: the addresses.

    Raises NotTraced if the matrices are too small.
    """

    def __init__(self, made: Drawn, params: Sequence[Tensor], memory: dict[str, list[Tensor]], table: Addresses) -> None:
        self.made, self.table, self.device = made, table, params[0].device
        self.memory = {name: memory[name] for name in made.program.margins}
        self.dtype = torch.float64 if params[0].dtype is torch.float64 else torch.float32
        by_shape: dict[Shape, list[int]] = {}
        for k, p in enumerate(params):
            by_shape.setdefault(tuple(p.shape), []).append(k)
        self.together = [Together(shape, members, torch.tensor(members).to(self.device)) for shape, members in by_shape.items()]
        names = made.kernel.columns
        self.columns = {name: k for k, name in enumerate(names)}
        for own in self.together if made.cut.by_row else ():
            matrices, down, across = _matrices(own.shape)
            if matrices > 1 and 0 < down * across < FEWEST:
                raise NotTraced(f"matrices of fewer than {FEWEST} elements, each of which would be a job")
            table[np.ix_(own.members, [self.columns[size] for size in SIZES])] = across, down
            for each in made.cut.margins:
                for one in each:
                    if not one.is_memory:
                        *first, rows, cols = shape_of(own.shape)
                        shape = (*first, 1, cols) if one.kind == COLS else (*first, rows, 1)
                        own.read[one.name] = _room(own.count, shape, self.dtype, self.device)
                        self.place(one.name, own.members, own.read[one.name])

    def place(self, name: str, members: Sequence[int], tensors: Tensor) -> None:
        """Write the addresses of the members' tensors, stacked, into the table."""
        self.table[members, self.columns[name]] = [x.data_ptr() for x in tensors]

    def begin(self) -> None:
        """Forget what an earlier step found, and widen the memory."""
        for own in self.together:
            own.new = {}
            own.found = {name: self._memory(own, name).to(self.dtype) for name in self.memory}
            if self.made.cut.like is not None:
                like = torch.zeros((), dtype=self.dtype, device=self.device)
                own.found[self.made.cut.like] = like.expand(own.count, *own.shape)

    def _memory(self, own: Together, name: str) -> Tensor:
        return torch.stack([self.memory[name][k] for k in own.members])

    def reckon(self, depth: int, number: Callable[[str], Any]) -> None:
        """Compute what the pass of this depth reads, and the memory that is known by then. number: of the grid's, by name."""
        host = self.made.hosts[depth]
        if host.margins:
            with ops.lanes(True):
                for own in self.together:
                    self._reckon(host, own, number)

    def _reckon(self, host: Host, own: Together, number: Callable[[str], Any]) -> None:
        arguments = [own.found[name] if name in own.found else own.of(number(name)) for name in host.needs]
        for one, value in zip(host.margins, host.compute(*arguments), strict=True):
            if one.is_memory:
                own.new[one.name] = value
            else:
                write(own.read[one.name], value)

    def keep(self) -> None:
        """Write the new memory."""
        for own in self.together:
            for name, value in own.new.items():
                into = [self.memory[name][k] for k in own.members]
                whole = torch.empty((own.count, *into[0].shape), dtype=self.dtype, device=self.device)
                write(whole, value)
                torch._foreach_copy_(into, list(whole.unbind()))


class Reducing(Pass):
    """A pass that reduces the matrices of a grid to rows and columns."""

    def __init__(self, kernel: Kernel, reductions: Sequence[Reduction], dtype: str, margins: Margins) -> None:
        self.reductions, self.together = reductions, margins.together
        self.parts: list[list[Tensor]] = []
        super().__init__(kernel, dtype, [0] * len(margins.table), margins.device)
        wide = {ROWS: torch.float64, COLS: self.numbers.dtype}
        for own in self.together:
            matrices, down, across = _matrices(own.shape)
            rows, cols = (_tiles(across), matrices * down), (matrices, _blocks(down), across)
            shapes = {ROWS: rows, COLS: cols}
            parts = [_room(own.count, shapes[one.along], wide[one.along], margins.device) for one in reductions]
            self.parts.append(parts)
            for one, part in zip(reductions, parts, strict=True):
                margins.place(one.name, own.members, part)

    def _jobs(self, sizes: Sequence[int]) -> Iterator[tuple[Sort, Job]]:
        for own in self.together:
            matrices, down, across = _matrices(own.shape)
            blocks, tall = _blocks(down), BLOCKS * TALL
            sort = Sort(BLOCKS, part=across % EVEN != 0)
            tiles = range(0, across if down else 0, WIDE)
            for k, m, block, (tile, column) in itertools.product(own.members, range(matrices), range(blocks), enumerate(tiles)):
                lines = m * down + block * tall, m * down + min((block + 1) * tall, down)
                columns = column, min(column + WIDE, across)
                yield sort, (k, *lines, *columns, tile * matrices * down, (m * blocks + block) * across)

    def run(self, table: Tensor, aligned: int) -> None:
        """Reduce all matrices, and join the results of their blocks."""
        self.launch(table, aligned)
        for own, parts in zip(self.together, self.parts, strict=True):
            for one, part in zip(self.reductions, parts, strict=True):
                own.found[one.name] = self._joined(own, one, part)

    def _joined(self, own: Together, one: Reduction, part: Tensor) -> Tensor:
        *first, down, across = shape_of(own.shape)
        axis, shape, count = (1, (down, 1), across) if one.along == ROWS else (2, (1, across), down)
        if one.word == "max":
            value = part.amax(axis).to(self.numbers.dtype)
        else:
            value = part.sum(axis, dtype=torch.float64).to(self.numbers.dtype) / max(count, 1)
        return value.reshape(own.count, *first, *shape)


def _room(count: int, shape: Shape, dtype: torch.dtype, device: Any) -> Tensor:
    """Return zeros of the shape (count, ...), each of the `count` at an address that is a multiple of 64 bytes or more."""
    size = math.prod(shape)
    whole = torch.zeros((count, -(-size // 16) * 16), dtype=dtype, device=device)
    return whole[:, :size].view(count, *shape)


def _matrices(shape: Shape) -> tuple[int, int, int]:
    """Return the number of matrices of a tensor, and their rows and columns."""
    *first, down, across = shape_of(shape)
    return math.prod(first), down, across


def _blocks(down: int) -> int:
    """Return the number of blocks in a column: one of an empty one, too."""
    return max(1, -(-down // (BLOCKS * TALL)))


def _tiles(across: int) -> int:
    return max(1, -(-across // WIDE))
