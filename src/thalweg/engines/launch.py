"""One kernel over all tensors on one path: a table of addresses, a table of numbers, a list of jobs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.checks import check_lanes
from thalweg.core.function_stage import to_float_or_lanes
from thalweg.core.leaf import checked_number
from thalweg.core.optimizer import Optimizer
from thalweg.engines import native
from thalweg.engines.addresses import Addresses
from thalweg.engines.bucket import Bucket, Inputs, block_of, broadcastable, fill
from thalweg.engines.drawn import Drawn, drawn, numbers_of
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.gradients import Gradients, address, lies_flat, reader
from thalweg.engines.memory import Memory
from thalweg.engines.passes.adding import Adding, Stretches
from thalweg.engines.passes.margins import Margins
from thalweg.engines.passes.reducing import Reducing
from thalweg.engines.passes.storing import Storing
from thalweg.engines.passes.sums import squares
from thalweg.engines.threads import PYTHON, Pool
from thalweg.form.draws import draw
from thalweg.graph.passes import Sum
from thalweg.graph.program import StagePath
from thalweg.graph.storage import Storage
from thalweg.values.arrays import dtype_name
from thalweg.values.draws import hashed, signed
from thalweg.values.noise import halves_of

Floats = npt.NDArray[Any]

CHUNK = 1 << 16
"""Largest number of elements in a job: some megabytes of traffic, a tenth of a millisecond."""
QUICK = 1 << 14
"""Elements below which a step keeps Python's lock: it is done before another thread would have it."""


