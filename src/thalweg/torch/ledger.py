"""Reads and writes of a torch optimizer's state in the form that the stages need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from thalweg.core.array_step import ArrayStep
from thalweg.core.checks import update_count
from thalweg.core.compose import Every
from thalweg.core.leaf import Leaf
from thalweg.core.stage import Stage
from thalweg.dialects import Row
from thalweg.graph.program import BoundSlot, Program, StagePath
from thalweg.graph.storage import scale_name
from thalweg.torch import interpreter as interpreter
from thalweg.torch.groups import ConfiguredGroup, Members
from thalweg.torch.places import check_memory
from thalweg.torch.tensors import Tensor, check_shape, flat, flat_into, scalar_dtype
from thalweg.values.symbols import PER_TENSOR

Keepers = dict[tuple[str, ...], tuple[Tensor, str]]
"""The place in the state of each number of the whole model: its parameter, and its key."""
CALLS = ("calls",)
"""The path of the number of calls that `every` has counted."""


@dataclass(frozen=True)
class Ledger:
    """The state of an optimizer that a row of the dialect describes. who: its name in messages."""

    state: dict[Tensor, dict[str, Any]]
    row: Row
    who: str
    keepers: Keepers

    def updates(self, p: Tensor) -> int:
        """Return the number of updates of a parameter."""
        state = self.state.get(p, {})
        if "step" not in state and not self.row.counts:  # torch's SGD has no count; only the first update differs
            return int(state.get("momentum_buffer") is not None)
        if "step" not in state:
            return 0
        step = state["step"]
        check_memory(step)
        number = step.item() if isinstance(step, Tensor) else step
        return int(update_count(number, f"{self.who}: the state's 'step'"))

    def count(self, p: Tensor, device: Any = None) -> Tensor:
        """Return the state's count of updates, a float tensor; create it if it is missing."""
        state, device = self.state[p], torch.device("cpu") if device is None else device
        found = state.get("step")
        if not isinstance(found, Tensor) or found.dtype not in (torch.float32, torch.float64) or found.device != device:
            dtype = scalar_dtype() if device.type == "cpu" else torch.float32
            found = state["step"] = torch.tensor(0.0 if found is None else float(found), dtype=dtype, device=device)
        kept: Tensor = found
        return kept

    def models(self, made: Program) -> list[tuple[dict[str, Any], str, BoundSlot]]:
        """Return each number of the whole model in a program: its state, its key, and its slot."""
        found = [(self.keepers[slot.path], slot) for slot in made.slots if slot.kind.of_model]
        return [(self.state[p], key, slot) for (p, key), slot in found]

    def kept(self, p: Tensor, name: str, method: ConfiguredGroup, made: Program) -> dict[str, tuple[str, Tensor]]:
        """Return a parameter's state by the program's names: the key of each, and the tensor."""
        columns = {slot.path: slot.old.name for slot in made.slots}
        memory, found = method.memory(name, p), dict[str, tuple[str, Tensor]]()
        if not memory and not made.beside and made.walked is None:
            return found
        state = self.state[p]
        for passage, slot, key in memory:
            if passage.stage.memory[slot].of_model:
                continue
            column = columns[(*passage.path, slot)]
            dtype = made.dtypes.get(column)
            found[column] = key, self._remembered(p, name, method, (passage, slot, key), dtype)
            if dtype == "int8":
                scale = scale_name(key)
                check_shape(self.who, name, scale, state.get(scale), (interpreter.blocks(p.numel()),))
                found[scale_name(column)] = scale, state[scale]
        for word, start in (("lost", torch.zeros_like), ("master", torch.Tensor.float), ("walked", torch.clone)):
            if word in made.beside or (word == "walked" and made.walked is not None):
                if word not in state:
                    state[word] = start(p.detach())
                check_shape(self.who, name, word, state[word], tuple(p.shape))
                found[word] = word, state[word]
        return found

    def _remembered(
        self, p: Tensor, name: str, method: ConfiguredGroup, which: tuple[StagePath, str, str], dtype: str | None = None
    ) -> Tensor:
        """Return a slot's tensor in the state; create it if it is missing. which: from `ConfiguredGroup.memory`.

        Raises RuntimeError if the tensor has another shape than the slot of this parameter.
        """
        passage, slot, key = which
        state = self.state[p]
        found, kind = state.get(key), passage.stage.memory[slot]
        if found is None:
            self.check_lost(p, name, passage, slot)
            found = self._first(p, name, method, passage, slot)
        elif not isinstance(found, Tensor):
            found = torch.as_tensor(found, device=p.device)
            if kind.level != PER_TENSOR and found.numel() == 1:
                found = torch.full_like(p, float(found))
        if kind.level != PER_TENSOR:
            check_shape(self.who, name, key, found, kind.shape(tuple(p.shape)))
        elif self.row.scalars or found.dtype in (torch.float16, torch.bfloat16):
            found = found.to(scalar_dtype() if self.row.scalars else torch.float32)
        if dtype == "int8" and found.dtype is not torch.int8:
            codes, state[scale_name(key)] = interpreter.quantised(flat(found.float(), p))
            found = flat_into(torch.empty_like(p, dtype=torch.int8), codes, p)
        elif dtype is not None and dtype != "int8":
            found = found.to(getattr(torch, dtype))
        state[key] = found
        kept: Tensor = found
        return kept

    def check_lost(self, p: Tensor, name: str, passage: StagePath, slot: str) -> None:
        """Raise ValueError for a slot that a 0 has left out until now; torch's own classes begin it anew."""
        forgetting = passage.stage.forgetting(slot) if not self.row.names and self.updates(p) else ""
        if forgetting:
            stage = passage.stage.name
            raise ValueError(
                f"{self.who}: the state has no '{slot}' of {stage} for '{name}', which has been updated before{forgetting}"
            )

    def _first(self, p: Tensor, name: str, method: ConfiguredGroup, passage: StagePath, slot: str) -> Tensor:
        """Return the first value of a slot."""
        leaf = Leaf(name, tuple(p.shape), p.detach(), p.detach(), 0, None, p)
        return self.started(passage.stage.start(slot, ArrayStep(None, method.seed), leaf), method, passage.stage.name, slot)

    def started(self, first: Tensor, method: ConfiguredGroup, stage: str, slot: str) -> Tensor:
        """Return the rule's first value of a slot, or torch's in its place where torch's class has another."""
        start = self.row.starts.get(f"{stage}.{slot}")
        return first if start is None else torch.full_like(first, start(method.given))


