"""Torch's parameters and state bound to kernels: looked at and looked up at each step, and nothing copied."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from thalweg.core.array_step import ArrayStep
from thalweg.core.leaf import resolve
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.launch import Launch
from thalweg.engines.numbers import Numbers
from thalweg.engines.triton.grid import Grid
from thalweg.form.memory import draw
from thalweg.form.trace import steps
from thalweg.graph.program import NotTraced, Passage, Program, program
from thalweg.graph.storage import Storage, key_of
from thalweg.torch.groups import DTYPES, Group, Method
from thalweg.torch.lots import Keepers
from thalweg.torch.places import Places, check_memory, laid_flat, same_order
from thalweg.torch.tensors import Tensor, as_array, scalar_dtype
from thalweg.values.symbols import TENSOR

if TYPE_CHECKING:
    from thalweg.torch.face import Face


class NoKernel(NotTraced):
    """There is no kernel, whatever tensors and state are like: it is the stages that have none, or the groups that differ."""


@dataclass
class Alike:
    """Tensors of one group and dtype on one way through its stages, and their places among all of the optimizer's."""

    group: Group
    method: Method
    way: list[Passage]
    params: list[Tensor]
    names: list[str]
    order: list[int]


Found = tuple[list[Tensor], list[Tensor]]
"""What a step writes to, and the gradients it reads."""
STEP = ArrayStep(None, 0)


