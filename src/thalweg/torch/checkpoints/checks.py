"""Checks of checkpoints: what one must contain, and a clear message if it belongs to another optimizer."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import torch

from thalweg import dialects
from thalweg.core.regroup import hyper_of
from thalweg.core.stage import Stage
from thalweg.dialects import Row
from thalweg.form.hyper import with_parts
from thalweg.graph.storage import scale_name
from thalweg.methods import rules, stages_by_name
from thalweg.numpy import class_name
from thalweg.torch.groups import FIRST, STORAGE, ConfiguredGroup, Group, Members
from thalweg.torch.regroup import TORCHS
from thalweg.torch.tensors import Tensor

THEIRS = ("params", "param_names")
"""What a group says of its own parameters: names decide a parameter's branch and its draws, and no checkpoint changes them."""
BESIDE = frozenset({"step", "walked", "accumulated", "calls", "lost", "master", "looked_at"})


def without_schedules(state_dict: dict[str, Any]) -> dict[str, Any]:
    """Return a checkpoint with None for schedules, which are not data."""
    groups = [{key: None if callable(value) else value for key, value in group.items()} for group in state_dict["param_groups"]]
    return {**state_dict, "param_groups": groups}


def merged(group: Group, saved: Group) -> Group:
    """Return a group with a checkpoint's values. A schedule, saved as None, stays, and so do the parameters and their names."""
    stay = {key: value for key, value in group.items() if key == FIRST or (callable(value) and saved.get(key) is None)}
    saved = {key: value for key, value in with_parts(saved, group).items() if key not in THEIRS}
    mine = {key: group[key] for key in THEIRS if key in group}
    return {**saved, **{key: value for key, value in stay.items() if saved.get(key) is None}, **mine}


@dataclass(frozen=True)
class Taker:
    """An optimizer that is to load a checkpoint.

    who: its name in messages. hyper: the hyper-parameters of a rule's class. row, seed: as its methods use them. names: the
    parameters' names.
    """

    who: str
    stage: Stage
    hyper: Collection[str]
    row: Row
    seed: Any
    names: Mapping[Tensor, str]

    def groups(self, own: list[Group], found: dict[str, Any]) -> list[Group]:
        """Return its groups with the checkpoint's values. Raises ValueError for another optimizer's checkpoint."""
        groups = [merged(mine, saved) for mine, saved in zip(own, found["param_groups"], strict=False)]
        known = {*self.hyper, *hyper_of(self.stage), *TORCHS, *STORAGE, FIRST, "seed", "weight_decay", "maximize"}
        for group, saved in zip(groups, found["param_groups"], strict=False):
            lacking = [name for name in ("lr", *self.hyper) if name not in group]
            strange = [name for name in saved if name not in known and not name.startswith("_")]
            if lacking or strange:
                what = f"its groups have no {_listed(lacking)}" if lacking else f"its groups have {_listed(strange)}"
                raise ValueError(f"{self.who} cannot take up a checkpoint of {_whose(saved)}: {what}")
            if group["lr"] is None:
                raise ValueError(
                    f"{self.who}: the checkpoint's learning rate was a schedule, which no file keeps; "
                    "make the optimizer with it, lr=schedule"
                )
        return groups

    def check_states(self, groups: list[Group], numbers: Set[str], found: dict[str, Any]) -> None:
        """Raise ValueError if a parameter's state lacks what these groups keep, or has what they do not keep.

        numbers: the state keys of numbers of the whole model.
        """
        for group, saved in zip(groups, found["param_groups"], strict=False):
            states = {p: found["state"].get(i, {}) for p, i in zip(group["params"], saved["params"], strict=False)}
            method = ConfiguredGroup(self.row, group, self.seed, states)
            for p, index in zip(group["params"], saved["params"], strict=False):
                mine = found["state"].get(index, {}).keys() - numbers - {"calls"}
                if mine:
                    self._check_state(method, p, mine, saved)

    def _check_state(self, method: ConfiguredGroup, p: Tensor, mine: Set[str], saved: Group) -> None:
        """Raise ValueError for the state of one parameter. What no optimizer keeps is the user's own."""
        name = self.names[p]
        slots = {key: passage.stage.memory[slot] for passage, slot, key in method.memory(name, p)}
        wanted = {key for key, kind in slots.items() if not kind.of_model} | {"step"}
        may = wanted | BESIDE | {scale_name(key) for key in wanted}
        strange = sorted(_known(mine - may))
        lacking = sorted(wanted - mine) if strange or mine & may else []
        if lacking or strange:
            theirs = _whose(saved)
            of = theirs if theirs != self.who else "another optimizer"
            what = (
                f"has no {_listed(lacking)} of parameter {name}" if lacking else f"has {_listed(strange)}, which it does not keep"
            )
            raise ValueError(f"{self.who} cannot take up this checkpoint, which looks like one of {of}: it {what}")


