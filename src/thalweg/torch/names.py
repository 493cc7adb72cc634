"""Names of torch's parameters: those of `named_parameters` if known, else their positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.core.compose import Choose, Every, named
from thalweg.core.stage import Shell, Stage
from thalweg.torch.tensors import Tensor

WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""The names that torch.compile, FSDP and activation checkpoints insert for the modules that they wrap."""


def names_of(groups: Sequence[dict[str, Any]]) -> dict[Tensor, str]:
    """Return each parameter's name: from its group's "param_names", else its position among all parameters."""
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
    """Whether a parameter's name decides anything in the stage."""
    if isinstance(stage, Choose) and any(isinstance(predicate, named) for predicate in stage.predicates):
        return True
    inside = [stage.inner] if isinstance(stage, Shell | Every) else getattr(stage, "stages", ())
    return any(map(asks_names, inside))
