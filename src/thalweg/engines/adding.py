"""A pass that adds up, run: sums of each tensor, put together as NumPy would, and of all tensors of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from thalweg.engines import native
from thalweg.engines.drawn import numbers_of
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.gradients import address
from thalweg.engines.kernel import Kernel
from thalweg.graph.passes import Sum
from thalweg.graph.program import NotTraced
from thalweg.values.norms import SCALES
from thalweg.values.scalars import Scalar

if TYPE_CHECKING:
    from thalweg.engines.launch import Launch

Floats = npt.NDArray[Any]
Level = tuple[list[int], list[int], list[int]]
"""Stretches that are put together from two others: the left ones, the right ones, where their sums go."""

STRETCH = 1 << 16
"""Elements in a job, at most."""


class Stretches:
    """Tensors, each of several lanes, halved into jobs as NumPy halves what it adds up."""

    def __init__(self) -> None:
        self.jobs: list[tuple[int, int, int, int]] = []
        self.inner: list[tuple[int, int, int]] = []
        self.roots: list[int] = []
        self.rows: list[int] = []
        self.whose: list[int] = []

    def add(self, k: int, at: int, begin: int, end: int, whose: int) -> None:
        """A lane of the k-th tensor, from one element to another. at: its row of numbers; whose: that of its sums."""
        self.rows.append(at)
        self.whose.append(whose)
        self.roots.append(self._halved(k, at, begin, end)[0] if begin < end else -1)

    def _halved(self, k: int, at: int, begin: int, end: int) -> tuple[int, int]:
        """The place of its sum, and how many times it is halved. Sums of halves lie behind those of jobs: -2, -3, ..."""
        if end - begin <= STRETCH:
            self.jobs.append((k, at, begin, end))
            return len(self.jobs) - 1, 0
        middle = begin + (end - begin) // 16 * 8
        (left, deep), (right, deeper) = self._halved(k, at, begin, middle), self._halved(k, at, middle, end)
        height = 1 + max(deep, deeper)
        self.inner.append((height, left, right))
        return -1 - len(self.inner), height

    def levels(self) -> list[Level]:
        """What is put together, the lowest first."""
        found: dict[int, Level] = {}
        for j, (height, left, right) in enumerate(self.inner):
            lefts, rights, outs = found.setdefault(height, ([], [], []))
            lefts.append(self.place(left))
            rights.append(self.place(right))
            outs.append(self.place(-2 - j))
        return [found[height] for height in sorted(found)]

    def place(self, where: int) -> int:
        """The row of a sum; the last is of tensors without an element."""
        if where >= 0:
            return where
        return len(self.jobs) + len(self.inner) if where == -1 else len(self.jobs) - 2 - where


class Adding:
    """The k-th pass of a launch, which adds up `sums`."""

    def __init__(self, kernel: Kernel, sums: Sequence[Sum], dtype: str, *, plain: bool) -> None:
        self.kernel, self.sums, self.computed = kernel, sums, COMPUTED[dtype]
        self.numbers = numbers_of(kernel.numbers, dtype, plain=plain)
        self.totals = [r for r, each in enumerate(sums) if not each.is_norm]
        self.norms = [r for r, each in enumerate(sums) if each.is_norm]
        self.scales = len(self.norms) if self.computed == "float64" else 0
        self.places: list[int] = []
        native.compiled(kernel.text, kernel.title)  # whatever Numba has against it is said now

    def arrange(self, launch: Launch, rows: int, jobs: Stretches) -> None:
        """Make room for what goes in and comes out. rows: of numbers."""
        self.table = np.ones((rows, self.kernel.width), self.computed)
        self.found = np.zeros((len(jobs.jobs) + len(jobs.inner) + 1, len(self.sums)))
        self.jobs, self.levels = np.array(jobs.jobs, np.int64).reshape(-1, 4), jobs.levels()
        self.roots = np.array([jobs.place(root) for root in jobs.roots], np.int64)
        self.rows, self.whose = np.array(jobs.rows, np.int64), np.array(jobs.whose, np.int64)
        lanes = () if launch.lanes is None else (launch.lanes,)
        self.full = np.zeros((*lanes, len(launch.members), len(self.sums)))
        self.flat = self.full.reshape(-1, len(self.sums))
        self.where = address(launch.addresses), address(self.table), address(self.jobs), len(self.jobs)
        self.out = address(self.found)
        self.step = native.compiled(self.kernel.text, self.kernel.title, holds_gil=launch.quick)

    def run(self, launch: Launch) -> Floats:
        """The sums, of norms those of squares, tensor by tensor: (lane, tensor, sum), or (tensor, sum) without lanes."""
        launch.addresses[:, -1] = self.out
        launch.share(self.step, *self.where)
        if self.levels:
            singles = self.found[:, self.totals].astype(self.computed)
            for left, right, out in self.levels:
                singles[out] = singles[left] + singles[right]
                self.found[out] = self.found[left] + self.found[right]
            self.found[:, self.totals] = singles
        self.flat[self.whose] = self.found[self.roots]
        self.full += 0.0  # of -0 too NumPy makes a sum of 0
        return self.full

    def again(self, launch: Launch, r: int, scale: Floats) -> Floats:
        """A norm's squares once more, of addends multiplied by a scale for each lane and tensor."""
        column = self.kernel.width - len(self.norms) + self.norms.index(r)
        self.table[self.rows, column] = np.broadcast_to(scale, self.full.shape[:-1]).reshape(-1)[self.whose]
        found: Floats = self.run(launch)[..., r].copy()
        self.table[:, column] = 1.0
        return found


