"""The state of a torch optimizer before a step, to restore after a failure; and a check for steps that may fail midway.

Our own steps compute everything before they write. torch's steps write group by group, so an error in a later group leaves
the earlier ones written. Copying everything would be expensive, so we copy only if something looks like a mistake.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from thalweg.torch.groups import Group
from thalweg.torch.places import check_memory, has_memory, watched
from thalweg.torch.tensors import DENSE, PLAIN, Tensor

ORDINARY = (int, float, tuple, list, Tensor, type(None))
"""The types of values in the groups of torch's optimizers."""
SPARSE = {"SGD", "Adagrad"}
"""torch's optimizers that accept sparse gradients."""


def states_of(face: torch.optim.Optimizer) -> list[tuple[Tensor, dict[str, Any]]]:
    """Return the parameters' entries of the state; others are the caller's own, and torch leaves them as they are."""
    return [(p, state) for p, state in face.state.items() if isinstance(p, Tensor)]


def is_in_state(face: torch.optim.Optimizer, key: str) -> bool:
    """Whether the state of some parameter has this key."""
    try:
        return any(map(dict.__contains__, face.state.values(), itertools.repeat(key)))
    except TypeError:  # an entry of the caller's own, which is no dict
        return any(key in state for _, state in states_of(face))


class Before:
    """The state's tensors and the counts, which change first; `all_of_it` also copies the contents of all tensors."""

    def __init__(self, face: torch.optim.Optimizer, all_of_it: bool = False) -> None:
        self.face, self.states = face, {p: dict(state) for p, state in states_of(face)}
        kept = [value for state in self.states.values() for key, value in state.items() if all_of_it or key == "step"]
        params = [p for group in face.param_groups for p in group["params"]] if all_of_it else []
        found = [x for x in [*params, *kept] if isinstance(x, Tensor) and has_memory(x) and not _is_sealed(x)]
        tensors = found if not watched() else []
        self.tensors = [(x, x.detach().clone()) for x in tensors]

    def put_back(self) -> None:
        """Restore parameters and state."""
        for p in [p for p, _ in states_of(self.face) if p not in self.states]:
            del self.face.state[p]
        for p, state in self.states.items():
            self.face.state[p].clear()
            self.face.state[p].update(state)
        with torch.no_grad():
            for x, value in self.tensors:
                x.copy_(value)


def check_tensors(face: torch.optim.Optimizer, params: Sequence[Tensor] | None = None) -> None:
    """Raise RuntimeError for tensors that torch would read or write past their end, or refuse after it has written others.

    params: those to check; default: all that have gradients.
    """
    if watched():
        return
    if params is None:
        params = [p for group in face.param_groups for p in group["params"] if p.grad is not None]
    check_writable(face, params)
    for p in params:
        written = (p, *face.state.get(p, {}).values())
        for x in (p.grad, *written):
            check_memory(x)
        if any(type(x) in PLAIN and x.layout is DENSE and _is_expanded(x) for x in written):
            raise RuntimeError(
                "a parameter or its state is an expanded tensor, of which several elements are one number; clone it"
            )


def check_writable(face: torch.optim.Optimizer, params: Iterable[Tensor]) -> None:
    """Raise RuntimeError for parameters and their state that torch would refuse to write, after it has written others."""
    for p in params:
        state = face.state.get(p, {})
        for what, x in (("a parameter", p), *((f"the state's '{key}'", x) for key, x in state.items())):
            if isinstance(x, Tensor) and _is_sealed(x):
                raise RuntimeError(
                    f"{what} was made under torch.inference_mode, and can be written only there; put a clone in its place, "
                    "made outside of it"
                )


def _is_sealed(x: Tensor) -> bool:
    """Whether torch refuses to write a tensor because it was made under inference mode."""
    return x.is_inference() and not torch.is_inference_mode_enabled()


def _is_expanded(x: Tensor) -> bool:
    return x.numel() > 0 and any(n > 1 and stride == 0 for n, stride in zip(x.shape, x.stride(), strict=True))


def looks_mistaken(face: torch.optim.Optimizer) -> bool:
    """Whether torch's own step might refuse a group or a tensor, which it would notice only on reaching it."""
    slots = {frozenset(state) for _, state in states_of(face) if state}
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
    """Whether a group's values have the types that torch's optimizers use, and its flags are compatible."""
    if isinstance(group["lr"], Tensor) and group.get("foreach"):
        return False
    on_cpu = group.get("capturable") and any(p.is_cpu for p in group["params"])
    return not on_cpu and all(isinstance(value, ORDINARY) for value in group.values())


def _agrees(p: Tensor, state: dict[str, Any], takes_sparse: bool) -> bool:
    """Whether gradient and state have the parameter's shape and dtype."""
    gradient: Any = p.grad
    if gradient.layout is not DENSE:
        return takes_sparse
    kept = [x for x in state.values() if isinstance(x, Tensor) and x.ndim]
    return all(x.shape == p.shape and x.dtype is p.dtype for x in [gradient, *kept])
