"""Tensors on a device with their state, bound to the kernel that Triton compiles."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
import torch

from thalweg.core.leaf import number_at
from thalweg.engines.drawn import Drawn, dtypes_of
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.triton.drawn import drawn
from thalweg.engines.triton.grid import Grid
from thalweg.engines.triton.passes import write
from thalweg.graph.program import NotTraced, Program
from thalweg.torch.kernels.alike import CPU, Alike, Columns, Found, NoKernel, check_lies, number_in
from thalweg.torch.ledger import Ledger
from thalweg.torch.places import Places, laid_flat
from thalweg.torch.tensors import Tensor
from thalweg.values.draws import hashed, signed
from thalweg.values.symbols import TENSOR

TRITON_DEVICES = {"cuda"}
_VERSION = operator.attrgetter("_version")


class OnDevice:
    """The counterpart of `Bound` for tensors on a device that Triton supports."""

    numeric = True

    def __init__(self, lot: Alike, ledger: Ledger) -> None:
        self.method, self.params, self.asks_loss = lot.method, lot.params, lot.asks_loss
        found = _drawn(lot)
        self.made = made = found.program
        self.t = [ledger.updates(p) for p in self.params]  # before any memory is created: SGD does not count
        columns = lot.columns(made, ledger)
        self.models = ledger.models(made)
        self.grid = _grid(lot, found, columns)
        self.sums = [() if adding is None else adding.sums for adding in self.grid.adding]
        self.captured = bool(lot.method.given.group.get("capturable"))
        self.there = self.captured or self.grid.several  # where numbers are computed and kept: on the device
        if self.captured and not self.grid.several and self.grid.writing.kernel.kept:
            raise NotTraced("what is one number a tensor or a model is kept on the host")
        if self.captured and "loss" in made.inputs:
            raise NotTraced("the loss is a number of the host")
        self.grid.warm()
        self.counts = lot.counted(made)
        self.states = [ledger.state[p] for p in self.params] if columns or self.counts else []
        self.kept = self._numbers(lot, columns)
        self.versions: list[int] = []
        if self.counts:  # where torch keeps them: on the device for fused or capturable
            fused = self.captured or lot.method.given.group.get("fused")
            for p in self.params:
                ledger.count(p, p.device if fused else CPU)
        keys = [key for key, _ in columns.values()]
        self.places = Places(self.params, self.states, [*keys, *(["step"] if self.counts else [])])
        if not self.places.fits:
            raise NotTraced("tensors whose memory cannot be written, or not apart")

    @property
    def where(self) -> Any:
        """The device, on which all tensors of one model must be."""
        return self.grid.device

    def _numbers(self, lot: Alike, columns: Columns) -> dict[str, str]:
        """Return the keys of per-tensor numbers; convert the state's to the computing dtype, on the device that computes them."""
        dtypes = {slot.old.name: slot.kind.dtype for slot in self.made.slots if slot.old.level < TENSOR}
        kept = {column: key for column, (key, _) in columns.items() if column in dtypes}
        for column, key in kept.items():
            for state in self.states:
                dtype = np.dtype(dtypes[column] or lot.scalars or COMPUTED[lot.dtype])
                number_in(state, key, dtype, self.grid.device if self.there else CPU)
        return kept

    def loss(self, loss: Any) -> Any:
        """Return a closure's loss as the stages take it; one that is on the device stays there if the numbers do."""
        if self.there and isinstance(loss, Tensor) and loss.device == self.grid.device and loss.numel() == 1:
            return loss.detach().double().reshape(())
        return self.method.loss(loss)

    def fits(self, present: list[bool]) -> bool:
        """Whether these tensors can step without being bound anew: all of them."""
        return all(present)

    def finds(self) -> Found | None:
        """Return the tensors that the step writes and the gradients it reads; None if something has changed."""
        return self.places.look() if self.method.given.still_holds() else None

    def look_up(self, gradients: list[Tensor]) -> None:
        """Send the gradients' addresses to the device."""
        self.grid.look_up(gradients)

    def begin(self, loss: Any, norms: dict[Any, Any]) -> None:
        """Store the step's inputs."""
        self.steps = [state["step"] for state in self.states] if self.counts else []
        if not self.captured:
            versions = list(map(_VERSION, self.steps))
            if self.steps and (self.steps[0].is_cpu or versions != self.versions):  # reading from a device would wait for it
                self.t = [int(t) for t in torch.stack(self.steps).tolist()]
        self.given: dict[str, Any] = {"loss": loss}
        for state, key, slot in self.models:
            self.given[slot.old.name] = self._model(state.get(key, slot.kind.value))
        if self.there:
            kept = {name: torch.stack([state[key].reshape(()) for state in self.states]) for name, key in self.kept.items()}
            t = torch.stack(self.steps).double() + 1 if self.captured else [t + 1 for t in self.t]
            self.grid.begin(t, {**self.given, **kept})

    def _model(self, number: Any) -> Any:
        """Return a number of the model where it is computed with, in float64."""
        if not self.there:
            return float(number)
        if isinstance(number, Tensor) and number.device == self.grid.device and number.dtype is torch.float64:
            return number
        return torch.full((), float(number), dtype=torch.float64, device=self.grid.device)

    def reckon(self) -> None:
        """Compute the kernel's numbers; nothing of the user's is written yet."""
        if self.there:
            self.new: dict[int, Any] = self.grid.reckoned_there()
            return
        kept = {name: [state[key] for state in self.states] for name, key in self.kept.items()}
        self.new = self.grid.reckoned_here([t + 1 for t in self.t], kept, self.given)

    def run(self, written: list[Tensor], gradients: list[Tensor]) -> None:
        """Run the pass over memory, and write per-tensor and per-model numbers back."""
        torch.autograd.graph.increment_version(written)
        self.grid.run()
        self.places.held = []
        models = {slot.old.name: (state, key) for state, key, slot in self.models}
        for slot, values in self.new.items():
            found = self.made.slots[slot]
            if found.old.name in models:
                self._keep_model(*models[found.old.name], values, self.given[found.old.name])
            else:
                self._keep(self.kept[found.old.name], values)
        self.t = [t + 1 for t in self.t]
        if self.steps:
            torch._foreach_add_(self.steps, 1)
        self.versions, self.steps, self.new = list(map(_VERSION, self.steps)), [], {}

    def _keep_model(self, state: dict[str, Any], key: str, value: Any, before: Any) -> None:
        """Write a number of the model into the state: in place if it is on the device, as a CUDA graph needs it."""
        if self.there:
            write(before, value)
            state[key] = before
        else:
            state[key] = value[0]

    def _keep(self, key: str, values: Any) -> None:
        """Write the numbers of the tensors into their states."""
        into = [state[key] for state in self.states]
        if self.there:
            whole = torch.empty((len(into), *into[0].shape), dtype=into[0].dtype, device=into[0].device)
            write(whole, values.reshape(-1, *[1] * into[0].ndim) if isinstance(values, Tensor) else values)
            torch._foreach_copy_(into, list(whole.unbind()))
            return
        for number, value in zip(into, values, strict=True):
            number.fill_(value)


