"""CPU tensors with their state, bound to the kernel that Numba compiles."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from thalweg.core.array_step import ArrayStep
from thalweg.engines.gradients import address
from thalweg.engines.launch import Launch
from thalweg.engines.numbers import Numbers
from thalweg.engines.threads import team_of
from thalweg.form.draws import draw
from thalweg.form.trace import steps
from thalweg.graph.passes import Sum
from thalweg.graph.program import NotTraced, Program
from thalweg.graph.storage import Storage
from thalweg.torch.kernels.alike import CPU, Alike, Columns, Found, NoKernel, check_lies, number_in
from thalweg.torch.ledger import Ledger
from thalweg.torch.places import Places, check_memory, same_order
from thalweg.torch.tensors import Tensor, as_array
from thalweg.values.symbols import TENSOR

STEP = ArrayStep(None, 0)
RUNTIME = str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")
"""The library whose OpenMP runtime torch's operations run in."""


class Bound:
    """Tensors of one group and dtype with their state, ready for a kernel. Raises NotTraced if there is none.

    torch's state stays the only storage: counts, per-tensor and per-model numbers are read from it at each step and written
    back after it. Of the tensors, those step that have a gradient; which these are may change from step to step.
    """

    def __init__(self, lot: Alike, ledger: Ledger) -> None:
        self.method, self.params, self.asks_loss = lot.method, lot.params, lot.asks_loss
        self.launch = _launch(lot)
        made = self.launch.program
        self.t = np.array([ledger.updates(p) for p in self.params], np.int64)  # before any memory is created: SGD does not count
        columns = lot.columns(made, ledger)
        self.state = self._adopted(lot.names, columns)
        for column in made.beside:
            dtype = made.dtypes.get(column, "float32" if column in made.blocked else lot.dtype)
            check_lies(made, column, columns[column][1], self.params, dtype)
        vectors = self._vectors(lot, made, ledger)
        self.numeric = self.launch.plain or self.launch.by_tensor or bool(self.launch.vectors or made.margins)
        numbers = {slot.old.name for slot in made.slots if slot.old.level < TENSOR}
        keys = [key for column, (key, _) in columns.items() if column not in numbers]
        states = [ledger.state[p] for p in self.params] if keys or vectors else []
        self.numbers = [_numbers(states, key, vector) for key, vector in vectors.items() if key != "step"]
        self.steps = _numbers(states, "step", vectors["step"]) if "step" in vectors else None
        self.every = self.places = Places(self.params, states, [*keys, *self._order(vectors)])
        self._check_bound([column for column in columns if column not in numbers])
        self.present = list(range(len(self.params)))
        if not self.every.fits or not self.fits(lot.present):
            raise NotTraced("tensors whose memory cannot be written, or not apart")
        self._let_go(made)
        self.models = [
            (state, key, slot.kind.value, _place(self.state["memory"], slot.path), slot.path[-1])
            for state, key, slot in ledger.models(made)
        ]

    def _adopted(self, names: list[str], columns: Columns) -> dict[str, Any]:
        """Return the launch's state on these tensors' memory. Raises NotTraced if the launch would need other memory."""
        made, state = self.launch.program, {"memory": dict[str, Any](), "beside": dict[str, Any]()}
        laid = {column: dict(zip(names, self._views(tensors), strict=True)) for column, (_, tensors) in columns.items()}
        state["beside"] = {name: laid[name] for name in made.beside}
        state["walked"] = dict(laid.get("walked", {}))
        for slot in made.slots:
            place = _place(state["memory"], slot.path)
            if not slot.kind.of_model:
                place[slot.path[-1]] = dict(laid[slot.old.name])
            else:
                place[slot.path[-1]] = slot.stage.init([], STEP)[slot.path[-1]]
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
        """Return arrays on a column's memory, with the parameters' shape and strides if the element order is the same."""
        found = []
        for x, p in zip(tensors, self.params, strict=True):
            check_memory(x)
            same = x.shape == p.shape and same_order(x, p)
            found.append(as_array(x.detach().as_strided(p.size(), p.stride()) if same else x))
        return found

    def _order(self, vectors: dict[str, npt.NDArray[Any]]) -> list[str]:
        """Return the keys of per-tensor numbers in the order of `numbers`, the counts last."""
        return sorted(vectors, key="step".__eq__)

    def _check_bound(self, columns: list[str]) -> None:
        """Raise NotTraced if a tensor was replaced by another thread while the kernel was bound to it."""
        if not self.every.fits:
            return
        table, memory = self.launch.addresses, self.launch.margins.memory
        bound = {column: list(map(address, memory[column])) for column in columns if column in memory}
        bound |= {column: table.table[:, table.columns[column]].tolist() for column in ("p", *columns) if column in table.columns}
        numbers = [each.places.tolist() for each in (*self.numbers, self.steps) if each is not None]
        count, now = len(self.params), self.every.addresses
        for i, own in enumerate([*map(bound.get, ("p", *columns)), *numbers]):
            found = now[i * count : (i + 1) * count]
            if own is not None and any(a != b for a, b, size in zip(own, found, table.sizes, strict=True) if size):
                raise NotTraced("a tensor that was replaced meanwhile")

    def _vectors(self, lot: Alike, made: Program, ledger: Ledger) -> dict[str, npt.NDArray[Any]]:
        """Return the vectors of per-tensor numbers by state key, the counts among them."""
        vectors = {self.method.keys[made.slots[i].path]: vector for i, vector in self.launch.vectors.items()}
        if lot.counted(made):
            vectors["step"] = np.zeros(len(self.params), as_array(ledger.count(self.params[0])).dtype)
            for p in self.params:
                ledger.count(p)
        return vectors

    def _let_go(self, made: Program) -> None:
        """Drop the references to parameters and state."""
        self.launch.let_go()
        self.state["beside"], self.state["walked"] = {}, {}
        for slot in made.slots:
            if slot.old.level == TENSOR:
                _place(self.state["memory"], slot.path)[slot.path[-1]] = {}

    def fits(self, present: list[bool]) -> bool:
        """Take up the tensors that have a gradient. Returns False if one of them no longer lies where it was bound."""
        chosen = [k for k, there in enumerate(present) if there]
        if chosen != self.present:
            places = self.every.of(chosen)
            if places is None:
                return False
            self.places, self.present = places, chosen
            for numbers in [*self.numbers, *([] if self.steps is None else [self.steps])]:
                numbers.choose(chosen)
        for bucket in self.launch.buckets:
            self.t[bucket.members] = bucket.t
        self.launch.arrange(present, self.t, [0] * len(present), np.zeros((0, 2), np.int64))
        return True

    def finds(self) -> Found | None:
        """Return the tensors that the step writes and the gradients it reads; None if something has changed."""
        if not self.method.given.still_holds():
            return None
        found = self.places.look()
        if found is None:
            return None
        for numbers in self.numbers:
            numbers.read()
        if self.steps is not None and not self.steps.agree():
            return None
        for state, key, start, place, name in self.models:
            place[name] = float(state.get(key, start))
        return found

    def begin(self, loss: Any, norms: dict[Any, Any]) -> None:
        """Prepare the step's inputs, except sums."""
        self.launch.begin(self.state, loss, norms)
        if self.launch.draws:
            self.launch.draw_from(self.method.pure.seed)
        self.drawn = [self._draw(column) for column in self.launch.lent]  # must outlive the step: the table has their addresses

    def _draw(self, column: str) -> list[Tensor]:
        """Draw noise for each tensor, which lies as it does, and write its address into the table."""
        found = []
        words = self.launch.program.draws[column]
        for bucket in self.launch.buckets:
            for k in np.arange(len(self.params))[bucket.members].tolist():
                p = self.params[k].detach()
                own = draw(self.method.pure.seed, bucket.t, (words, self.launch.names[k]), p, None)
                found.append(own)
                self.launch.addresses.table[k, self.launch.addresses.columns[column]] = found[-1].data_ptr()
        return found

    @property
    def sums(self) -> list[Sequence[Sum]]:
        """What each pass but the last adds up."""
        return self.launch.summed

    @property
    def where(self) -> Any:
        """The device, on which all tensors of one model must be."""
        return CPU

    def loss(self, loss: Any) -> Any:
        """Return a closure's loss as the stages take it."""
        return self.method.loss(loss)

    def look_up(self, gradients: list[Tensor]) -> None:
        """Write the gradients' addresses into the table."""
        self.launch.addresses.write("g", self.present, self.places.there)

    def reckon(self) -> None:
        """Compute the kernel's numbers; nothing of the user's is written yet."""
        self.launch.keep(self.state, self.launch.reckoned())

    def run(self, written: list[Tensor], gradients: list[Tensor]) -> None:
        """Run the writing pass over memory, and write per-tensor and per-model numbers back."""
        torch._C._increment_version(written)
        self.launch.run()
        self.places.held = []
        if self.steps is not None:
            self.steps.count_on()
        for numbers in self.numbers:
            numbers.write()
        for state, key, _, place, name in self.models:
            state[key] = place[name]