class Launch:
    """The tensors `members` of an optimizer, updated in place by one kernel.

    dtype: of the arrays, if NumPy has no name for it. kept: how they and the memory are stored. draws: noise is drawn, never
    handed over. Raises NotTraced if there is no kernel.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        members: Sequence[int],
        names: Sequence[str],
        arrays: Sequence[Floats],
        route: list[StagePath],
        dtype: str | None = None,
        kept: Storage | None = None,
        draws: bool = True,
    ) -> None:
        self.optimizer, self.members, self.lanes = optimizer, list(members), optimizer.lanes
        self.order = self.members
        self.names, own = [names[i] for i in members], [arrays[i] for i in members]
        self.dtype = dtype or dtype_name(own[0])
        in_order = all(a.flags.c_contiguous or not lies_flat(a, self.lanes) for a in own)  # others are copied in this order
        made = drawn(optimizer, route, self.dtype, kept, draws=draws and in_order)
        self.program, self.kernel = made.program, made.kernel
        self.by_tensor, self.plain = made.by_tensor, made.of_the_model and self.lanes is None
        self.numbers = numbers_of(self.kernel.numbers, self.dtype, plain=self.plain)
        native.compiled(self.kernel.text, self.kernel.title)  # so that Numba's errors are raised now
        self.addresses = Addresses(self.names, own, self.lanes, self.kernel.columns, by_row=made.cut.by_row)
        self.staged = self.addresses.staged
        self.lent = [name for name in self.kernel.columns if name in self.program.draws or name == "curvature"]
        self.margins, self.by_row = Margins(made, self.addresses, self.dtype), made.cut.by_row
        self.memory = Memory(self.program, self.addresses, self.dtype, self.margins.memory)
        self.vectors = self.memory.vectors
        self._set_up_passes(made)
        self.pool: Pool = PYTHON
        self.draws, self.keys = made.program.draws_itself, [signed(hashed(name)) for name in self.names]
        self.seed: Any = None
        self.active: list[bool] = []
        self.buckets: list[Bucket] = []
        self.gradients: Gradients | None = None

    @property
    def summed(self) -> list[Sequence[Sum]]:
        """What each pass but the last adds up."""
        return [() if adding is None else adding.sums for adding in self.adding]

    def _set_up_passes(self, made: Drawn) -> None:
        """Set up the summing passes, and select the arguments of each pass's `numbers` from a bucket's."""
        passes, addresses, shapes = made.cut.passes, self.addresses, self.margins.shapes
        self.adding = [
            None if kernel is None else Adding(kernel, each.sums, self.dtype, addresses, plain=self.plain)
            for kernel, each in zip(made.adding, passes, strict=True)
        ]
        self.reducing = [
            None if kernel is None else Reducing(kernel, each.reductions, self.dtype, addresses, shapes, plain=self.plain)
            for kernel, each in zip(made.reducing, passes, strict=True)
        ]
        self.storing = [
            None if kernel is None else Storing(kernel, each.stored, self.dtype, addresses, self.margins.whole, plain=self.plain)
            for kernel, each in zip(made.storing, passes, strict=True)
        ]
        self.sums = {one.name for each in passes for one in each.sums}
        needs = [name for kernel in made.kernels for name in kernel.needs]
        needs += [name for host in made.hosts for name in host.needs if name not in self.margins.names]
        self.needs = list(dict.fromkeys(needs))
        self.margins.look_up(self.needs)
        self.places = list(map(self.needs.index, self.kernel.needs))
        for each in (*self.adding, *self.reducing, *self.storing):
            if each is not None:
                each.places = list(map(self.needs.index, each.kernel.needs))
        sizes = [max(work.size // (self.lanes or 1), 1) for work in self.addresses.work]
        counted = {} if made.cut.count is None else {made.cut.count: np.array(sizes, COMPUTED[self.dtype])}
        counted |= self.margins.sizes(made.cut.sizes)
        self.inputs = Inputs(self.optimizer, self.program, self.vectors, counted, plain=self.plain)

    def adopt(self, state: dict[str, Any]) -> None:
        """Bind the kernel to the state's arrays; replace those in the state that it cannot use."""
        self.memory.adopt(state, self.optimizer.seed)
        self.seed = None

    # jobs

    def arrange(self, active: list[bool], t: npt.NDArray[np.int64], groups: Sequence[int], taken: npt.NDArray[np.int64]) -> None:
        """Lay out jobs and numbers for the tensors that have a gradient in this step. t: each tensor's count of updates."""
        if active == self.active:
            return
        self.active = active
        self.present = [k for k, there in enumerate(active) if there]
        found, lanes = self._alike(t, groups), self.lanes or 1
        widths = [len(members) if self.by_tensor else 1 for members in found.values()]
        self.table = np.zeros((lanes * sum(widths), self.kernel.width), COMPUTED[self.dtype])
        self.buckets = []
        jobs: list[tuple[int, ...]] = []
        stretches, places = Stretches(), dict[int, list[int]]()
        row = 0
        for ((_, updates), members), width in zip(found.items(), widths, strict=True):
            self.buckets.append(self._bucket(members, updates, (row, lanes, width)))
            for j, k in enumerate(members):
                size = self.addresses.sizes[k] // lanes
                for lane in range(lanes):
                    at, begin, end = row + lane * width + (j if self.by_tensor else 0), lane * size, (lane + 1) * size
                    key = (lane, self.keys[k], begin) if self.draws else ()
                    jobs += [(k, at, i, min(i + CHUNK, end), *key) for i in range(begin, end, CHUNK)]
                    if any(self.adding):
                        stretches.add(k, at, begin, end, lane * len(self.members) + k)
                    places.setdefault(k, []).append(at)
            row += lanes * width
        self._list(jobs)
        elements = sum(self.addresses.sizes[k] for k in self.present)
        self.shared = elements >= self.pool.worth
        self.quick = elements < QUICK
        self.step = native.compiled(self.kernel.text, self.kernel.title, holds_gil=self.quick)
        self.where, self.jobs_at = (self.addresses.own, address(self.table)), address(self.jobs)
        self.taken, self.gradients = taken, None
        self._arrange_passes(row, stretches, places)

    def _arrange_passes(self, row: int, stretches: Stretches, places: dict[int, list[int]]) -> None:
        pool = self.pool if self.shared else None
        for adding, reducing, storing in zip(self.adding, self.reducing, self.storing, strict=True):
            if adding is not None:
                adding.arrange(row, stretches, pool, quick=self.quick)
                adding.blocks = [block_of(adding.table, bucket.rows) for bucket in self.buckets]
            if reducing is not None:
                reducing.arrange(row, self.buckets, places, pool, quick=self.quick)
            if storing is not None:
                storing.arrange(row, self.buckets, self.jobs, pool, quick=self.quick)

    def _list(self, jobs: list[tuple[int, ...]]) -> None:
        """Take the jobs of the pass that writes; backwards, to begin with what the pass before it has left in the cache."""
        if self.program.norms or any(self.adding):
            jobs = jobs[::-1]
        self.jobs = np.array(jobs, np.int64).reshape(-1, 7 if self.draws else 4)
        self.of_lanes, self.seed = self.jobs[:, 4].copy() if self.draws else None, None

    def _alike(self, t: npt.NDArray[np.int64], groups: Sequence[int]) -> dict[Any, list[int]]:
        """Return the tensors with a gradient, by group and count of updates."""
        found: dict[Any, list[int]] = {}
        for k in self.present:
            found.setdefault((groups[self.members[k]], int(t[self.members[k]])), []).append(k)
        return found

    def _bucket(self, members: list[int], t: int, rows: tuple[int, int, int]) -> Bucket:
        bucket = Bucket(members, [self.names[k] for k in members], t, rows, len(members) == len(self.members))
        bucket.bind(self.table)
        for i, name in enumerate(self.needs):
            value = self.program.hyper.get(name)
            bucket.arguments.append(value if type(value) is float else None)
            if type(value) is float or name in self.sums:
                continue
            if name == "t":
                bucket.scheduled.append((i, int))
            elif callable(value) and self.lanes is None:
                bucket.scheduled.append((i, value))
            else:
                bucket.changing.append((i, self.inputs.take(name)))
        return bucket

    def tell(self, t: dict[str, int]) -> None:
        """Write each tensor's count of updates into the state."""
        for bucket in self.buckets:
            t.update(dict.fromkeys(bucket.leaves, bucket.t))

    def forget(self) -> None:
        """Discard the layout of jobs, because its inputs have changed."""
        self.active, self.buckets = [], []
        self.margins.forget()

    # a step

    def finds(self, gradients: list[Any]) -> bool:
        """Whether all gradients have their parameters' layout, the usual case; writes their addresses into the table."""
        if not self.buckets or len(self.present) < len(self.members):
            return False
        if self.gradients is None:
            column = self.addresses.table[:, self.addresses.columns["g"]]
            self.gradients = Gradients(self.addresses.work, self.taken, column, reader())
        return self.gradients.look_up(gradients)

    def look_up(self, gradients: Sequence[Any]) -> None:
        """Write the gradients' addresses into the table; copy those in another layout than the parameter."""
        self.addresses.look_up(self.present, gradients, self.taken)

    def lend(self, extras: dict[str, dict[str, Any]], seed: Any) -> None:
        """Provide draws and estimates for the rules that ask for them."""
        if self.draws:
            self.draw_from(seed)
        addresses = self.addresses
        for column in self.lent:
            word = "noise" if column in self.program.draws else column
            for bucket in self.buckets:
                for k in np.arange(len(self.members))[bucket.members]:
                    leaf = self.names[k]
                    given = extras.get(word, {}).get(leaf)
                    if given is None:
                        given = draw(seed, bucket.t, (self.program.draws[column], leaf), addresses.arrays[k], self.lanes)
                    addresses.lend(column, k, given, self.taken, self.program.dtypes.get(column))

    def draw_from(self, seed: Any) -> None:
        """Write the seed of each lane, or the one of all, into the jobs of a kernel that draws."""
        if not np.array_equal(self.seed, seed):
            low, high = (np.broadcast_to(half, self.lanes or 1).astype(np.uint64) for half in halves_of(seed))
            self.jobs[:, 4] = (low | high << np.uint64(32)).view(np.int64)[self.of_lanes]
            self.seed = np.array(seed)

    def begin(self, state: dict[str, Any], loss: Any, norms: dict[str, Any]) -> None:
        """Advance one update and set the inputs of `numbers`, except sums. After an error, the jobs must be laid out anew."""
        for bucket in self.buckets:
            bucket.t += 1
            arguments, t = bucket.arguments, bucket.t
            for i, scheduled in bucket.scheduled:
                found = scheduled(t)
                if type(found) is not float and type(found) is not int:
                    found = checked_number(scheduled, found, t)
                    check_lanes("what a schedule gave", found, self.lanes)
                arguments[i] = found
            for i, take in bucket.changing:
                arguments[i] = take(bucket, state, loss, norms)
        if self.by_row:
            self.margins.begin(self.present)
        for array, work in self.staged:
            work[...] = array

    def reduce(self, depth: int) -> None:
        """Compute the margins that the pass of this depth reads, and those that it finds, if any."""
        if not self.by_row:
            return
        self._reckon_margins(depth)
        reducing = self.reducing[depth]
        if reducing is not None:
            reducing.run(self.buckets)
            for k in self.present:
                self.margins.take(k, reducing.of_tensor(k))
        storing = self.storing[depth]
        if storing is not None:
            for k, found in zip(self.present, storing.run(self.buckets, self.present), strict=True):
                self.margins.take(k, found)

    def _reckon_margins(self, depth: int) -> None:
        everything = range(len(self.members))
        self.margins.reckon(depth, self.buckets, [np.asarray(everything)[bucket.members].tolist() for bucket in self.buckets])

    def added(self, adding: Adding) -> Floats:
        """Return the sums over tensors of a summing pass."""
        width = adding.kernel.width - adding.scales
        for bucket, block in zip(self.buckets, adding.blocks, strict=True):
            arguments = bucket.arguments
            fill(block[..., :width], adding.numbers(*[arguments[i] for i in adding.places]))
        return adding.run()

    def take(self, sums: dict[str, Any]) -> None:
        """Pass the sums on to later passes: numbers, or one per tensor."""
        for name, value in sums.items():
            i = self.needs.index(name)
            for bucket in self.buckets:
                bucket.arguments[i] = value[..., bucket.members] if isinstance(value, np.ndarray) and value.ndim else value

    def reckoned(self) -> list[tuple[Any, ...]]:
        """Return each bucket's result of `numbers`: the inputs of the writing pass, then the new memory."""
        if self.by_row:
            self._reckon_margins(len(self.adding))
        places = self.places
        return [self.numbers(*[bucket.arguments[i] for i in places]) for bucket in self.buckets]

    def keep(self, state: dict[str, Any], found: list[tuple[Any, ...]]) -> None:
        """Write these results into the kernel's table and the memory."""
        if self.by_row:
            self.margins.keep()
        width, slots = self.kernel.width, self.program.slots
        for bucket, values in zip(self.buckets, found, strict=True):
            bucket.write(values[:width])
            for i, value in zip(self.kernel.kept, values[width:], strict=True):
                if i in self.vectors:
                    self.vectors[i][..., bucket.members] = broadcastable(value)
                else:
                    *above, name = slots[i].path
                    functools.reduce(dict.__getitem__, above, state["memory"])[name] = to_float_or_lanes(value)

    def let_go(self) -> None:
        """Drop the references to the parameters, for an owner who checks them at each step."""
        self.margins.let_go()
        self.staged = []
        self.addresses.let_go()

    def squares(self) -> float:
        """Return the sum of squares of all gradients, in float64, the same for any number of threads."""
        step = native.compiled(squares(self.dtype, self.jobs.shape[1]), f"squares, {self.dtype}")
        table = self.addresses.table
        sums, gradients = np.zeros(len(self.jobs)), np.ascontiguousarray(table[:, self.addresses.columns["g"]])
        jobs = np.ascontiguousarray(self.jobs[::-1])  # the other way than the pass that follows
        self._run(step, address(gradients), address(sums), address(jobs))
        return float(sums.sum())

    def run(self) -> None:
        """The pass over memory that writes."""
        self._run(self.step, *self.where, self.jobs_at)
        for array, work in self.staged:
            array[...] = work
        self.margins.forget()

    def _run(self, step: native.Step, addresses: int, numbers: int, jobs: int) -> None:
        if self.shared:
            self.pool.share(step, addresses, numbers, jobs, len(self.jobs))
        else:
            step(addresses, numbers, jobs, 0, len(self.jobs))
