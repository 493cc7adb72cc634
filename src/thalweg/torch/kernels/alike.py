"""Tensors that one kernel can update, and their state: the part common to all devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from thalweg.graph.program import NotTraced, Program, StagePath
from thalweg.graph.storage import Storage
from thalweg.torch.groups import DTYPES, ConfiguredGroup
from thalweg.torch.ledger import Ledger
from thalweg.torch.places import same_order
from thalweg.torch.tensors import Tensor, scalar_dtype

CPU = torch.device("cpu")
Found = tuple[list[Tensor], list[Tensor]]
"""The tensors that a step writes, and the gradients it reads."""
Columns = dict[str, tuple[str, list[Tensor]]]
"""The state's tensors by a program's names: the key, and one tensor per parameter."""


class NoKernel(NotTraced):
    """No kernel exists whatever tensors and state are: the stages have none, or the groups differ."""


@dataclass
class Alike:
    """Tensors of one group and dtype on one path through its stages, and their indices in the optimizer."""

    method: ConfiguredGroup
    route: list[StagePath]
    params: list[Tensor]
    names: list[str]
    order: list[int]

    @property
    def present(self) -> list[bool]:
        """Whether each has a gradient."""
        return [p.grad is not None for p in self.params]

    @property
    def dtype(self) -> str:
        """The tensors' dtype, by name."""
        return DTYPES[self.params[0].dtype]

    @property
    def kept(self) -> Storage:
        """The storage of the tensors and their memory."""
        return self.method.given.storage(self.params[0].dtype)

    @property
    def asks_loss(self) -> bool:
        """Whether a stage asks for the loss."""
        return "loss" in self.method.pure.asks

    @property
    def scalars(self) -> str | None:
        """The dtype of torch's per-tensor numbers, if it differs from the parameters'."""
        scalars = self.method.row.scalars
        return "float64" if scalars and scalar_dtype() is torch.float64 else scalars

    def columns(self, made: Program, ledger: Ledger) -> Columns:
        """Return the tensors' state; create what is missing."""
        held = [ledger.kept(p, name, self.method, made) for p, name in zip(self.params, self.names, strict=True)]
        return {column: (key, [own[column][1] for own in held]) for column, (key, _) in held[0].items()}

    def counted(self, made: Program) -> bool:
        """Whether the state counts their updates."""
        return self.method.row.counts or made.draws_itself


def number_in(state: dict[str, Any], key: str, dtype: Any, device: torch.device = CPU) -> Tensor:
    """Return a number of the state as a tensor of the computing dtype on this device; replace it if it is not one."""
    found = state[key]
    wanted = getattr(torch, dtype.name)
    if not isinstance(found, Tensor) or found.dtype is not wanted or found.device != device:
        found = state[key] = torch.as_tensor(found).to(device, wanted, copy=True)
    if found.numel() != 1:
        raise RuntimeError(f"the state's '{key}' is one number a parameter, and not of the shape {tuple(found.shape)}")
    return found


def check_lies(made: Program, column: str, tensors: Sequence[Tensor], params: Sequence[Tensor], dtype: str) -> None:
    """Raise NotTraced if the state's tensors have another dtype, or another layout than their parameters."""
    for x, p in zip(tensors, params, strict=True):
        alike = (x.shape == p.shape and same_order(x, p)) or x.numel() == p.numel() == 1
        lies = x.is_contiguous() if column in made.blocked else alike
        if not lies or x.dtype is not getattr(torch, dtype) or x.device != p.device:
            raise NotTraced(f"'{column}' does not lie in the state as its parameter does")