class Bound:
    """Tensors of one group and dtype with their state, ready for a kernel. Raises NotTraced where there is none.

    What is in the state is the state: counts, and what is one number a tensor or a model, are read from there at each step
    and written back when it is done.
    """

    def __init__(self, face: Face, lot: Alike, keepers: Keepers) -> None:
        params, self.method = lot.params, lot.method
        self.params, self.dtype = params, params[0].dtype
        names = lot.names
        kept = self.method.given.storage(self.dtype)
        arrays = [as_array(p) for p in params]
        try:
            self.launch = Launch(self.method.pure, range(len(params)), names, arrays, lot.way, DTYPES[self.dtype], kept)
        except NotTraced as reason:
            raise NoKernel(str(reason)) from None
        self.launch.order = lot.order
        made = self.launch.program
        if set(self.launch.lent) - made.draws.keys():
            raise NoKernel("its step needs an estimate of the curvature")
        if made.draws and any(symbol.op == "exp" for symbol in steps(made.results)):
            raise NoKernel("it draws noise, and takes an exp whose last bit, which is torch's here, decides where it goes")
        if self.launch.staged:
            raise NotTraced("a tensor that does not lie in one stretch of memory")
        if kept != Storage() and (made.norms or self.launch.adding or made.walked is not None):
            raise NoKernel("a sum or a walked point of tensors that are kept in another way")
        self.asks_loss = "loss" in self.method.pure.asks
        scalars = self.method.row.scalars
        self.launch.memory.scalars = "float64" if scalars and scalar_dtype() is torch.float64 else scalars
        updates = np.array([face._updates(p) for p in params], np.int64)  # before there is any memory: SGD does not count
        held = [face._kept(p, name, self.method, made) for p, name in zip(params, names, strict=True)]
        numbers = {slot.old.name for slot in made.slots if slot.old.level < TENSOR}
        columns = {column: (key, [own[column][1] for own in held]) for column, (key, _) in held[0].items()}
        self.state = self._adopted(names, {column: tensors for column, (_, tensors) in columns.items()})
        keys = [key for column, (key, _) in columns.items() if column not in numbers]
        for column in made.beside:
            _check_lies(
                made,
                column,
                columns[column][1],
                params,
                made.dtypes.get(column, "float32" if column in made.blocked else DTYPES[self.dtype]),
            )
        vectors = {self.method.keys[made.slots[i].path]: vector for i, vector in self.launch.vectors.items()}
        self.steps: Any = None
        if self.method.row.counts or "key" in made.inputs:
            self.steps = vectors["step"] = np.zeros(len(params), as_array(face._count(params[0])).dtype)
            for p in params:
                face._count(p)
        states = [face.state[p] for p in params] if keys or vectors else []
        self.numbers = []
        for key, vector in vectors.items():
            tensors = [_number_in(state, key, vector.dtype) for state in states]
            self.numbers.append(Numbers(list(map(Tensor.data_ptr, tensors)), vector))
            self.numbers[-1].read()
        self.places = Places(params, states, [*keys, *vectors])
        if not self.places.fits:
            raise NotTraced("tensors whose memory cannot be written, or not apart")
        self.launch.arrange([True] * len(params), updates, [0] * len(params), np.zeros((0, 2), np.int64))
        self.launch.let_go()
        self.state["beside"], self.state["walked"] = {}, {}
        found = [(keepers[slot.path], slot) for slot in made.slots if slot.kind.kind == "per_model"]
        memory = self.state["memory"]
        self.models = [
            (face.state[p], key, slot.kind.value, _place(memory, slot.path), slot.path[-1]) for (p, key), slot in found
        ]
        for slot in made.slots:
            if slot.old.level == TENSOR:
                _place(self.state["memory"], slot.path)[slot.path[-1]] = {}
        self.t = None if self.steps is None else self.steps.tolist()

    def _adopted(self, names: list[str], columns: dict[str, list[Tensor]]) -> dict[str, Any]:
        """The state as the launch has it, on the memory of these tensors. Raises NotTraced where it would take other memory."""
        made, state = self.launch.program, {"memory": dict[str, Any](), "beside": dict[str, Any]()}
        laid = {column: dict(zip(names, self._views(tensors), strict=True)) for column, tensors in columns.items()}
        state["beside"] = {name: laid[name] for name in made.beside}
        state["walked"] = dict(laid.get("walked", {}))
        for slot in made.slots:
            place = _place(state["memory"], slot.path)
            if slot.kind.kind != "per_model":
                place[slot.path[-1]] = dict(laid[slot.old.name])
            else:
                place[slot.path[-1]] = slot.stage.model_start(slot.kind, [], STEP)
        self.launch.adopt(state)
        if any(state["walked"][name] is not array for name, array in laid.get("walked", {}).items()):
            raise NotTraced("the walked point does not lie as its parameter does")
        for slot in made.slots:
            if slot.old.level == TENSOR:
                now = _place(state["memory"], slot.path)[slot.path[-1]]
                if any(now[name] is not array for name, array in laid[slot.old.name].items()):
                    raise NotTraced("the state does not lie as its parameters do")
        return state

    def _views(self, tensors: list[Tensor]) -> list[Any]:
        """Arrays on the memory of a column, spelled as the parameters' are where they lie in the same order."""
        found = []
        for x, p in zip(tensors, self.params, strict=True):
            check_memory(x)
            same = x.shape == p.shape and same_order(x, p)
            found.append(as_array(x.detach().as_strided(p.size(), p.stride()) if same else x))
        return found

    def finds(self) -> Found | None:
        """What it writes to and the gradients it reads; None where something is not as it was."""
        if not self.method.given.still_holds():
            return None
        found = self.places.look()
        if found is None:
            return None
        for numbers in self.numbers:
            numbers.read()
        if self.steps is not None and self.steps.tolist() != self.t:
            return None
        for state, key, start, place, name in self.models:
            place[name] = float(state.get(key, start))
        return found

    def begin(self, loss: Any, norms: dict[Any, Any]) -> None:
        """What the step is worked out from, but for sums."""
        self.launch.begin(self.state, loss, norms)
        self.drawn = [self._draw(column) for column in self.launch.lent]  # which lives until the next step, as its address does

    def _draw(self, column: str) -> list[Tensor]:
        """A draw for each tensor, laid as it is, and its address put into the table."""
        found = []
        words = self.launch.program.draws[column]
        for bucket in self.launch.buckets:
            for k in np.arange(len(self.params))[bucket.members].tolist():
                p = self.params[k].detach()
                own = draw(self.method.pure.seed, bucket.t, (words, self.launch.names[k]), p, None)
                found.append(own if same_order(own, p) else torch.empty_like(p).copy_(own))
                self.launch.addresses.table[k, self.launch.addresses.columns[column]] = found[-1].data_ptr()
        return found

    def look_up(self) -> None:
        """Have the gradients' addresses in the table."""
        addresses = self.launch.addresses
        addresses.table[:, addresses.columns["g"]] = self.places.there

    def reckon(self) -> None:
        """Work out what the kernel goes by; nothing of the user's is written yet."""
        self.launch.keep(self.state, self.launch.reckoned())

    def run(self, written: list[Tensor], gradients: list[Tensor]) -> None:
        """The pass over memory that writes, and what is one number a tensor or a model put where it is kept."""
        torch.autograd.graph.increment_version(written)
        self.launch.run()
        if self.steps is not None:
            self.steps += 1
            self.t = self.steps.tolist()
        for numbers in self.numbers:
            numbers.write()
        for state, key, _, place, name in self.models:
            state[key] = place[name]


