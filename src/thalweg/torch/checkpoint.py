"""What a checkpoint of torch's must hold to be one of an optimizer, and a sentence where it is another's."""

from __future__ import annotations

import inspect
from typing import Any, TypeAlias

import torch

from thalweg import dialects
from thalweg.core.regroup import hyper_of
from thalweg.form.hyper import with_parts
from thalweg.graph.storage import scale_name
from thalweg.methods import rules
from thalweg.numpy import class_name
from thalweg.torch.groups import FIRST, STORAGE, Group, Method
from thalweg.torch.lots import keepers
from thalweg.torch.regroup import TORCHS

Optimizer: TypeAlias = Any
"""A `thalweg.torch.Optimizer`, which the stub shows only from outside."""

BESIDE = frozenset({"step", "walked", "accumulated", "calls", "lost", "master", "looked_at"})


def without_schedules(state_dict: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint in which schedules, which are no data, are None."""
    groups = [{key: None if callable(value) else value for key, value in group.items()} for group in state_dict["param_groups"]]
    return {**state_dict, "param_groups": groups}


def merged(group: Group, saved: Group) -> Group:
    """A group as it is with what a checkpoint says of it; a schedule, which is saved as None, stays."""
    stay = {key: value for key, value in group.items() if key == FIRST or (callable(value) and saved.get(key) is None)}
    saved = with_parts(saved, group)
    return {**saved, **{key: value for key, value in stay.items() if saved.get(key) is None}, "params": group["params"]}


def check(optimizer: Optimizer, found: dict[str, Any]) -> None:
    """Raises ValueError where a checkpoint is another optimizer's, or lacks what this one keeps."""
    groups = [merged(mine, saved) for mine, saved in zip(optimizer.param_groups, found["param_groups"], strict=False)]
    hyper = {} if optimizer._rule is None else optimizer._rule.parts
    known = {*hyper, *hyper_of(optimizer._stage), *TORCHS, *STORAGE, FIRST, "seed", "weight_decay", "maximize"}
    for group, saved in zip(groups, found["param_groups"], strict=False):
        lacking = [name for name in ("lr", *hyper) if name not in group]
        strange = [name for name in saved if name not in known and not name.startswith("_")]
        if lacking or strange:
            what = f"its groups have no {_listed(lacking)}" if lacking else f"its groups have {_listed(strange)}"
            raise ValueError(f"{optimizer.who} cannot take up a checkpoint of {_whose(saved)}: {what}")
        if group["lr"] is None:
            raise ValueError(
                f"{optimizer.who}: the checkpoint's learning rate was a schedule, which no file keeps; "
                "make the optimizer with it, lr=schedule"
            )
    numbers = {key for _, key in keepers(optimizer).values()}
    for group, saved in zip(groups, found["param_groups"], strict=False):
        method = Method(optimizer._row, group, optimizer._seed)
        for p, index in zip(group["params"], saved["params"], strict=False):
            _check_state(optimizer, method, p, found["state"].get(index, {}), numbers, saved)


OWN_WORDS = frozenset({"betas", "etas", "step_sizes", "alpha", "rho", "lambd", "ns_steps"})
"""Of what torch's classes put into a group, what an older version's checkpoint has too."""


def check_torchs(optimizer: Optimizer, found: dict[str, Any]) -> None:
    """Raises ValueError where a checkpoint is none of one of torch's own classes: they themselves fail at the next step."""
    who, kept = type(optimizer).__name__, {*optimizer._row.names.values(), "step"}
    for saved in found["param_groups"]:
        lacking = sorted((OWN_WORDS & optimizer.defaults.keys()) - saved.keys())
        if lacking:
            raise ValueError(f"{who} cannot take up a checkpoint of {_whose(saved)}: its groups have no {_listed(lacking)}")
        for index in saved["params"]:
            there = set(found["state"].get(index, {})) - {"step"}
            if there and there.isdisjoint(kept):
                raise ValueError(
                    f"{who} cannot take up a checkpoint of {_whose(saved)}: of parameter {index} it has "
                    f"{_listed(sorted(there))}, and {who} keeps {_listed(sorted(kept - {'step'}))}"
                )


def _check_state(optimizer: Optimizer, method: Method, p: Any, kept: dict[str, Any], numbers: set[str], saved: Group) -> None:
    mine = kept.keys() - numbers - {"calls"}
    if not mine:
        return
    name = optimizer._names[p]
    slots = {key: passage.stage.memory[slot] for passage, slot, key in method.memory(name, p)}
    wanted = {key for key, kind in slots.items() if kind.kind != "per_model"} | {"step"}
    may = wanted | BESIDE | {scale_name(key) for key in wanted}
    lacking, strange = sorted(wanted - mine), sorted(mine - may)
    if lacking or strange:
        theirs = _whose(saved)
        of = theirs if theirs != optimizer.who else "another optimizer"
        what = f"has no {_listed(lacking)} of parameter {name}" if lacking else f"has {_listed(strange)}, which it does not keep"
        raise ValueError(f"{optimizer.who} cannot take up this checkpoint, which looks like one of {of}: it {what}")


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _whose(saved: Group) -> str:
    """The optimizer whose groups have these keys: the one with the most of them."""
    found = {"another optimizer": 0}
    for name in dialects.TORCH:
        words = inspect.signature(getattr(torch.optim, name).__init__).parameters.keys() - {"self", "params"}
        found[f"torch.optim.{name}"] = len(words) if words <= saved.keys() else 0
        if "betas" in words and words <= saved.keys():
            found[f"torch.optim.{name}"] += 1
    for rule in rules.values():
        found[class_name(rule)] = len(rule.hyper) + 1 if rule.hyper and rule.hyper.keys() <= saved.keys() else 0
    return max(found, key=lambda name: found[name])


def check_shapes(optimizer: Optimizer, group: Group) -> None:
    """Raises what the stages raise for a parameter whose shape is none for them, a vector for matrices."""
    method = Method(optimizer._row, group, optimizer._seed)
    for p in group["params"]:
        name = optimizer._names[p]
        for passage, slot, _ in method.memory(name, p):
            kind = passage.stage.memory[slot]
            if kind.of_matrices and p.ndim < 2:
                kind.shape(tuple(p.shape))