def _drawn(lot: Alike) -> Drawn:
    """Return the kernels. Raises NotTraced if this layout has none, NoKernel if there are none at all."""
    try:
        found = drawn(lot.method.pure, lot.route, lot.dtype, lot.kept)
    except NotTraced as reason:
        raise NoKernel(str(reason)) from None
    if not all(map(laid_flat, lot.params)):
        raise NotTraced("a tensor that does not lie in one stretch of memory")
    if found.program.noisy and not all(p.is_contiguous() for p in lot.params):
        raise NotTraced("noise of a tensor that does not lie in C order")
    if found.cut.by_row and not all(p.is_contiguous() for p in lot.params):
        raise NoKernel("a matrix whose rows do not lie one after another")
    return found


def _grid(lot: Alike, found: Drawn, columns: Columns) -> Grid:
    """Return the grid over their memory. Raises NotTraced if the state has another layout, NoKernel if there are no kernels."""
    made, dtypes = found.program, dtypes_of(found.program, lot.dtype)
    numbers = {slot.old.name for slot in made.slots if slot.old.level < TENSOR}
    for column, (_, tensors) in columns.items():
        if column not in numbers and column not in made.margins:
            check_lies(made, column, tensors, lot.params, dtypes[column])
    memory = {column: tensors for column, (_, tensors) in columns.items()}
    pure = lot.method.pure
    keys = [(signed(pure.seed), signed(hashed(name))) for name in lot.names] if made.draws_itself else []
    try:
        return Grid(found, lot.dtype, lot.params, {**memory, "p": lot.params}, functools.partial(_value, made, pure), keys)
    except NotTraced as reason:
        raise NoKernel(str(reason)) from None


def _value(made: Program, pure: Any, name: str, t: Any) -> Any:
    """Return the value of a hyper-parameter or the learning rate at an update."""
    value = made.hyper[name]
    found = number_at(pure.lr if value is None else value, t, "0")
    return found if isinstance(found, Tensor) else float(found)
