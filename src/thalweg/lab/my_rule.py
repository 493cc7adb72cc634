"""A rule of the user's own, from a file."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from thalweg.catalogue import rules
from thalweg.commands.refusal import Refusal
from thalweg.lab import user_file
from thalweg.rule import Rule, rule


def load(path: Path, lost: Collection[str] = ()) -> dict[str, Rule]:
    """The rules declared in a Python file, by name; those that are lost are not tried, and a `stand_in` comes for each.

    Raises Refusal, in one sentence, for a file that gives none, or gives one that is none. The file is run, as any
    Python program is.
    """
    given = declared(path)
    return {name: stand_in(name, rule.lr, rule.search) if name in lost else checked(path, rule) for name, rule in given.items()}


def declared(path: Path) -> dict[str, Rule]:
    """The rules in a Python file as they are, by name. Raises Refusal for a file that gives none."""
    module = user_file.run(path, "a rule")
    found = {rule.name: rule for rule in vars(module).values() if isinstance(rule, Rule) and rule.__module__ == module.__name__}
    if not found:
        raise Refusal(f"{path}: no rule in it; one is a function under @rule(lr=..., search=(low, high))")
    return {name: rule for name, rule in found.items() if rule.lr is not None or len(found) == 1}


def stand_in(name: str, lr: float | None = None, search: tuple[float, float] | None = None) -> Rule:
    """In the place of a rule that ends or hangs Python as soon as it is looked at: it is never run, and has a row."""

    def nothing(g: Any) -> Any:
        """Ends or hangs Python where it is read."""
        return g

    nothing.__name__, nothing.__module__ = name, "thalweg_user"
    made: Rule = rule(lr=lr, search=search)(nothing)
    return made


def checked(path: Path, rule: Rule) -> Rule:
    """A rule that can be compared: tried on symbols. Raises Refusal, in one sentence, for one that cannot."""
    if rule.name in rules:
        raise Refusal(f"{path}: thalweg has a rule called '{rule.name}' already; give yours another name")
    if rule.lr is None:
        raise Refusal(f"{path}: '{rule.name}' needs a learning rate and a range to search, @rule(lr=0.01, search=(1e-4, 1.0))")
    if not _is_rate(rule.lr):
        raise Refusal(f"{path}: '{rule.name}' has the learning rate lr={rule.lr!r}; wanted a number above 0")
    if rule.search is not None and not _is_range(rule.search):
        raise Refusal(f"{path}: '{rule.name}' has the range search={rule.search!r}; wanted (low, high) with 0 < low < high")
    try:
        with user_file.guarded():
            rule.cost()  # configures it, and runs it on symbols
    except (Exception, SystemExit) as error:
        raise user_file.refusal(path, error) from error
    return rule


def _is_rate(x: Any) -> bool:
    return isinstance(x, int | float) and 0 < x < math.inf


def _is_range(x: Any) -> bool:
    return isinstance(x, tuple | list) and len(x) == 2 and all(map(_is_rate, x)) and x[0] < x[1]
