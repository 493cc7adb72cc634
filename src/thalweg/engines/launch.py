"""One kernel over all tensors that take the same way: a table of addresses, a table of numbers, a list of jobs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.array_step import ArrayStep
from thalweg.core.function_stage import model_number
from thalweg.core.leaf import Leaf, resolve
from thalweg.core.optimizer import Optimizer
from thalweg.engines import native, threads
from thalweg.engines.adding import Adding, Stretches
from thalweg.engines.bucket import Bucket, block_of, broadcastable, fill, single
from thalweg.engines.drawn import drawn, numbers_of
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.gradients import Gradients, address, lies_flat, overlaps, reader, strides
from thalweg.engines.kernel import squares
from thalweg.form.memory import draw
from thalweg.graph.program import Passage, Slot
from thalweg.graph.storage import Storage, key_of
from thalweg.values.arrays import dtype_name
from thalweg.values.scalars import Scalar
from thalweg.values.symbols import TENSOR

Floats = npt.NDArray[Any]

CHUNK = 1 << 16
"""Elements in a job, at most: some megabytes of traffic, a tenth of a millisecond."""
QUICK = 1 << 14
"""Elements below which a step keeps Python's lock: it is done before another thread would have it."""
SHARED = 1 << 20
"""Elements from which on waking other threads pays."""


