"""An optimizer's state as a record: counts, arrays and settings by name, the same whatever face it comes from."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from thalweg.core.compose import looks_at_time
from thalweg.core.function_stage import FunctionStage
from thalweg.core.optimizer import Optimizer, State
from thalweg.core.stage import At, Shell
from thalweg.form.hyper import ByLeaf
from thalweg.values.arrays import Array, framework

Place = tuple[str, ...]
"""Where a state has a slot: ("memory", "adam", "m")."""
SCHEDULE = "a schedule"
"""What a record says in place of a function of t, which is not data."""
MORE = ("seed", "calls")
"""What some states have beside counts and memory."""


@dataclasses.dataclass(frozen=True)
class Record:
    """An optimizer's parameters and state by name.

    counts: the updates of each parameter; None where they are not counted. slots: by place, an array for each parameter that has
    one. numbers: those of the whole model. methods: its rules. settings: hyper-parameters by stage, and the learning rate; those
    that differ between parameters are {"by": {name: value}}. more: seed, calls, a key of draws.
    """

    rule: str
    params: dict[str, Any]
    counts: dict[str, Any]
    slots: dict[Place, dict[str, Any]]
    numbers: dict[Place, Any]
    methods: list[str]
    settings: dict[str, dict[str, Any]]
    more: dict[str, Any]

    def renamed(self, names: Mapping[str, str]) -> Record:
        """Return the same with other names of parameters."""

        def told(table: dict[str, Any]) -> dict[str, Any]:
            return {names[name]: x for name, x in table.items()}

        def told_by(value: Any) -> Any:
            return {"by": told(value["by"])} if isinstance(value, dict) else value

        settings = {stage: {key: told_by(x) for key, x in own.items()} for stage, own in self.settings.items()}
        slots = {slot: told(held) for slot, held in self.slots.items()}
        return dataclasses.replace(self, params=told(self.params), counts=told(self.counts), slots=slots, settings=settings)


def recorded(
    optimizer: Optimizer, params: dict[str, Array], state: State, look: Callable[[Any], Any] = lambda value: value
) -> Record:
    """Return the record of a state. look: gives the value behind a hyper-parameter that is looked up at each step."""
    found = list(held_slots(optimizer.chain, state["memory"], ("memory",)))
    slots = {place: dict(held) for place, is_number, held in found if not is_number and held}
    slots |= {(word,): dict(state[word]) for word in ("walked", "accumulated") if word in state}
    settings = {"": {"lr": _said(look(optimizer.lr)), "every": optimizer.accumulates}}
    for stage, part in _stages(optimizer.chain, ""):
        own = {"lr": part.rate} if isinstance(part, At) else part.config
        settings[stage] = {key: _said(look(value)) for key, value in own.items()}
    return Record(
        rule=optimizer.rule.name,
        params=params,
        counts={name: count if count is None else np.asarray(count).tolist() for name, count in state["t"].items()},
        slots=slots,
        numbers={place: held for place, is_number, held in found if is_number},
        methods=[function.name for function in optimizer.chain.functions if function.rule.lr is not None],
        settings=settings,
        more={word: np.asarray(state[word]).tolist() for word in MORE if word in state},
    )


def state_of(optimizer: Optimizer, record: Record, begun: State) -> State:
    """Return the state of a record; `begun` is the one before the first step. Raises ValueError if a count is missing."""
    state: State = {**begun, "memory": _copied(begun["memory"])}
    if counts(optimizer) and (without := next((name for name in begun["t"] if record.counts[name] is None), None)):
        raise ValueError(f"the file does not count the updates of '{without}', and {optimizer.rule.name} reads their number here")
    at_least_one = {name: 1 if count is None else count for name, count in record.counts.items()}
    state["t"] = {name: np.asarray(t) if isinstance(t := at_least_one[name], list) else t for name in begun["t"]}
    for (*way, last), held in {**record.slots, **record.numbers}.items():
        functools.reduce(lambda tree, key: tree.setdefault(key, {}), way, state)[last] = held
    for word in MORE:
        if word in begun and word in record.more:
            found = record.more[word]
            state[word] = np.asarray(found) if isinstance(found, list) else found
    return state


def counts(optimizer: Optimizer) -> bool:
    """Whether a step depends on the number of the update."""
    return "t" in optimizer.asks or callable(optimizer.lr) or looks_at_time(optimizer.chain)


def _copied(tree: Any) -> Any:
    return {key: _copied(x) for key, x in tree.items()} if isinstance(tree, dict) else tree


def held_slots(stage: Any, memory: Any, place: Place = ()) -> Iterator[tuple[Place, bool, Any]]:
    """Yield each slot's place, whether it is a number of the whole model, and what it holds."""
    for key, part in zip(stage.keys, stage.stages, strict=True):
        held, here = memory.get(key, {}), (*place, key)
        if isinstance(part, FunctionStage):
            kinds = part.declaration.memory
            yield from (((*here, slot), kinds[slot].of_model, x) for slot, x in held.items())
        else:
            yield from held_slots(part.inner if isinstance(part, Shell) else part, held, here)


def _stages(stage: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield each stage that has numbers of its own, with its path."""
    if isinstance(stage, At):
        yield f"{path} at", stage
    inner = stage.inner if isinstance(stage, Shell) else stage
    for key, part in zip(inner.keys, inner.stages, strict=True):
        here = f"{path}/{key}" if path else key
        if isinstance(part, FunctionStage):
            yield here, part
        else:
            yield from _stages(part, here)


def _said(value: Any) -> Any:
    """Return a hyper-parameter as JSON has it."""
    if isinstance(value, ByLeaf):
        return {"by": {name: _said(x) for name, x in value.values.items()}}
    if framework(value) is not None and hasattr(value, "tolist"):
        value = value.tolist()
    if callable(value):
        return SCHEDULE
    if isinstance(value, list | tuple):
        return [_said(x) for x in value]
    plain = value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))
    return value if plain else repr(value)
