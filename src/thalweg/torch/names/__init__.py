"""Names of torch's parameters: those of `named_parameters` if known, else their positions."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from thalweg.core.compose import Choose, Every, word
from thalweg.core.leaf import Leaf
from thalweg.core.stage import Shell, Stage
from thalweg.torch.tensors import Tensor

WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""The names that torch.compile, FSDP and activation checkpoints insert for the modules that they wrap."""


def bare(name: str) -> str:
    """Return a parameter's name without those of wrappers."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def names_of(groups: Sequence[dict[str, Any]]) -> dict[Tensor, str]:
    """Return each parameter's name: from its group's "param_names", else its position among all parameters."""
    found: dict[Tensor, str] = {}
    taken: set[str] = set()
    for group in groups:
        said = group.get("param_names") or [""] * len(group["params"])
        for p, name in zip(group["params"], said, strict=True):
            own = bare(name) or str(len(found))
            found[p] = own if own not in taken else f"{own}#{len(found)}"  # two models in one optimizer
            taken.add(found[p])
    return found


def asks_names(stage: Stage) -> bool:
    """Whether a parameter's name decides anything in the stage."""
    return any(getattr(predicate, "reads_names", False) for predicate in _predicates(stage))


def asked_in_vain(stage: Stage, params: Sequence[Tensor], names: Sequence[str]) -> list[str]:
    """Return, in words, the stage's conditions that read the name of each of these parameters and hold for none."""
    found = []
    for predicate in _predicates(stage):
        leaves = [_Watched(name, p) for name, p in zip(names, params, strict=True)]
        with contextlib.suppress(Exception):  # one that cannot take such a parameter raises where it is asked in earnest
            if leaves and not any(map(predicate, leaves)) and all(leaf.asked for leaf in leaves):
                found.append(word(predicate))
    return found


class _Watched:
    """A parameter as conditions see it, which records whether its name was read."""

    def __init__(self, name: str, p: Tensor) -> None:
        self.asked, x = False, p.detach()
        self.leaf = Leaf(name, tuple(p.shape), x, x, 0, None, x)

    def __getattr__(self, word: str) -> Any:
        self.asked = self.asked or word == "name"
        return getattr(self.leaf, word)


def _predicates(stage: Stage) -> list[Any]:
    inside = [stage.inner] if isinstance(stage, Shell | Every) else getattr(stage, "stages", ())
    own = stage.predicates if isinstance(stage, Choose) else []
    return [*own, *(predicate for part in inside for predicate in _predicates(part))]
