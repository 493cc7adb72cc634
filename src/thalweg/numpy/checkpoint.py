"""Checks of a saved state_dict against the optimizer that is to take it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from thalweg.form.hyper import with_parts


def groups_of(state_dict: Any, mine: dict[str, Any], hyper: Collection[str], who: str) -> list[dict[str, Any]]:
    """Return the saved groups. Raises KeyError or ValueError if they are of another optimizer or of other parameters.

    mine: the optimizer's own state_dict. hyper: what a group of its chain may set, and need not.
    """
    if not isinstance(state_dict, dict) or not {"groups", "state"} <= state_dict.keys():
        raise ValueError(f"this is no state_dict of {who}: one has 'groups' and 'state'")
    groups = state_dict["groups"]
    if _saver(state_dict) != mine["optimizer"] and _slots(state_dict["state"]) != _slots(mine["state"]):
        theirs, own = _listed_slots(state_dict), _listed_slots(mine)
        raise ValueError(f"a state_dict of {_saver(state_dict)} ({theirs}) cannot be loaded into {mine['optimizer']} ({own})")
    if [group["params"] for group in groups] != [group["params"] for group in mine["groups"]]:
        raise ValueError(f"these are other parameters: {_listed(groups)}; here they are {_listed(mine['groups'])}")
    groups = [with_parts(saved, own) for saved, own in zip(groups, mine["groups"], strict=True)]
    for saved, own in zip(groups, mine["groups"], strict=True):
        if set(saved) - set(hyper) != set(own) - set(hyper):
            raise KeyError(f"{between(state_dict, mine)}: its group has {', '.join(saved)}; here one has {', '.join(own)}")
    return groups


def between(state_dict: dict[str, Any], mine: dict[str, Any]) -> str:
    """Return the beginning of a message that one state_dict does not fit the other's optimizer."""
    return f"a state_dict of {_saver(state_dict)} cannot be loaded into {mine['optimizer']}"


def _saver(state_dict: dict[str, Any]) -> str:
    return str(state_dict.get("optimizer", "another optimizer"))


def _slots(state: Any) -> set[str]:
    """Return "stage.slot" for each slot with memory."""
    memory = state.get("memory", {}) if isinstance(state, dict) else {}
    stages = memory if isinstance(memory, dict) else {}
    return {f"{stage}.{slot}" for stage, held in stages.items() for slot in (held if isinstance(held, dict) else ())}


def _listed_slots(state_dict: dict[str, Any]) -> str:
    found = sorted(_slots(state_dict["state"]))
    return f"with the memory {', '.join(found)}" if found else "without memory"


def _listed(groups: list[dict[str, Any]]) -> str:
    return "; ".join(", ".join(group["params"]) for group in groups)
