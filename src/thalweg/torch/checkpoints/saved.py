"""State files of torch's optimizers."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections import defaultdict
from typing import Any

import torch

from thalweg.core.compose import looks_at_time
from thalweg.core.saved.file import save
from thalweg.core.saved.fit import Arrays, Names, fitted
from thalweg.core.saved.record import Place, Record, recorded, state_of
from thalweg.core.stage import chain
from thalweg.torch.before import states_of
from thalweg.torch.face import Face
from thalweg.torch.groups import Group
from thalweg.torch.lots import Lot, lots
from thalweg.torch.names import bare, names_of
from thalweg.torch.tensors import Tensor, scalar_dtype
from thalweg.values.symbols import PER_TENSOR


def save_state(path: str | os.PathLike[str], optimizer: Any, model: torch.nn.Module | None = None) -> None:
    """Write an optimizer's parameters and state to one file, from which any face resumes: see docs/states.md.

    Parameters
    ----------
    path : str or path-like
        The file; it appears whole or not at all.
    optimizer : torch.optim.Optimizer
        An optimizer of thalweg.torch.
    model : torch.nn.Module, optional
        The model, whose `named_parameters()` are the names in the file; its buffers are not in it. Not needed for an optimizer
        that was made with named parameters.

    Raises
    ------
    TypeError
        For an optimizer of torch's own, or one that stores parameters or state in narrower numbers.
    ValueError
        If a parameter has no name.
    """
    here = _Written(optimizer, model)
    save(path, here.record(here.ledger.state))


@torch.no_grad()
def load_state(
    path: str | os.PathLike[str],
    optimizer: Any,
    model: torch.nn.Module | None = None,
    *,
    names: Names = None,
    arrays: Arrays = None,
) -> None:
    """Write what a file holds into the parameters and the state of an optimizer, whichever face wrote the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    optimizer : torch.optim.Optimizer
        An optimizer of thalweg.torch, of the same rule.
    model : torch.nn.Module, optional
        As in `save_state`.
    names : callable or dict, optional
        Maps a parameter's name here ("layer.weight") to its name in the file. Default: they are the same.
    arrays : callable, optional
        Maps a parameter's name here, and each tensor that the file has of it, to the tensor that is to be here: a transpose.

    Raises
    ------
    ValueError
        If the file is damaged, of another rule, or of other parameters; nothing is changed then. A warning says which settings
        differ.
    """
    here = _Written(optimizer, model)
    here.take(fitted(path, here.record(defaultdict(dict)), names, arrays))


class _Written:
    """An optimizer, its parameters by the names that they have in a file, and its state in the form of the pure functions."""

    def __init__(self, optimizer: Any, model: torch.nn.Module | None) -> None:
        if not isinstance(optimizer, Face):
            kind = type(optimizer).__name__
            raise TypeError(
                f"this {kind} is not one of thalweg.torch; thalweg.torch.{kind} takes up its state_dict, and is saved"
            )
        if optimizer._stores():
            raise TypeError("an optimizer with rounding= or state_dtype= is saved by its state_dict, which knows these numbers")
        if any("looked_at" in state for _, state in states_of(optimizer)):
            raise ValueError("the parameters are those to ship; call .train() before the state is saved or loaded")
        self.optimizer, self.ledger = optimizer, optimizer._ledger()
        self.stage = getattr(optimizer, "_stage", chain())  # torch's own classes have none
        self.members = list(optimizer._members())
        self.names = _names(optimizer, model)

    def record(self, state: Any) -> Record:
        """Return the record of a state of this optimizer."""
        found = [self._recorded(lot) for lot in self._lots(state)]
        slots: dict[Place, dict[str, Any]] = {}
        for own in found:
            for place, held in own.slots.items():
                slots.setdefault(place, {}).update(held)
        return Record(
            rule=self.stage.name if self.stage.parts else type(self.optimizer).__name__,
            params={name: x for own in found for name, x in own.params.items()},
            counts={name: count for own in found for name, count in own.counts.items()},
            slots=slots,
            numbers={place: x for own in found for place, x in own.numbers.items()},
            methods=sorted({name for own in found for name in own.methods}),
            settings=self._settings(),
            more=found[0].more,
        )

    def _lots(self, state: Any) -> list[Lot]:
        found = lots(self.members, dataclasses.replace(self.ledger, state=state))
        for lot in found:
            lot.begin()
        return found

    def _recorded(self, lot: Lot) -> Record:
        own = recorded(lot.method.pure, lot.moved, lot.state)
        if not self.ledger.row.counts:
            own = dataclasses.replace(own, counts={name: None if count else 0 for name, count in own.counts.items()})
        return dataclasses.replace(own, settings={}).renamed(self._of(lot))

    def _of(self, lot: Lot) -> dict[str, str]:
        return {name: self.names[p] for name, p in lot.params.items()}

    def _settings(self) -> dict[str, dict[str, Any]]:
        """Return the settings of all groups."""
        by_name: dict[tuple[str, str], dict[str, Any]] = {}
        for own in self.members:
            look = functools.partial(looked_up, own.group)
            found = recorded(own.method.pure, {}, {"t": {}, "memory": {}}, look).settings
            for stage, values in found.items():
                for key, value in values.items():
                    by_name.setdefault((stage, key), {}).update({self.names[p]: value for p in own.params})
        settings: dict[str, dict[str, Any]] = {}
        for (stage, key), values in by_name.items():
            first = next(iter(values.values()), None)
            settings.setdefault(stage, {})[key] = first if all(x == first for x in values.values()) else {"by": values}
        return settings

    def _reads_counts(self) -> bool:
        """Whether a step depends on the number of the update."""
        for own in self.members:
            pure = own.method.pure
            of_time = bool(pure.asks & {"t", "noise", "curvature"}) or any(map(callable, own.group.values()))
            if of_time or (callable(pure.lr) and not hasattr(pure.lr, "stands")):
                return True
        return looks_at_time(self.stage)

    def take(self, found: Record) -> None:
        """Write a record into parameters and state."""
        if not (self.ledger.row.counts and self._reads_counts()):
            found = dataclasses.replace(found, counts={name: 1 if t is None else t for name, t in found.counts.items()})
        state: Any = defaultdict(dict)
        every = self._lots(state)
        for lot in every:
            mine = {theirs: name for name, theirs in self._of(lot).items()}
            own = _part(found, mine)
            lot.moved, lot.state = own.params, state_of(lot.method.pure, own, lot.state)
        if "seed" in found.more and "seed" in self.optimizer.param_groups[0]:
            self.optimizer._seed = self.optimizer.defaults["seed"] = found.more["seed"]
            for group in self.optimizer.param_groups:
                group["seed"] = found.more["seed"]
        self.optimizer.__dict__.pop("_plan", None)
        for lot in every:
            lot.put()
        keepers = {p for p, _ in self.ledger.keepers.values()}
        for p, name in self.names.items():
            if not self.ledger.row.counts:
                state[p].pop("step", None)
            if found.counts[name] == 0 and p not in keepers:
                state.pop(p)  # as it is before the first step
        if self.ledger.row.scalars:
            self._narrow(state)
        self.optimizer.state.clear()
        self.optimizer.state.update({p: state[p] for p in self.names if p in state})

    def _narrow(self, state: Any) -> None:
        """Put numbers per tensor into the dtype in which torch's class keeps them."""
        for own in self.members:
            for p, name in zip(own.params, own.names, strict=True):
                for passage, slot, key in own.method.memory(name, p):
                    if passage.stage.memory[slot].level == PER_TENSOR and key in state.get(p, {}):
                        state[p][key] = state[p][key].to(scalar_dtype())