def _place(memory: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Where in the launch's memory the last word of a path is."""
    return functools.reduce(lambda above, key: above.setdefault(key, {}), path[:-1], memory)


def _number_in(state: dict[str, Any], key: str, dtype: Any) -> Tensor:
    """A number that a state keeps, as a tensor of the dtype it is computed with; put there anew where it is none."""
    found = state[key]
    wanted = getattr(torch, dtype.name)
    if not isinstance(found, Tensor) or found.dtype is not wanted or not found.is_cpu:
        found = state[key] = torch.as_tensor(found).to("cpu", wanted, copy=True)
    if found.numel() != 1:
        raise RuntimeError(f"the state's '{key}' is one number a parameter, and not of the shape {tuple(found.shape)}")
    return found


class OnDevice:
    """The same for tensors of a device that Triton writes kernels for."""

    def __init__(self, face: Face, lot: Alike, keepers: Keepers) -> None:
        params, group, self.method = lot.params, lot.group, lot.method
        self.params, self.dtype, self.device = params, params[0].dtype, params[0].device
        names = face._named(params)
        kept, own = self.method.given.storage(self.dtype), DTYPES[self.dtype]
        made = program(lot.way, moves=self.method.pure.moves, kept=kept, dtype=own)
        asks = [*made.norms, *made.draws, *(["curvature"] if "curvature" in made.inputs else [])]
        if asks or self.method.pure.moves:
            raise NoKernel("its step needs more than each tensor and its state")
        if not all(map(laid_flat, params)):
            raise NotTraced("a tensor that does not lie in one stretch of memory")
        self.made, self.asks_loss = made, "loss" in self.method.pure.asks
        held = [face._kept(p, name, self.method, made) for p, name in zip(params, names, strict=True)]
        columns = {column: (key, [own[column][1] for own in held]) for column, (key, _) in held[0].items()}
        numbers = {slot.old.name for slot in made.slots if slot.old.level < TENSOR}
        dtypes = dict.fromkeys((name for name, s in made.inputs.items() if s.level == TENSOR), own)
        dtypes |= {slot.old.name: slot.kind.dtype for slot in made.slots if slot.old.level == TENSOR and slot.kind.dtype}
        dtypes |= made.dtypes | dict.fromkeys(made.blocked, "float32")
        for column, (_, tensors) in columns.items():
            if column not in numbers:
                _check_lies(made, column, tensors, params, dtypes[column])
        found = [(keepers[slot.path], slot) for slot in made.slots if slot.kind.kind == "per_model"]
        self.models = {slot.old.name: (face.state[p], key, slot) for (p, key), slot in found}
        title, memory = f"{self.method.pure.rule.name}, {own}", {column: found for column, (_, found) in columns.items()}
        value = functools.partial(_value, made, self.method.pure)
        try:
            self.grid = Grid(made, title, dtypes, params, {**memory, "p": params}, value)
        except NotTraced as reason:
            raise NoKernel(str(reason)) from None
        self.there = bool(group.get("capturable"))
        if self.there and (self.grid.kernel.kept or "loss" in made.inputs):
            raise NotTraced("what is one number a tensor or a model is kept on the host")
        self.grid.warm()
        keys = {column: key for column, (key, _) in columns.items()}
        self.counts = self.method.row.counts or "key" in made.inputs
        self.states = [face.state[p] for p in params] if keys or self.counts else []
        self.kept = {column: keys[column] for column in keys if column in numbers}
        scalars, of_number = self.method.row.scalars, {slot.old.name: slot.kind.dtype for slot in made.slots}
        scalars = "float64" if scalars and scalar_dtype() is torch.float64 else scalars
        for column, key in self.kept.items():
            for state in self.states:
                _number_in(state, key, np.dtype(of_number[column] or scalars or COMPUTED[own]))
        self.t, self.versions = [face._updates(p) for p in params], list[int]()
        if self.counts:  # where torch has them: on the device for what is fused or captured
            where = self.device if self.there or group.get("fused") else torch.device("cpu")
            for p in params:
                face._count(p, where)
        self.places = Places(params, self.states, [*keys.values(), *(["step"] if self.counts else [])])
        if not self.places.fits:
            raise NotTraced("tensors whose memory cannot be written, or not apart")

    def finds(self) -> Found | None:
        """What it writes to and the gradients it reads; None where something is not as it was."""
        return self.places.look() if self.method.given.still_holds() else None

    def begin(self, loss: Any, norms: dict[Any, Any]) -> None:
        """What the step is worked out from."""
        self.given = {name: state.get(key, slot.kind.value) for name, (state, key, slot) in self.models.items()}
        self.given["loss"] = loss

    def look_up(self) -> None:
        """Nothing yet: the grid is told of gradients when it runs."""

    def reckon(self) -> None:
        """Work out what the kernel goes by; nothing of the user's is written yet."""
        models = self.given
        self.steps = [state["step"] for state in self.states] if self.counts else []
        if self.there:
            self.grid.count_there(torch.stack(self.steps).double() + 1, models)
            self.new: dict[int, list[float]] = {}
            return
        versions = list(map(_VERSION, self.steps))
        if self.steps and (self.steps[0].is_cpu or versions != self.versions):  # asking a device would be to wait for it
            self.t = [int(t) for t in torch.stack(self.steps).tolist()]
        kept = {name: [state[key] for state in self.states] for name, key in self.kept.items()}
        self.new = self.grid.count([t + 1 for t in self.t], kept, models)

    def run(self, written: list[Tensor], gradients: list[Tensor]) -> None:
        """The pass over memory, and what is one number a tensor or a model put where it is kept."""
        self.grid.look_up(gradients)
        torch.autograd.graph.increment_version(written)
        self.grid.run()
        for slot, values in self.new.items():
            found = self.made.slots[slot]
            if found.kind.kind == "per_model":
                state, key, _ = self.models[found.old.name]
                state[key] = values[0]
                continue
            for state, value in zip(self.states, values, strict=True):
                state[self.kept[found.old.name]].fill_(value)
        self.t = [t + 1 for t in self.t]
        if self.steps:
            torch._foreach_add_(self.steps, 1)
        self.versions, self.steps = list(map(_VERSION, self.steps)), []


def _value(made: Program, pure: Any, name: str, t: Any) -> Any:
    """A hyper-parameter or the learning rate at an update."""
    if name == "key":
        return key_of(pure.seed, t)
    value = made.hyper[name]
    found = resolve(pure.lr if value is None else value, t, "0")
    return found if isinstance(found, Tensor) else float(found)


def _check_lies(made: Program, column: str, tensors: Sequence[Tensor], params: Sequence[Tensor], dtype: str) -> None:
    """Raises NotTraced where what the state keeps is not of the dtype, or does not lie as its parameters do."""
    for x, p in zip(tensors, params, strict=True):
        lies = x.is_contiguous() if column in made.blocked else x.shape == p.shape and same_order(x, p)
        if not lies or x.dtype is not getattr(torch, dtype) or x.device != p.device:
            raise NotTraced(f"'{column}' does not lie in the state as its parameter does")


_VERSION = operator.attrgetter("_version")
TRITON_DEVICES = {"cuda"}
