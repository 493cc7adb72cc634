"""Tensors on a device with their state, bound to the kernel that Triton compiles."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
import torch

from thalweg.core.leaf import value_at
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.triton.grid import Grid
from thalweg.graph.program import NotTraced, Program, program
from thalweg.graph.storage import key_of
from thalweg.torch.kernels.alike import Alike, Columns, Found, NoKernel, check_lies, number_in
from thalweg.torch.ledger import Ledger
from thalweg.torch.places import Places, laid_flat
from thalweg.torch.tensors import Tensor
from thalweg.values.symbols import TENSOR

TRITON_DEVICES = {"cuda"}
_VERSION = operator.attrgetter("_version")


class OnDevice:
    """The counterpart of `Bound` for tensors on a device that Triton supports."""

    numeric = True

    def __init__(self, lot: Alike, ledger: Ledger) -> None:
        self.method, self.params, self.asks_loss = lot.method, lot.params, lot.asks_loss
        self.made = made = _program(lot)
        self.t = [ledger.updates(p) for p in self.params]  # before any memory is created: SGD does not count
        columns = lot.columns(made, ledger)
        self.models = {slot.old.name: (state, key, slot) for state, key, slot in ledger.models(made)}
        self.grid = _grid(lot, made, columns)
        self.there = bool(lot.method.given.group.get("capturable"))
        if self.there and (self.grid.kernel.kept or "loss" in made.inputs):
            raise NotTraced("what is one number a tensor or a model is kept on the host")
        self.grid.warm()
        self.counts = lot.counted(made)
        self.states = [ledger.state[p] for p in self.params] if columns or self.counts else []
        self.kept = self._numbers(lot, columns)
        self.versions: list[int] = []
        if self.counts:  # where torch keeps them: on the device for fused or capturable
            fused = self.there or lot.method.given.group.get("fused")
            for p in self.params:
                ledger.count(p, p.device if fused else torch.device("cpu"))
        keys = [key for key, _ in columns.values()]
        self.places = Places(self.params, self.states, [*keys, *(["step"] if self.counts else [])])
        if not self.places.fits:
            raise NotTraced("tensors whose memory cannot be written, or not apart")

    def _numbers(self, lot: Alike, columns: Columns) -> dict[str, str]:
        """Return the keys of per-tensor numbers, and convert the state's numbers to the computing dtype."""
        dtypes = {slot.old.name: slot.kind.dtype for slot in self.made.slots if slot.old.level < TENSOR}
        kept = {column: key for column, (key, _) in columns.items() if column in dtypes}
        for column, key in kept.items():
            for state in self.states:
                number_in(state, key, np.dtype(dtypes[column] or lot.scalars or COMPUTED[lot.dtype]))
        return kept

    def fits(self, present: list[bool]) -> bool:
        """Whether these tensors can step without being bound anew: all of them."""
        return all(present)

    def finds(self) -> Found | None:
        """Return the tensors that the step writes and the gradients it reads; None if something has changed."""
        return self.places.look() if self.method.given.still_holds() else None

    def begin(self, loss: Any, norms: dict[Any, Any]) -> None:
        """Store the step's inputs."""
        self.given = {name: state.get(key, slot.kind.value) for name, (state, key, slot) in self.models.items()}
        self.given["loss"] = loss

    def look_up(self) -> None:
        """Do nothing: the grid receives the gradients when it runs."""

    def reckon(self) -> None:
        """Compute the kernel's numbers; nothing of the user's is written yet."""
        models = self.given
        self.steps = [state["step"] for state in self.states] if self.counts else []
        if self.there:
            self.grid.count_there(torch.stack(self.steps).double() + 1, models)
            self.new: dict[int, list[float]] = {}
            return
        versions = list(map(_VERSION, self.steps))
        if self.steps and (self.steps[0].is_cpu or versions != self.versions):  # reading from a device would wait for it
            self.t = [int(t) for t in torch.stack(self.steps).tolist()]
        kept = {name: [state[key] for state in self.states] for name, key in self.kept.items()}
        self.new = self.grid.count([t + 1 for t in self.t], kept, models)

    def run(self, written: list[Tensor], gradients: list[Tensor]) -> None:
        """Run the pass over memory, and write per-tensor and per-model numbers back."""
        self.grid.look_up(gradients)
        torch.autograd.graph.increment_version(written)
        self.grid.run()
        self.places.held = []
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


def _program(lot: Alike) -> Program:
    """Return one tensor's program. Raises NotTraced for non-contiguous tensors, NoKernel if tensors depend on each other."""
    made = program(lot.route, moves=lot.method.pure.moves, kept=lot.kept, dtype=lot.dtype)
    asks = [*made.norms, *made.draws, *(["curvature"] if "curvature" in made.inputs else [])]
    if asks or lot.method.pure.moves:
        raise NoKernel("its step needs more than each tensor and its state")
    if made.margins or made.flat:
        raise NoKernel("rows and columns have kernels on the CPU only")
    if not all(map(laid_flat, lot.params)):
        raise NotTraced("a tensor that does not lie in one stretch of memory")
    return made


def _grid(lot: Alike, made: Program, columns: Columns) -> Grid:
    """Return the grid over their memory. Raises NotTraced if the state has another layout, NoKernel if there is no kernel."""
    numbers = {slot.old.name for slot in made.slots if slot.old.level < TENSOR}
    dtypes = dict.fromkeys((name for name, s in made.inputs.items() if s.level == TENSOR), lot.dtype)
    dtypes |= {slot.old.name: slot.kind.dtype for slot in made.slots if slot.old.level == TENSOR and slot.kind.dtype}
    dtypes |= made.dtypes | dict.fromkeys(made.blocked, "float32")
    for column, (_, tensors) in columns.items():
        if column not in numbers:
            check_lies(made, column, tensors, lot.params, dtypes[column])
    memory = {column: tensors for column, (_, tensors) in columns.items()}
    title, value = f"{lot.method.pure.rule.name}, {lot.dtype}", functools.partial(_value, made, lot.method.pure)
    try:
        return Grid(made, title, dtypes, lot.params, {**memory, "p": lot.params}, value)
    except NotTraced as reason:
        raise NoKernel(str(reason)) from None


def _value(made: Program, pure: Any, name: str, t: Any) -> Any:
    """Return the value of a hyper-parameter or the learning rate at an update."""
    if name == "key":
        return key_of(pure.seed, t)
    value = made.hyper[name]
    found = value_at(pure.lr if value is None else value, t, "0")
    return found if isinstance(found, Tensor) else float(found)