def _part(found: Record, names: dict[str, str]) -> Record:
    """Return the record of those parameters that have a name here, by these names."""

    def own(table: Any) -> dict[str, Any]:
        return {name: table[name] for name in names if name in table}

    slots = {place: held for place, table in found.slots.items() if (held := own(table))}
    part = dataclasses.replace(found, params=own(found.params), counts=own(found.counts), slots=slots, settings={})
    return part.renamed(names)


def looked_up(group: Group, value: Any) -> Any:
    """Return the group's value behind a number that is looked up at each step."""
    stands = getattr(value, "stands", None)
    if stands is None:
        return value
    key, part, _ = stands
    return group[key] if part is None else group[key][part]


def _names(optimizer: Face, model: torch.nn.Module | None) -> dict[Tensor, str]:
    """Return the names of an optimizer's parameters in a file."""
    groups = optimizer.param_groups
    if model is None:
        if not all("param_names" in group for group in groups):
            raise ValueError("these parameters have no names; hand over the model, too: (path, optimizer, model)")
        return names_of(groups)
    known = {p: bare(name) for name, p in model.named_parameters()}
    params = [p for group in groups for p in group["params"]]
    strange = next((p for p in params if p not in known), None)
    if strange is not None:
        raise ValueError(f"a parameter of the optimizer, of shape {tuple(strange.shape)}, is not one of this model")
    return {p: known[p] for p in params}