def agree(launches: Sequence[Launch]) -> None:
    """Raises NotTraced where a sum over the model is not of the same pass in all launches that take part in it."""
    places: dict[str, int] = {}
    for launch in launches:
        for k, adding in enumerate(launch.adding):
            if any(each.over and places.setdefault(each.over, k) != k for each in adding.sums):
                raise NotTraced("a sum over the model that some tensors come to in an earlier pass than others")


def add_up(launches: Sequence[Launch]) -> None:
    """Run all passes that add up, in each launch the k-th before the next, and hand the sums to the passes after them."""
    for k in range(max(len(launch.adding) for launch in launches)):
        of_model: dict[str, list[tuple[Launch, int]]] = {}
        for launch in launches:
            if k < len(launch.adding):
                adding = launch.adding[k]
                found = launch.added(adding)
                own = {}
                for r, each in enumerate(adding.sums):
                    if each.over:
                        of_model.setdefault(each.over, []).append((launch, r))
                    elif each.is_norm:
                        own[each.name] = _norms(launch, adding, r, found[..., r].copy())
                    else:
                        own[each.name] = found[..., r].astype(adding.computed)
                if own:
                    launch.take(own)
        if of_model:
            values = {over: _of_model(parts, k) for over, parts in of_model.items()}
            for launch in launches:
                if k < len(launch.adding):
                    launch.take({each.name: values[each.over] for each in launch.adding[k].sums if each.over})


def _norms(launch: Launch, adding: Adding, r: int, squares: Floats) -> Floats:
    """The norm of each tensor."""
    if adding.computed == "float64":
        least, up, down = SCALES["float64"]
        if not np.all((squares >= least) & (squares < np.inf)):
            scale = np.where(squares < least, up, np.where(squares < np.inf, 1.0, down))
            return np.sqrt(adding.again(launch, r, scale)) / scale
    return np.sqrt(squares).astype(adding.computed)


def _of_model(parts: list[tuple[Launch, int]], k: int) -> Any:
    """One sum or norm over all tensors of these launches, in the tensors' order."""
    launch, r = parts[0]
    adding = launch.adding[k]
    value = _together(parts, k)
    if adding.sums[r].is_norm:
        least, up, down = SCALES["float64"]
        scale: Any = 1.0
        if not np.all((value >= least) & (value < np.inf)):
            scale = np.where(value < least, up, np.where(value < np.inf, 1.0, down))
            for each, place in parts:
                if each.adding[k].computed == "float64":
                    each.adding[k].full[..., place] = each.adding[k].again(each, place, scale[..., None])
                else:  # squares of float32 are far from what float64 cannot hold
                    each.adding[k].full[..., place] *= scale[..., None]
                    each.adding[k].full[..., place] *= scale[..., None]
            value = _together(parts, k)
        value = np.sqrt(value) / scale
    return np.float64(value) if launch.plain else Scalar(np.asarray(value, np.float64))


def _together(parts: list[tuple[Launch, int]], k: int) -> Any:
    """The sums of tensors added up, one after another, in the dtype that they have."""
    if len(parts) == 1:
        launch, r = parts[0]
        adding = launch.adding[k]
        values = adding.full[..., launch.present, r]
        if r in adding.totals:
            values = values.astype(adding.computed)
        return np.cumsum(values, axis=-1)[..., -1] if values.shape[-1] else np.zeros(values.shape[:-1])
    total: Any = 0.0
    owners = [(launch.order[j], launch, j, r) for launch, r in parts for j in launch.present]
    for _, launch, j, r in sorted(owners, key=lambda owner: owner[0]):
        adding = launch.adding[k]
        value = adding.full[..., j, r]
        total = total + (value if r in adding.norms else value.astype(adding.computed))
    return total
