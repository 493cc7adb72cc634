"""A torch parameter group as the stages' arguments, and the keys of their memory in `optimizer.state`."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from thalweg.core.answers import host_scalar
from thalweg.core.leaf import Leaf, checked_number, in_parts
from thalweg.core.optimizer import Optimizer as Pure
from thalweg.dialects import Row
from thalweg.form.hyper import ByLeaf, Nonzero
from thalweg.form.memory import Kind
from thalweg.graph.program import StagePath, stage_paths
from thalweg.graph.storage import Storage
from thalweg.torch.tensors import Tensor, loss_number, real

Group = dict[str, Any]

STORAGE = ("rounding", "state_dtype")
"""A group's storage options, valid for every method."""
DTYPES = {torch.float16: "float16", torch.bfloat16: "bfloat16", torch.float32: "float32", torch.float64: "float64"}


STORAGE_PARAMETERS = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=getattr(Storage(), name)) for name in STORAGE
]


FIRST = "first_lr"
"""The group key of the initial learning rate, for groups whose branches have rates of their own."""
FIXED = {bool, int, float, str, tuple, type(None)}
"""The types of values that cannot change in place."""
LENGTHS = {"ns_coefficients": 3}
"""How many numbers a tuple in torch's groups has, if not two as betas, etas, step_sizes and eps have."""
OWN = object()
"""The value, in several groups joined into one, of a group that sets none: the stage's own."""


class TorchArguments:
    """A parameter group's values as a row takes them; records which values the stages depend on.

    `stands` of a number that is looked up: the group's key, and if it is a tuple's, which of how many. last: the values that
    chose the stages at the last look, if none of them can change in place.
    """

    def __init__(self, group: Group) -> None:
        self.group, self.size = group, len(group)
        self.chosen: dict[tuple[str, str], Any] = {}
        self.last: list[Any] = []
        self.dtypes: list[torch.dtype] | None = None

    def static(self, name: str, own: Any = None) -> Any:
        """Return a value that selects the algorithm. own: the stage's value, for groups that set none."""
        value = self.group[name]
        if isinstance(value, ByLeaf):
            raise ValueError(f"'{name}' chooses the algorithm, and this one is of the whole model; give all groups the same")
        self.chosen[name, "fixed"] = value
        return own if value is OWN else value

    def dynamic(self, name: str, part: int | None = None, own: Any = None) -> Any:
        """Return a number that is looked up at each step, since schedulers write into the group. own: as above.

        A 0 of it is divided by as any number, as torch's classes do.
        """
        return self._looked_up(Nonzero, name, part, own)

    def _looked_up(self, form: type[functools.partial[Any]], name: str, part: int | None = None, own: Any = None) -> Any:
        def now(t: Any, leaf: str | None = None) -> Any:
            value = self.group[name] if leaf is None else self.group[name].values[leaf]
            if part is not None:
                value = value[part] if type(value) is tuple and len(value) == LENGTHS.get(name, 2) else self._part(name, part)
            value = own if value is OWN else value
            if callable(value):
                return checked_number(value, value(t), t)
            return value if type(value) is float else self._number(name, value)

        if isinstance(self.group[name], ByLeaf):
            return ByLeaf({leaf: form(now, leaf=leaf) for leaf in self.group[name].values})
        found: Any = form(now)
        found.stands = name, part, LENGTHS.get(name, 2)  # where it looks; a table of all would hold itself, by `now`
        return found

    def _part(self, name: str, part: int) -> Any:
        """Return a number of a tuple. Raises TypeError or ValueError if it is none, or has more or fewer."""
        values = self.group[name]
        if isinstance(values, str) or not hasattr(values, "__len__"):
            raise TypeError(f"'{name}' is {values!r}; it is a tuple of numbers")
        if len(values) != (wanted := LENGTHS.get(name, 2)):
            raise ValueError(f"'{name}' is {values!r}; it has {wanted} values")
        return values[part]

    def _number(self, name: str, value: Any) -> float:
        if value is None or isinstance(value, str | tuple | list | dict):
            raise TypeError(f"'{name}' is {value!r}; it is a number or a schedule")
        return float(value)

    def dynamic_or_zero(self, name: str, own: Any = None) -> Any:
        """Return the same, or a plain 0 that leaves out its effect; a schedule is one that may give 0."""
        self.chosen[name, "zeros"] = zeros = self._zeros(name, own)
        if zeros == "all":
            return 0.0
        return self._looked_up(Nonzero if zeros == "none" else functools.partial, name, own=own)

    def by_dtype(self, values: dict[str, Any]) -> Any:
        """Return the value for the parameters' dtype, by name, or one per parameter if they differ."""
        self.dtypes = self._dtypes()
        found = {str(i): values.get(DTYPES.get(dtype, "float32")) for i, dtype in enumerate(self.dtypes)}
        return found["0"] if len(set(self.dtypes)) == 1 else ByLeaf(found)

    def _dtypes(self) -> list[torch.dtype]:
        return [p.dtype for p in self.group["params"]]

    def storage(self, dtype: torch.dtype) -> Storage:
        """Return the storage of parameters of this dtype and their memory. Raises ValueError if the dtype does not allow it."""
        words = {name: self.static(name) for name in STORAGE if name in self.group}
        return Storage(**words).beside(DTYPES[dtype])

    def still_holds(self) -> bool:
        """Whether the stages built from the group still match its values."""
        if len(self.group) != self.size or (self.dtypes is not None and self.dtypes != self._dtypes()):
            return False
        try:
            now = [self.group[name] for name, _ in self.chosen]
        except KeyError:  # another key is there in its place
            return False
        if len(now) == len(self.last) and all(map(operator.is_, now, self.last)):
            return True
        for value, ((name, sort), before) in zip(now, self.chosen.items(), strict=True):
            if self._zeros(name) != before if sort == "zeros" else value is not before:
                return False
        self.last = now if all(type(value) in FIXED for value in now) else []  # others may change in place
        return True

    def _zeros(self, name: str, own: Any = None) -> str:
        """Return whether all, some or none of a group's values are 0; a schedule's are some."""
        value = self.group[name]
        values = [own if each is OWN else each for each in (value.values.values() if isinstance(value, ByLeaf) else [value])]
        found = {None if callable(each) else self._number(name, each) == 0 for each in values}
        return "all" if found == {True} else "none" if found == {False} else "some"


