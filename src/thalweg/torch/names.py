"""What torch's parameters are called: as `named_parameters` has them, and by their place where nobody said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.core.compose import Choose, Every, named
from thalweg.core.stage import Shell, Stage
from thalweg.torch.tensors import Tensor

WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""What torch.compile, FSDP and activation checkpoints put into the names of a module that they wrap."""


def names_of(groups: Sequence[dict[str, Any]]) -> dict[Tensor, str]:
    """Each parameter's name: what its group's "param_names" say, else its place among all parameters."""
    found: dict[Tensor, str] = {}
    taken: set[str] = set()
    for group in groups:
        said = group.get("param_names") or [""] * len(group["params"])
        for p, name in zip(group["params"], said, strict=True):
            own = ".".join(part for part in name.split(".") if part not in WRAPPERS) or str(len(found))
            found[p] = own if own not in taken else f"{own}#{len(found)}"  # two models in one optimizer
            taken.add(found[p])
    return found


def asks_names(stage: Stage) -> bool:
    """Whether somewhere in it a parameter's name decides."""
    if isinstance(stage, Choose) and any(isinstance(predicate, named) for predicate in stage.predicates):
        return True
    inside = [stage.inner] if isinstance(stage, Shell | Every) else getattr(stage, "stages", ())
    return any(map(asks_names, inside))
