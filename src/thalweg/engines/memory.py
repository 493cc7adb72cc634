"""The state's memory in a launch: arrays that its kernel processes, and vectors of per-tensor numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.array_step import ArrayStep
from thalweg.core.leaf import Leaf
from thalweg.engines.addresses import Addresses
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.gradients import address
from thalweg.form.memory import SLICES
from thalweg.graph.program import BoundSlot, Program
from thalweg.values.symbols import TENSOR

Floats = npt.NDArray[Any]


class Memory:
    """The memory of a program's slots for the tensors of an address table. dtype: the parameters'.

    `vectors` are by slot; `scalars` is their storage dtype, if a face defines one. margins: receives the arrays of the slots with
    one number per row or column, by name.
    """

    def __init__(self, program: Program, addresses: Addresses, dtype: str, margins: dict[str, list[Floats]]) -> None:
        self.program, self.addresses, self.dtype, self.margins = program, addresses, dtype, margins
        self.vectors: dict[int, Floats] = {}
        self.scalars: str | None = None

    def adopt(self, state: dict[str, Any], seed: Any) -> None:
        """Bind the kernel to the state's arrays; replace those in the state that it cannot use."""
        addresses = self.addresses
        step = ArrayStep(addresses.lanes, state.get("seed", seed))
        for i, slot in enumerate(self.program.slots):
            *path, name = slot.path
            stage = functools.reduce(lambda held, key: held.setdefault(key, {}), path, state["memory"])
            if slot.kind.of_model:
                stage.setdefault(name, slot.stage.init([], step)[name])
                continue
            held, start = stage.setdefault(name, {}), functools.partial(self._start, slot, name, step)
            if slot.old.name in self.program.margins:
                self.margins[slot.old.name] = self._margin(slot, held, start)
            elif slot.old.level == TENSOR:
                dtype = self.program.dtypes.get(slot.old.name) or slot.kind.dtype or self.dtype
                axes = (1 if addresses.lanes is None else 2) if slot.kind.margin == SLICES else 0
                addresses.adopt(slot.old.name, held, start, self._stored(dtype), axes=axes)
            else:
                self.vectors[i] = self._vector(slot, held, start)
        if "walked" in addresses.columns:
            addresses.adopt("walked", state["walked"], lambda k: addresses.work[k], None)
        for name in self.program.beside:
            addresses.table[:, addresses.columns[name]] = [address(state["beside"][name][leaf]) for leaf in addresses.names]

    def _margin(self, slot: BoundSlot, held: dict[str, Any], start: Callable[[int], Floats]) -> list[Floats]:
        """Return a slot's arrays of any layout; the state then holds them."""
        stored, arrays = self._stored(slot.kind.dtype or self.dtype), []
        for k, (leaf, work) in enumerate(zip(self.addresses.names, self.addresses.work, strict=True)):
            found = held[leaf] if leaf in held else start(k)
            if found.dtype != (stored or work.dtype) or not found.flags.writeable:
                found = found.astype(stored or work.dtype)
            held[leaf] = found
            arrays.append(found)
        return arrays

    def _start(self, slot: BoundSlot, name: str, step: ArrayStep, k: int) -> Floats:
        """Return the first values of a slot for the k-th tensor."""
        array, lanes = self.addresses.arrays[k], self.addresses.lanes
        leaf = Leaf(self.addresses.names[k], array.shape if lanes is None else array.shape[1:], array, array, 0, None, array)
        made: Floats = slot.stage.start(name, step, leaf)
        return made

    def _stored(self, dtype: str) -> np.dtype[Any] | None:
        """Return NumPy's dtype for a name: None for the parameters' own, the bits for bfloat16."""
        return None if dtype == self.dtype else np.dtype("uint16" if dtype == "bfloat16" else dtype)

    def _vector(self, slot: BoundSlot, held: dict[str, Any], start: Callable[[int], Floats]) -> Floats:
        """Return a vector with a number per tensor; the state then holds views of it."""
        lanes, names = self.addresses.lanes, self.addresses.names
        first = () if lanes is None else (lanes,)
        vector = np.empty((*first, len(names)), slot.kind.dtype or self.scalars or COMPUTED[self.dtype])
        for k, leaf in enumerate(names):
            vector[..., k] = held[leaf] if leaf in held else start(k)
            held[leaf] = vector[..., k]
        return vector