OWN_WORDS = frozenset(
    {"betas", "etas", "step_sizes", "alpha", "rho", "lambd", "ns_steps", "lr_decay", "dampening", "beta2_decay"}
)
"""Keys that torch's classes write into a group and that checkpoints of older versions have too."""
SWITCHED = frozenset({"momentum_buffer", "grad_avg", "max_exp_avg_sq"})
"""Memory that an option of torch's classes adds, and that begins at the step after the option was set."""


def check_torchs(who: str, row: Row, defaults: Group, groups: list[Group], found: dict[str, Any]) -> None:
    """Raise ValueError for a checkpoint of another torch class; torch's own classes would fail at the next step.

    groups: those of the optimizer that is to load it.
    """
    kept = {*row.names.values(), "step"}
    for group, saved in zip(groups, found["param_groups"], strict=False):
        lacking = sorted((OWN_WORDS & defaults.keys()) - saved.keys())
        if lacking:
            raise ValueError(f"{who} cannot take up a checkpoint of {_whose(saved)}: its groups have no {_listed(lacking)}")
        method = ConfiguredGroup(row, {**defaults, **merged(group, saved)}, 0, {})
        for i, (p, index) in enumerate(zip(group["params"], saved["params"], strict=False)):
            there = _known(found["state"].get(index, {}))
            if there and there.isdisjoint(kept):
                raise ValueError(
                    f"{who} cannot take up a checkpoint of {_whose(saved)}: of parameter {index} it has "
                    f"{_listed(sorted(there))}, and {who} keeps {_listed(sorted(kept - {'step'}))}"
                )
            wanted = {key for _, _, key in method.memory(str(i), p)} if there else set()
            if missing := sorted(wanted - there - SWITCHED):
                raise ValueError(
                    f"{who} cannot take up a checkpoint of {_whose(saved)}: of parameter {index} it has no {_listed(missing)}"
                )


def _known(keys: Iterable[Any]) -> set[str]:
    """Return those keys of a parameter's state under which some optimizer, ours or torch's, keeps memory."""
    return {key for key in keys if isinstance(key, str) and key.rpartition(".")[2] in _slots()}


@functools.cache
def _slots() -> frozenset[str]:
    declared = (
        function.declaration.memory for rule in (*rules.values(), *stages_by_name.values()) for function in rule().functions
    )
    return frozenset(
        {slot for memory in declared for slot in memory} | {k for row in dialects.TORCH.values() for k in row.names.values()}
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _whose(saved: Group) -> str:
    """Return the optimizer whose groups have these keys, the one with the most of them."""
    found = {"another optimizer": 0}
    for name in dialects.TORCH:
        words = inspect.signature(getattr(torch.optim, name).__init__).parameters.keys() - {"self", "params"}
        found[f"torch.optim.{name}"] = len(words) if words <= saved.keys() else 0
        if "betas" in words and words <= saved.keys():
            found[f"torch.optim.{name}"] += 1
    for rule in rules.values():
        found[class_name(rule)] = len(rule.hyper) + 1 if rule.hyper and rule.hyper.keys() <= saved.keys() else 0
    return max(found, key=lambda name: found[name])


def check_shapes(members: Members) -> None:
    """Raise the stages' own error for a parameter of an unsuitable shape, such as a vector for matrices."""
    for p, name in zip(members.params, members.names, strict=True):
        for passage, slot, _ in members.method.memory(name, p):
            kind = passage.stage.memory[slot]
            if kind.of_matrices and p.ndim < 2:
                kind.shape(tuple(p.shape))