def _launch(lot: Alike) -> Launch:
    """Return the launch over their memory. Raises NotTraced if this layout has no kernel, NoKernel if there is none at all."""
    for p in lot.params:
        check_memory(p)
    arrays, kept = [as_array(p) for p in lot.params], lot.kept
    try:
        launch = Launch(lot.method.pure, range(len(arrays)), lot.names, arrays, lot.route, lot.dtype, kept)
    except NotTraced as reason:
        raise NoKernel(str(reason)) from None
    made = launch.program
    if set(launch.lent) - made.draws.keys():
        raise NoKernel("its step needs an estimate of the curvature")
    if made.noisy and any(symbol.op == "exp" for symbol in steps(made.results)):
        raise NoKernel("it draws noise, and takes an exp whose last bit, which is torch's here, decides where it goes")
    if launch.staged and launch.by_row:
        raise NoKernel("a matrix whose rows do not lie one after another")
    if launch.staged:
        raise NotTraced("a tensor that does not lie in one stretch of memory")
    if kept != Storage() and (made.norms or launch.adding or launch.by_row or made.walked is not None):
        raise NoKernel("a sum or a walked point of tensors that are kept in another way")
    launch.order, launch.memory.scalars, launch.pool = lot.order, lot.scalars, team_of(RUNTIME)
    launch.margins.seen = torch.from_numpy
    return launch


def _numbers(states: list[dict[str, Any]], key: str, vector: npt.NDArray[Any]) -> Numbers:
    """Return the vector bound to, and read from, the numbers that the states have under a key."""
    found = Numbers([number_in(state, key, vector.dtype).data_ptr() for state in states], vector)
    found.read()
    return found


def _place(memory: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return the dict in the launch's memory that holds the last key of a path."""
    return functools.reduce(lambda above, key: above.setdefault(key, {}), path[:-1], memory)
