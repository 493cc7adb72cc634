"""One kernel over all tensors that take the same way: a table of addresses, a table of numbers, a list of jobs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg import ops
from thalweg.core.function_stage import model_number
from thalweg.core.leaf import Step, resolve
from thalweg.core.optimizer import Optimizer
from thalweg.engines import native, threads
from thalweg.engines.expressions import COMPUTED, HOST_WORDS
from thalweg.engines.gradients import Gradients, address, overlaps, reader
from thalweg.engines.kernel import Kernel, printed, squares
from thalweg.form.memory import draw
from thalweg.graph.program import NotTraced, Passage, Program, Slot, program
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


@functools.cache
def numbers_of(text: str, dtype: str) -> Callable[..., tuple[Any, ...]]:
    """The function `numbers` of a kernel, for parameters of a dtype."""
    computed = COMPUTED[dtype]

    def kept(value: Any) -> Any:
        """What is kept in less than is computed with is used as it was kept."""
        return value.astype(computed) if isinstance(value, np.ndarray) and value.dtype == np.float32 else value

    scope: dict[str, Any] = {"math": math, "kept": kept, **{word: getattr(ops, word) for word in HOST_WORDS}}
    exec(text, scope)  # the text was printed by `kernel`
    made: Callable[..., tuple[Any, ...]] = scope["numbers"]
    return made


def drawn(optimizer: Optimizer, way: list[Passage], dtype: str, kept: Storage | None = None) -> tuple[Program, Kernel]:
    """A way through an optimizer's stages and its kernel, as text: nothing is compiled. Raises NotTraced where there is none."""
    made = program(way, moves=optimizer.moves, kept=kept, dtype=dtype)
    if dtype not in COMPUTED or (dtype == "float16" and not native.converts_half()):
        raise NotTraced(f"no kernel computes with {dtype}")
    return made, printed(made, f"{optimizer.rule.name}, {dtype}", _dtypes(made, dtype))


def _dtypes(made: Program, dtype: str) -> dict[str, str]:
    """The dtype of each tensor that goes in, beside parameters of this one."""
    found = dict.fromkeys((name for name, s in made.inputs.items() if s.level == TENSOR), dtype)
    for slot in made.slots:
        if slot.old.level == TENSOR and slot.kind.dtype is not None:
            found[slot.old.name] = slot.kind.dtype
    found |= made.dtypes | dict.fromkeys(made.blocked, "float32")
    for name, own in found.items():
        if name not in made.dtypes and own != dtype and (own != "float32" or COMPUTED[dtype] != "float32"):
            raise NotTraced(f"'{name}' is kept in {own} beside parameters in {dtype}")
    return found