def keepers(stage: Stage, members: Iterable[Members]) -> Keepers:
    """Return where the state keeps each number of the whole model: with the first parameter that passes its stage, and its key.

    This does not depend on which parameters have gradients, nor on the groups. The calls that `every` counts are such a
    number, kept with the first parameter. members: all parameters, group by group.
    """
    found: Keepers = {}
    if isinstance(stage, Every):
        members = list(members)
        first = next((p for own in members for p in own.params), None)
        if first is not None:
            found[CALLS] = first, "calls"
    declared = [kind for f in stage.functions for kind in f.declaration.memory.values()]
    if not any(kind.of_model for kind in declared):
        return found
    for own in members:
        functions = own.method.pure.chain.functions
        wanted = sum(kind.of_model for each in functions for kind in each.declaration.memory.values())
        for p, name in zip(own.params, own.names, strict=True):
            if len(found.keys() - {CALLS}) >= wanted:
                break
            for passage, slot, key in own.method.memory(name, p):
                if passage.stage.memory[slot].of_model:
                    found.setdefault((*passage.path, slot), (p, key))
    return found


def follow(found: Keepers, state: dict[Tensor, dict[str, Any]]) -> None:
    """Move each number of the whole model to the parameter that keeps it now, where groups were reordered or taken out."""
    kept = {(id(p), key) for p, key in found.values()}  # another stage's number may have the same key
    for p, key in found.values():
        if key not in state.get(p, {}):
            owners = (own for q, own in state.items() if (id(q), key) not in kept and isinstance(q, Tensor))
            before = next((own for own in owners if _is_number(own.get(key))), None)
            if before is not None:
                state[p][key] = before.pop(key)


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) or (isinstance(x, Tensor) and x.numel() == 1)
