"""One kernel of a grid, compiled, with its numbers and its list of jobs on the device; and the combining of sums."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch

from thalweg.engines.drawn import numbers_of
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.kernel import Kernel
from thalweg.engines.triton.sums import COMBINE, addends
from thalweg.graph.passes import Sum
from thalweg.values.scalars import Scalar

Tensor = torch.Tensor
Job = tuple[int, ...]

WIDTH = 1024
"""Elements per block: a multiple of those that share a scale."""
BLOCKS = 16
"""Blocks that one job adds up: so few that a large GPU has enough jobs, so many that there are few results to combine."""
WARPS = 4
EXACT = {"enable_fp_fusion": False}
"""A product and a sum are rounded one by one, as on the CPU."""


@cache
def compiled(text: str, name: str) -> Any:
    """Return the function `step` of a kernel module, for Triton to compile. Its source is stored where `inspect` finds it."""
    file = f"<thalweg {name} {hash(text):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"__name__": f"thalweg.kernel.{name}"}
    exec(compile(text, file, "exec"), scope)  # the text comes from this package
    return scope["step"]


class Sort(NamedTuple):
    """What the jobs of one launch have in common: their number of blocks; part: these are not full, or rows begin anywhere."""

    blocks: int
    part: bool = False


FULL, LAST = Sort(1), Sort(1, part=True)


def jobs_of(sizes: Sequence[int], several: int = 1) -> Iterator[tuple[Sort, Job]]:
    """Yield jobs, tensor by tensor: its number, first element and end. several: the blocks of a job, where so many are left."""
    for k, size in enumerate(sizes):
        first = 0
        for sort in dict.fromkeys((Sort(several), FULL)):
            width = sort.blocks * WIDTH
            for start in range(first, size - width + 1, width):
                yield sort, (k, start, start + width)
                first = start + width
        if first < size:
            yield LAST, (k, first, size)


class Pass:
    """A kernel over the tensors of a grid. dtype: the parameters'; sizes: the tensors' numbers of elements."""

    def __init__(self, kernel: Kernel, dtype: str, sizes: Sequence[int], device: Any) -> None:
        self.kernel, self.computed = kernel, COMPUTED[dtype]
        self.reckon = numbers_of(kernel.numbers, dtype)
        self.step = compiled(kernel.text, kernel.title)
        self.numbers = torch.zeros((len(sizes), max(kernel.width, 1)), dtype=getattr(torch, self.computed), device=device)
        self.known: list[float | None] = [None] * kernel.width
        jobs: dict[Sort, list[Job]] = {}
        for sort, job in self._jobs(sizes):
            jobs.setdefault(sort, []).append(job)
        self.jobs = [(torch.tensor(own).to(device), sort) for sort, own in jobs.items()]

    def _jobs(self, sizes: Sequence[int]) -> Iterator[tuple[Sort, Job]]:
        return jobs_of(sizes)

    def fill(self, values: Sequence[Any]) -> None:
        """Write numbers into the table: the host's if they changed, and those of the device, for all tensors or for each."""
        for k, value in enumerate(values):
            if isinstance(value, Tensor):
                self.numbers[:, k], self.known[k] = value, None
            elif (number := float(number_of(value))) != self.known[k]:
                self.numbers[:, k].fill_(number)
                self.known[k] = number

    def forget(self) -> None:
        """Write all numbers anew, as a CUDA graph that holds the step must."""
        self.known = [None] * self.kernel.width

    def launch(self, table: Tensor, aligned: int) -> None:
        """Launch over each sort of jobs; full blocks are accessed in wide words. aligned: what all addresses are multiples of."""
        for jobs, sort in self.jobs:
            self.step[(len(jobs),)](table, self.numbers, jobs, **self._options(aligned, sort))

    def warm(self, table: Tensor, aligned: int) -> None:
        """Compile in advance."""
        for jobs, sort in self.jobs:
            self.step.warmup(table, self.numbers, jobs, **self._options(aligned, sort), grid=(len(jobs),))

    def _options(self, aligned: int, sort: Sort) -> dict[str, Any]:
        return {"WIDTH": WIDTH, "BLOCKS": sort.blocks, "ALIGNED": aligned, "PARTS": sort.part, "num_warps": WARPS, **EXACT}


class Drawing(Pass):
    """A pass that draws random numbers. keys: of each tensor, the seed and the name's hash."""

    def __init__(self, kernel: Kernel, dtype: str, sizes: Sequence[int], device: Any, keys: Sequence[tuple[int, int]]) -> None:
        self.keys = keys
        super().__init__(kernel, dtype, sizes, device)

    def _jobs(self, sizes: Sequence[int]) -> Iterator[tuple[Sort, Job]]:
        for sort, job in jobs_of(sizes):
            yield sort, (*job, *self.keys[job[0]])


class Adding(Pass):
    """A pass that adds up: each job stores a row of sums, and the rows of each tensor are combined."""

    def __init__(self, kernel: Kernel, sums: Sequence[Sum], dtype: str, sizes: Sequence[int], device: Any) -> None:
        super().__init__(kernel, dtype, sizes, device)
        self.sums = sums
        self.columns = addends(sums, self.computed)
        self.totals = torch.zeros((len(sizes), len(self.columns)), dtype=torch.float64, device=device)
        self.spans = torch.tensor(_spans(sizes)).to(device)
        self.combine = compiled(COMBINE, "sums")

    def _jobs(self, sizes: Sequence[int]) -> Iterator[tuple[Sort, Job]]:
        for place, (sort, job) in enumerate(jobs_of(sizes, BLOCKS)):
            yield sort, (*job, place)

    def run(self, table: Tensor, aligned: int, found: Tensor) -> list[Tensor]:
        """Return each sum over each tensor, in float64: (tensor, 1), or the three of a norm. found: room for the jobs' rows."""
        self.launch(table, aligned)
        self.combine[self.totals.shape](found, self.spans, self.totals, **self._combining)
        of = [r for r, _ in self.columns]
        return [self.totals[:, of.index(r) : of.index(r) + of.count(r)] for r in range(len(self.sums))]

    def warm(self, table: Tensor, aligned: int) -> None:
        """Compile in advance."""
        super().warm(table, aligned)
        self.combine.warmup(self.totals, self.spans, self.totals, **self._combining, grid=self.totals.shape)

    @property
    def _combining(self) -> dict[str, int]:
        return {"COUNT": len(self.columns), "WIDTH": WIDTH, "num_warps": WARPS}


def rows_of(sizes: Sequence[int]) -> int:
    """Return the number of rows of sums."""
    return sum(1 for _ in jobs_of(sizes, BLOCKS))


def _spans(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first row of each tensor and the one after its last."""
    ends = list(itertools.accumulate(rows_of([size]) for size in sizes))
    return list(zip([0, *ends[:-1]], ends, strict=True))


def write(into: Tensor, value: Any) -> None:
    """Write a number of the host into a tensor, or one tensor into another. A host's number sent there would be waited for."""
    if isinstance(value, Tensor):
        into.copy_(value)
    else:
        into.fill_(float(number_of(value)))


def number_of(x: Any) -> Any:
    """Return a number of the host as Python's."""
    x = x.values if isinstance(x, Scalar) else x
    return x.item() if hasattr(x, "item") else x