class Bucket:
    """Tensors of one launch that share their numbers: of one parameter group, at the same t."""

    def __init__(self, members: Sequence[int], leaves: Sequence[str], t: int, block: Floats, whole: bool) -> None:
        self.leaves, self.leaf, self.t, self.block = leaves, leaves[0], t, block
        self.members: Any = slice(None) if whole else np.asarray(members)
        self.arguments: list[Any] = []
        self.changing: list[tuple[int, Callable[..., Any]]] = []


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
        self.names, self.arrays = [names[i] for i in members], [arrays[i] for i in members]
        self.lanes = optimizer.lanes
        self.dtype = dtype or dtype_name(self.arrays[0])
        self.program, self.kernel = drawn(optimizer, way, self.dtype, kept)
        self.numbers = numbers_of(self.kernel.numbers, self.dtype)
        native.compiled(self.kernel.text, self.kernel.title)  # whatever Numba has against it is said now
        self.columns = {name: k for k, name in enumerate(self.kernel.columns)}
        self.work = [a if _lies_flat(a, self.lanes) else np.array(a, order="C") for a in self.arrays]
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
        step = Step(self.lanes, state.get("seed", self.optimizer.seed))
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

    def start(self, slot: Slot, name: str, step: Step, k: int) -> Floats:
        leaf = _leaf(self.names[k], self.arrays[k], self.lanes)
        made: Floats = slot.stage.start(name, leaf, step)
        return made

    def _adopt(self, column: str, held: dict[str, Floats], start: Callable[[int], Floats], dtype: str) -> None:
        for k, (leaf, work) in enumerate(zip(self.names, self.work, strict=True)):
            found = held[leaf] if leaf in held else start(k)
            storage = work.dtype if dtype == self.dtype else np.dtype("uint16" if dtype == "bfloat16" else dtype)
            fits = found.shape == work.shape and _strides(found) == _strides(work) and found.dtype == storage
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
        widths = [len(members) if self.vectors else 1 for members in found.values()]
        self.table = np.zeros((lanes * sum(widths), self.kernel.width), COMPUTED[self.dtype])
        self.buckets = []
        jobs: list[tuple[int, int, int, int]] = []
        row = 0
        for ((_, updates), members), width in zip(found.items(), widths, strict=True):
            block = self.table[row : row + lanes * width].reshape(lanes, width, -1)
            self.buckets.append(self._bucket(members, updates, block))
            for j, k in enumerate(members):
                size = self.work[k].size // lanes
                for lane in range(lanes):
                    at, begin, end = row + lane * width + (j if self.vectors else 0), lane * size, (lane + 1) * size
                    jobs += [(k, at, i, min(i + CHUNK, end)) for i in range(begin, end, CHUNK)]
            row += lanes * width
        self.jobs = np.array(jobs, np.int64).reshape(-1, 4)
        elements = sum(self.work[k].size for k in self.present)
        self.threads = threads.count() if elements >= SHARED else 1
        self.step = native.compiled(self.kernel.text, self.kernel.title, holds_gil=elements < QUICK)
        self.where, self.jobs_at = (self.address, address(self.table)), address(self.jobs)
        self.taken, self.gradients = taken, None

    def _bucket(self, members: list[int], t: int, block: Floats) -> Bucket:
        bucket = Bucket(members, [self.names[k] for k in members], t, block, len(members) == len(self.members))
        for i, name in enumerate(self.kernel.needs):
            value = self.program.hyper.get(name)
            if type(value) is float:
                bucket.arguments.append(value)
            else:
                bucket.arguments.append(None)
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

    def reckon(self, state: dict[str, Any], loss: Any, norms: dict[str, Any]) -> None:
        """One update on: the numbers that a whole tensor shares, the memory that is one number a tensor or a model."""
        self.keep(state, self.reckoned(state, loss, norms))

    def reckoned(self, state: dict[str, Any], loss: Any, norms: dict[str, Any]) -> list[tuple[Any, ...]]:
        """What `numbers` says for each bucket, one update on. Where it raises, nothing has changed."""
        for bucket in self.buckets:
            bucket.t += 1
        found = []
        try:
            for bucket in self.buckets:
                arguments = bucket.arguments
                for i, take in bucket.changing:
                    arguments[i] = take(bucket, state, loss, norms)
                found.append(self.numbers(*arguments))
        except BaseException:
            for bucket in self.buckets:
                bucket.t -= 1
            raise
        return found

    def keep(self, state: dict[str, Any], found: list[tuple[Any, ...]]) -> None:
        """Put what was reckoned into the kernel's table and the memory."""
        width, slots = self.kernel.width, self.program.slots
        for bucket, values in zip(self.buckets, found, strict=True):
            _fill(bucket.block, values[:width])
            for i, value in zip(self.kernel.kept, values[width:], strict=True):
                if i in self.vectors:
                    self.vectors[i][..., bucket.members] = _column(value)
                else:
                    *above, name = slots[i].path
                    functools.reduce(dict.__getitem__, above, state["memory"])[name] = model_number(value)

    def _input(self, name: str) -> Callable[..., Any]:
        """How an argument of `numbers` is found: from (bucket, state, loss, norms).

        What is returned does not hold the launch, which holds it: in a circle, memory would wait for the collector.
        """
        optimizer, vectors, hyper = self.optimizer, self.vectors, self.program.hyper
        if name == "t":
            return lambda bucket, state, loss, norms: bucket.t
        if name == "loss":
            return lambda bucket, state, loss, norms: loss
        if name == "key":
            return lambda bucket, state, loss, norms: key_of(optimizer.seed, bucket.t)
        if name in self.program.norms:
            path = self.program.norms[name]
            return lambda bucket, state, loss, norms: norms[path]
        if name in hyper:
            value = hyper[name]
            if name == "lr" and value is None:
                return lambda bucket, state, loss, norms: resolve(optimizer.lr, bucket.t, bucket.leaf)
            return lambda bucket, state, loss, norms: resolve(value, bucket.t, bucket.leaf)
        i = next(i for i, slot in enumerate(self.program.slots) if slot.old.name == name)
        if i in vectors:
            return lambda bucket, state, loss, norms: vectors[i][..., bucket.members]
        *above, last = self.program.slots[i].path
        return lambda bucket, state, loss, norms: Scalar(functools.reduce(dict.__getitem__, above, state["memory"])[last])

    def let_go(self) -> None:
        """Hold no array any more, for an owner who looks at each step whether all of them are where they were."""
        self.arrays, self.work, self.staged = [], [], []

    def squares(self) -> float:
        """The sum of the squares of all gradients; in float64, and the same on any number of threads."""
        step = native.compiled(squares(self.dtype), f"squares, {self.dtype}")
        sums, gradients = np.zeros(len(self.jobs)), np.ascontiguousarray(self.addresses[:, self.columns["g"]])
        self._pass(step, address(gradients), address(sums))
        return float(sums.sum())

    def run(self) -> None:
        """The pass over memory."""
        for array, work in self.staged:
            work[...] = array
        self._pass(self.step, *self.where)
        for array, work in self.staged:
            array[...] = work

    def _pass(self, step: native.Step, addresses: int, numbers: int) -> None:
        if self.threads == 1:
            step(addresses, numbers, self.jobs_at, 0, len(self.jobs))
        else:
            threads.share(step, addresses, numbers, self.jobs_at, len(self.jobs), self.threads)


def _fill(block: Floats, values: Sequence[Any]) -> None:
    """Numbers into a block (lane, tensor, number): one for all, one a lane (a Scalar), or one a tensor."""
    if set(map(type, values)) == {float}:
        block[...] = values
        return
    for k, value in enumerate(values):
        block[..., k] = _column(value)


def _column(value: Any) -> Any:
    """A number so that it broadcasts over (lane, tensor)."""
    if not isinstance(value, Scalar):
        return value
    return value.values[:, None] if value.values.ndim else value.values


def _leaf(name: str, array: Floats, lanes: int | None) -> Any:
    from thalweg.core.leaf import Leaf

    return Leaf(name, array.shape if lanes is None else array.shape[1:], array, array, 0, None, array)


def _strides(array: Floats) -> tuple[int, ...]:
    return tuple(stride // array.itemsize for stride in array.strides)


def _lies_flat(array: Floats, lanes: int | None) -> bool:
    """Whether a kernel can walk over it from its first address to its last."""
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