class Launch:
    """The tensors `members` of an optimizer, updated in place by one kernel.

    dtype: what the arrays hold, where NumPy has no name for it. kept: how they and the memory are stored. Raises NotTraced
    where there is no kernel.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        members: Sequence[int],
        names: Sequence[str],
        arrays: Sequence[Floats],
        way: list[Passage],
        dtype: str | None = None,
        kept: Storage | None = None,
    ) -> None:
        self.optimizer, self.members = optimizer, list(members)
        self.order = self.members
        self.names, self.arrays = [names[i] for i in members], [arrays[i] for i in members]
        self.lanes = optimizer.lanes
        self.dtype = dtype or dtype_name(self.arrays[0])
        made = drawn(optimizer, way, self.dtype, kept)
        self.program, self.kernel = made.program, made.kernel
        self.by_tensor, self.plain = made.by_tensor, made.of_the_model and self.lanes is None
        self.numbers = numbers_of(self.kernel.numbers, self.dtype, plain=self.plain)
        native.compiled(self.kernel.text, self.kernel.title)  # whatever Numba has against it is said now
        parts = zip(made.adding, made.cut.passes, strict=True)
        self.adding = [Adding(kernel, sums, self.dtype, plain=self.plain) for kernel, sums in parts]
        self.sums = {each.name for sums in made.cut.passes for each in sums}
        self.count = made.cut.count
        self.needs = list(dict.fromkeys(name for kernel in made.kernels for name in kernel.needs))
        self.places = list(map(self.needs.index, self.kernel.needs))
        for adding in self.adding:
            adding.places = list(map(self.needs.index, adding.kernel.needs))
        self.columns = {name: k for k, name in enumerate(self.kernel.columns)}
        self.work = [a if lies_flat(a, self.lanes) else np.array(a, order="C") for a in self.arrays]
        self.staged = [(a, w) for a, w in zip(self.arrays, self.work, strict=True) if a is not w]
        self.addresses = np.zeros((len(self.members), len(self.columns)), np.int64)
        self.addresses[:, self.columns["p"]] = [address(w) for w in self.work]
        self.address = address(self.addresses)
        self.held: dict[tuple[str, int], Floats] = {}
        self.lent = [name for name in self.columns if name in self.program.draws or name == "curvature"]
        self.vectors: dict[int, Floats] = {}
        self.scalars: str | None = None
        self.active: list[bool] = []
        self.buckets: list[Bucket] = []
        self.gradients: Gradients | None = None

    # memory

    def adopt(self, state: dict[str, Any]) -> None:
        """Take the state's arrays for the kernel's own, or put arrays into the state that can be."""
        step = ArrayStep(self.lanes, state.get("seed", self.optimizer.seed))
        for i, slot in enumerate(self.program.slots):
            *path, name = slot.path
            stage = functools.reduce(lambda held, key: held.setdefault(key, {}), path, state["memory"])
            if slot.kind.kind == "per_model":
                stage.setdefault(name, slot.stage.model_start(slot.kind, [], step))
                continue
            held = stage.setdefault(name, {})
            if slot.old.level == TENSOR:
                dtype = self.program.dtypes.get(slot.old.name) or slot.kind.dtype or self.dtype
                self._adopt(slot.old.name, held, functools.partial(self.start, slot, name, step), dtype)
                continue
            first = () if self.lanes is None else (self.lanes,)
            vector = np.empty((*first, len(self.members)), slot.kind.dtype or self.scalars or COMPUTED[self.dtype])
            for k, leaf in enumerate(self.names):
                vector[..., k] = held[leaf] if leaf in held else self.start(slot, name, step, k)
                held[leaf] = vector[..., k]
            self.vectors[i] = vector
        if "walked" in self.columns:
            self._adopt("walked", state["walked"], lambda k: self.work[k], self.dtype)
        for name in self.program.beside:
            self.addresses[:, self.columns[name]] = [address(state["beside"][name][leaf]) for leaf in self.names]

    def start(self, slot: Slot, name: str, step: ArrayStep, k: int) -> Floats:
        leaf = _leaf(self.names[k], self.arrays[k], self.lanes)
        made: Floats = slot.stage.start(name, leaf, step)
        return made

    def _adopt(self, column: str, held: dict[str, Floats], start: Callable[[int], Floats], dtype: str) -> None:
        for k, (leaf, work) in enumerate(zip(self.names, self.work, strict=True)):
            found = held[leaf] if leaf in held else start(k)
            storage = work.dtype if dtype == self.dtype else np.dtype("uint16" if dtype == "bfloat16" else dtype)
            fits = found.shape == work.shape and strides(found) == strides(work) and found.dtype == storage
            fits = fits and found.flags.writeable and found.flags.aligned
            if not fits or np.may_share_memory(found, work):
                copy = np.empty_like(work, dtype=storage)
                copy[...] = found
                found = copy
            held[leaf] = found
            self.addresses[k, self.columns[column]] = address(found)

    # jobs

    def arrange(self, active: list[bool], t: npt.NDArray[np.int64], groups: Sequence[int], taken: npt.NDArray[np.int64]) -> None:
        """Lay out jobs and numbers for the tensors that have a gradient this time; t: how many updates each has had."""
        if active == self.active:
            return
        self.active = active
        self.present = [k for k, there in enumerate(active) if there]
        found: dict[Any, list[int]] = {}
        for k in self.present:
            found.setdefault((groups[self.members[k]], int(t[self.members[k]])), []).append(k)
        lanes = self.lanes or 1
        widths = [len(members) if self.by_tensor else 1 for members in found.values()]
        self.table = np.zeros((lanes * sum(widths), self.kernel.width), COMPUTED[self.dtype])
        self.buckets = []
        jobs: list[tuple[int, int, int, int]] = []
        stretches = Stretches()
        row = 0
        for ((_, updates), members), width in zip(found.items(), widths, strict=True):
            self.buckets.append(self._bucket(members, updates, (row, lanes, width)))
            for j, k in enumerate(members):
                size = self.work[k].size // lanes
                for lane in range(lanes):
                    at, begin, end = row + lane * width + (j if self.by_tensor else 0), lane * size, (lane + 1) * size
                    jobs += [(k, at, i, min(i + CHUNK, end)) for i in range(begin, end, CHUNK)]
                    if self.adding:
                        stretches.add(k, at, begin, end, lane * len(self.members) + k)
            row += lanes * width
        self.jobs = np.array(jobs, np.int64).reshape(-1, 4)
        elements = sum(self.work[k].size for k in self.present)
        self.threads = threads.count() if elements >= SHARED else 1
        self.quick = elements < QUICK
        self.step = native.compiled(self.kernel.text, self.kernel.title, holds_gil=self.quick)
        self.where, self.jobs_at = (self.address, address(self.table)), address(self.jobs)
        self.taken, self.gradients = taken, None
        for adding in self.adding:
            adding.arrange(self, row, stretches)
            for bucket in self.buckets:
                bucket.blocks.append(block_of(adding.table, bucket.rows))

    def _bucket(self, members: list[int], t: int, rows: tuple[int, int, int]) -> Bucket:
        bucket = Bucket(members, [self.names[k] for k in members], t, rows, len(members) == len(self.members))
        bucket.block = block_of(self.table, rows)
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
                bucket.changing.append((i, self._input(name)))
        return bucket

    def tell(self, t: dict[str, int]) -> None:
        """Write down how many updates each tensor has had."""
        for bucket in self.buckets:
            t.update(dict.fromkeys(bucket.leaves, bucket.t))

    def forget(self) -> None:
        """Have the jobs laid out anew: what they were made from is no longer so."""
        self.active, self.buckets = [], []

    # a step

    def finds(self, gradients: list[Any]) -> bool:
        """The usual case: all gradients are there, lie as their parameters do, and their addresses now are in the table."""
        if not self.buckets or len(self.present) < len(self.members):
            return False
        if self.gradients is None:
            self.gradients = Gradients(self.work, self.taken, self.addresses[:, self.columns["g"]], reader())
        return self.gradients.look_up(gradients)

    def look_up(self, gradients: Sequence[Any]) -> None:
        """Put the gradients' addresses into the table; those that lie otherwise than their parameter are copied."""
        for k in self.present:
            gradient, work = gradients[k], self.work[k]
            near = gradient.strides == work.strides and gradient.flags.aligned and gradient.dtype == work.dtype
            if not near or overlaps(gradient, self.taken):
                copy = np.empty_like(work)
                copy[...] = gradient
                gradient = copy
            self._hold("g", k, gradient)

    def _hold(self, column: str, k: int, array: Floats) -> None:
        self.held[column, k] = array  # it must live as long as its address is in the table
        self.addresses[k, self.columns[column]] = address(array)

    def lend(self, extras: dict[str, dict[str, Any]], seed: Any) -> None:
        """Draws and estimates, for the rules that ask for them."""
        for column in self.lent:
            word = "noise" if column in self.program.draws else column
            for bucket in self.buckets:
                for k in np.arange(len(self.members))[bucket.members]:
                    leaf, work = self.names[k], self.work[k]
                    given = extras.get(word, {}).get(leaf)
                    if given is None:
                        given = draw(seed, bucket.t, (self.program.draws[column], leaf), self.arrays[k], self.lanes)
                    own = np.empty_like(work)
                    own[...] = given
                    self._hold(column, k, own)

    def begin(self, state: dict[str, Any], loss: Any, norms: dict[str, Any]) -> None:
        """One update on: what `numbers` is called with, but for the sums. Once it raises, jobs are to be laid out anew."""
        for bucket in self.buckets:
            bucket.t += 1
            arguments, t = bucket.arguments, bucket.t
            for i, scheduled in bucket.scheduled:
                arguments[i] = scheduled(t)
            for i, take in bucket.changing:
                arguments[i] = take(bucket, state, loss, norms)
        for array, work in self.staged:
            work[...] = array

    def added(self, adding: Adding) -> Floats:
        """The sums of tensors that a pass adds up."""
        k = self.adding.index(adding)
        width = adding.kernel.width - adding.scales
        for bucket in self.buckets:
            arguments = bucket.arguments
            fill(bucket.blocks[k][..., :width], adding.numbers(*[arguments[i] for i in adding.places]))
        return adding.run(self)

    def take(self, sums: dict[str, Any]) -> None:
        """What was added up, for the passes after: numbers, or one for each tensor."""
        for name, value in sums.items():
            i = self.needs.index(name)
            for bucket in self.buckets:
                bucket.arguments[i] = value[..., bucket.members] if isinstance(value, np.ndarray) and value.ndim else value

    def reckoned(self) -> list[tuple[Any, ...]]:
        """What `numbers` says for each bucket: for the pass that writes, then what is remembered."""
        places = self.places
        return [self.numbers(*[bucket.arguments[i] for i in places]) for bucket in self.buckets]

    def keep(self, state: dict[str, Any], found: list[tuple[Any, ...]]) -> None:
        """Put what was reckoned into the kernel's table and the memory."""
        width, slots = self.kernel.width, self.program.slots
        for bucket, values in zip(self.buckets, found, strict=True):
            fill(bucket.block, values[:width])
            for i, value in zip(self.kernel.kept, values[width:], strict=True):
                if i in self.vectors:
                    self.vectors[i][..., bucket.members] = broadcastable(value)
                else:
                    *above, name = slots[i].path
                    functools.reduce(dict.__getitem__, above, state["memory"])[name] = model_number(value)

    def _input(self, name: str) -> Callable[..., Any]:
        """How an argument of `numbers` is found: from (bucket, state, loss, norms).

        What is returned does not hold the launch, which holds it: in a circle, memory would wait for the collector.
        """
        optimizer, vectors, hyper, plain = self.optimizer, self.vectors, self.program.hyper, self.plain
        if name == "loss":
            return lambda bucket, state, loss, norms: single(loss) if plain else loss
        if name == "key":
            return lambda bucket, state, loss, norms: key_of(optimizer.seed, bucket.t)
        if name in self.program.norms:
            path = self.program.norms[name]
            return lambda bucket, state, loss, norms: single(norms[path]) if plain else norms[path]
        if name == self.count:
            sizes = np.array([max(array.size // (self.lanes or 1), 1) for array in self.work], COMPUTED[self.dtype])
            return lambda bucket, state, loss, norms: sizes[bucket.members]
        if name in hyper:
            value = hyper[name]
            if name == "lr" and value is None:
                return lambda bucket, state, loss, norms: resolve(optimizer.lr, bucket.t, bucket.leaf)
            return lambda bucket, state, loss, norms: resolve(value, bucket.t, bucket.leaf)
        i = next(i for i, slot in enumerate(self.program.slots) if slot.old.name == name)
        if i in vectors:
            return lambda bucket, state, loss, norms: vectors[i][..., bucket.members]
        *above, last = self.program.slots[i].path
        if plain:
            return lambda bucket, state, loss, norms: np.float64(functools.reduce(dict.__getitem__, above, state["memory"])[last])
        return lambda bucket, state, loss, norms: Scalar(functools.reduce(dict.__getitem__, above, state["memory"])[last])

    def let_go(self) -> None:
        """Hold no array any more, for an owner who looks at each step whether all of them are where they were."""
        self.arrays, self.work, self.staged = [], [], []

    def squares(self) -> float:
        """The sum of the squares of all gradients; in float64, and the same on any number of threads."""
        step = native.compiled(squares(self.dtype), f"squares, {self.dtype}")
        sums, gradients = np.zeros(len(self.jobs)), np.ascontiguousarray(self.addresses[:, self.columns["g"]])
        self.share(step, address(gradients), address(sums), self.jobs_at, len(self.jobs))
        return float(sums.sum())

    def run(self) -> None:
        """The pass over memory that writes."""
        self.share(self.step, *self.where, self.jobs_at, len(self.jobs))
        for array, work in self.staged:
            array[...] = work

    def share(self, step: native.Step, addresses: int, numbers: int, jobs: int, count: int) -> None:
        """Run a kernel on so many jobs."""
        if self.threads == 1:
            step(addresses, numbers, jobs, 0, count)
        else:
            threads.share(step, addresses, numbers, jobs, count, self.threads)


def _leaf(name: str, array: Floats, lanes: int | None) -> Any:
    return Leaf(name, array.shape if lanes is None else array.shape[1:], array, array, 0, None, array)