class ConfiguredGroup:
    """A group's current stages, and the keys of their memory in `optimizer.state[p]`.

    states: the state of each parameter. A stage keeps up what is there even while a 0 would leave it out; torch's own classes
    let it rest.
    """

    def __init__(self, row: Row, group: Group, seed: Any, states: Mapping[Any, Any]) -> None:
        self.row, self.given, self.seed, self.states = row, TorchArguments(group), seed, states
        self.pure = Pure(row.stages(self.given), row.rate(self.given), seed=seed)
        self.keys: dict[tuple[str, ...], str] = {}

    def loss(self, loss: Any) -> Any:
        """Return a closure's loss as the stages take it, or None if none asks for it. Raises TypeError if it is missing."""
        if "loss" not in self.pure.asks:
            return None
        if loss is None:
            raise TypeError(f"{self.pure.rule.name} asks for the loss: step(closure), with a closure that returns it")
        return host_scalar(loss_number(loss))

    def route(self, name: str, p: Tensor) -> list[StagePath]:
        x = real(p.detach())
        with in_parts({name} if p.is_complex() else ()):
            found = stage_paths(self.pure, Leaf(name, tuple(x.shape), x, x, 0, None, x))
        return found if self.row.names or not self.states else self._beside(found, self.states.get(p, {}))

    def _beside(self, route: list[StagePath], state: dict[str, Any]) -> list[StagePath]:
        """Return the stages as they are beside this state."""
        whole = [each.stage.beside(each.stage.declaration.memory) for each in route]
        if all(stage is each.stage for stage, each in zip(whole, route, strict=True)):
            return route
        slots = [slot for stage in whole for slot in stage.memory]

        def is_held(stage: str, slot: str, kind: Kind) -> bool:
            key = self._key(stage, slot, slots.count(slot) > 1)
            return any(key in own for own in ([state] if not kind.of_model else self.states.values()))

        held = [
            [slot for slot, kind in stage.memory.items() if is_held(each.path[-1], slot, kind)]
            for stage, each in zip(whole, route, strict=True)
        ]
        return [replace(each, stage=each.stage.beside(own)) for each, own in zip(route, held, strict=True)]

    def memory(self, name: str, p: Tensor) -> list[tuple[StagePath, str, str]]:
        """Return each slot of a parameter's stages: the stage, the slot, and its key in the state."""
        found = [(passage, slot) for passage in self.route(name, p) for slot in passage.stage.memory]
        slots = [slot for _, slot in found]
        named = [(passage, slot, self._key(passage.path[-1], slot, slots.count(slot) > 1)) for passage, slot in found]
        self.keys.update({(*passage.path, slot): key for passage, slot, key in named})
        return named

    def _key(self, stage: str, slot: str, ambiguous: bool) -> str:
        spelled = f"{stage}.{slot}"
        return self.row.names.get(spelled, spelled if ambiguous else slot)


@dataclass(frozen=True)
class Members:
    """Parameters of one group, their names, and the group's configured stages."""

    params: list[Tensor]
    names: list[str]
    method: ConfiguredGroup

    @property
    def group(self) -> Group:
        """The group, into which schedulers write."""
        return self.method.given.group


def joined(owners: dict[str, Group]) -> Group:
    """Join the groups of the named parameters into one, with one value per parameter wherever they differ."""
    first = next(iter(owners.values()))
    found: Group = {}
    for key in dict.fromkeys(key for group in owners.values() for key in group):
        values = {name: group.get(key, OWN) for name, group in owners.items()}
        mine = first.get(key, OWN)
        same = all(v is mine or (isinstance(v, int | float | str | tuple) and v == mine) for v in values.values())
        found[key] = mine if same else ByLeaf(values)
    return found
