"""What a torch optimizer was before a step, so that one that fails leaves it so; which steps may fail when half is written.

Our own steps work everything out before they write. Torch's go group by group, and a later group's mistake finds the
earlier ones written; copies of everything would be the price, which is paid only where something looks like a mistake.
"""

from __future__ import annotations

from typing import Any

import torch

from thalweg.torch.groups import Group
from thalweg.torch.places import watched
from thalweg.torch.tensors import DENSE, Tensor

ORDINARY = (int, float, tuple, list, Tensor, type(None))
"""What the groups of torch's optimizers hold."""
SPARSE = {"SGD", "Adagrad"}
"""Torch's optimizers that take sparse gradients."""


class Before:
    """Which tensors the state had, and the counts, that are the first to go on; `all_of_it`: what is in all tensors too."""

    def __init__(self, face: torch.optim.Optimizer, all_of_it: bool = False) -> None:
        self.face, self.states = face, {p: dict(state) for p, state in face.state.items()}
        kept = [value for state in self.states.values() for key, value in state.items() if all_of_it or key == "step"]
        params = [p for group in face.param_groups for p in group["params"]] if all_of_it else []
        tensors = [x for x in [*params, *kept] if isinstance(x, Tensor)] if not watched() else []
        self.tensors = [(x, x.detach().clone()) for x in tensors]

    def put_back(self) -> None:
        """Leave parameters and state as they were."""
        for p in [p for p in self.face.state if p not in self.states]:
            del self.face.state[p]
        for p, state in self.states.items():
            self.face.state[p].clear()
            self.face.state[p].update(state)
        with torch.no_grad():
            for x, value in self.tensors:
                x.copy_(value)


def looks_mistaken(face: torch.optim.Optimizer) -> bool:
    """Whether torch's own step might refuse a group or a tensor, of which it would see only when it comes to it."""
    slots = {tuple(sorted(state)) for state in face.state.values() if state}
    if len(slots) > 1 or not all(_is_ordinary(group) for group in face.param_groups):
        return True
    takes_sparse = any(kind.__name__ in SPARSE for kind in type(face).__mro__)
    return any(
        not _agrees(p, face.state.get(p, {}), takes_sparse and not group.get("weight_decay"))
        for group in face.param_groups
        for p in group["params"]
        if p.grad is not None
    )


def _is_ordinary(group: Group) -> bool:
    """Whether its values are of the kinds that torch's optimizers hold, and its flags fit each other."""
    if isinstance(group["lr"], Tensor) and group.get("foreach"):
        return False
    on_cpu = group.get("capturable") and any(p.is_cpu for p in group["params"])
    return not on_cpu and all(isinstance(value, ORDINARY) for value in group.values())


def _agrees(p: Tensor, state: dict[str, Any], takes_sparse: bool) -> bool:
    """Whether gradient and state are of the parameter's shape and dtype."""
    gradient: Any = p.grad
    if gradient.layout is not DENSE:
        return takes_sparse
    kept = [x for x in state.values() if isinstance(x, Tensor) and x.ndim]
    return all(x.shape == p.shape and x.dtype is p.dtype for x in [gradient, *kept])
