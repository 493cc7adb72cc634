"""The slots of a state's memory, by stage: whether they are those of a transformation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from thalweg.jax.checks import ANEW

Slots = Mapping[str, Any]
"""Memory by stage and slot. That of a transformation for no parameters has an empty dict for each slot that is a tree."""


def check_slots(memory: Any, table: Slots, names: Mapping[str, str], name: str) -> None:
    """Raise ValueError if a state has other slots than the transformation.

    memory, table: with the rule's names for slots; the table is of no parameters. names: the state's names.
    """
    has, keeps = (", ".join(_paths(held, names)) for held in (memory, table))
    if any(_more(memory, table)):
        raise ValueError(
            f"the state is of another transformation: it has the memory {has}, and this is {name}, which keeps "
            f"{keeps or 'none'}; {ANEW}"
        )
    lost = ", ".join(in_state(path, names) for path in _lost(memory, table))
    if lost:
        raise ValueError(
            f"the state lacks the memory {lost} of {name}: it has {has or 'none'}; hand over all that init(params) or update "
            "returned, or begin anew with init(params)"
        )


def _more(memory: Any, table: Slots) -> Iterator[bool]:
    """Yield, for each slot, whether it is in the memory only."""
    for key, held in memory.items():
        if _holds_slots(table.get(key)) and isinstance(held, dict):
            yield from _more(held, table[key])
        else:
            yield key not in table or _holds_slots(table[key])


def _lost(memory: Slots, table: Slots, path: str = "") -> Iterator[str]:
    """Yield the paths of slots that are in the table only."""
    for key, wanted in table.items():
        if _holds_slots(wanted):
            yield from _lost(memory.get(key, {}), wanted, f"{path}{key}.")
        elif key not in memory:
            yield f"{path}{key}"


def _holds_slots(entry: Any) -> bool:
    """Whether an entry of a table is a stage or a branch; a slot that is a tree has an empty one."""
    return isinstance(entry, dict) and bool(entry)


def _paths(memory: Any, names: Mapping[str, str]) -> list[str]:
    """Return the stages' names, with the names of what each holds."""
    pairs = [(key, held if _holds_slots(held) else ("",)) for key, held in memory.items()]
    return [in_state(f"{key}.{slot}".rstrip("."), names) for key, held in pairs for slot in held]


def in_state(path: str, names: Mapping[str, str]) -> str:
    return f"{path.partition('.')[0]}.{names[path]}" if path in names else path


def slots(memory: Slots, table: Slots, path: str = "") -> Iterator[tuple[str, Any, bool]]:
    """Yield each slot's path, what it holds, and whether that is a tree like the parameters."""
    for key, held in memory.items():
        if _holds_slots(table[key]):
            yield from slots(held, table[key], f"{path}{key}.")
        else:
            yield f"{path}{key}", held, table[key] == {}


def check_places(slot: str, held: Mapping[str, Any], wanted: Mapping[str, Any], name: str) -> None:
    """Raise ValueError if a slot has memory for other tensors than wanted."""
    if set(held) != set(wanted):
        has, keeps = (", ".join(sorted(tensors)) or "none" for tensors in (held, wanted))
        raise ValueError(
            f"the state is of another transformation: it has {slot} for the tensors {has}, and this is {name}, which keeps it "
            f"for {keeps}; {ANEW}"
        )
