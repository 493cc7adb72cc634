"""The family tree: which method each one grew from, and what it changes, as its docstring's line "From adam: ..." says."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from thalweg.methods import rules
from thalweg.rule import Rule

FROM = re.compile(r"^From (\w+)(?: and (\w+))?: (.+)\.$", re.MULTILINE)


@dataclass(frozen=True)
class Origin:
    """The methods that a rule grew from, the closest first, and what it changes in that one, as a clause."""

    parents: tuple[str, ...] = ()
    change: str = ""


def origin(rule: Rule) -> Origin:
    """Return the origin that the rule's docstring states; an empty one if it states none."""
    found = FROM.search(rule.doc)
    return Origin(tuple(filter(None, found.group(1, 2))), found[3]) if found else Origin()


def without_origin(text: str) -> str:
    """Return a docstring's text without its line of origin."""
    return FROM.sub("", text).strip("\n")


@functools.cache
def _origins() -> dict[str, Origin]:
    return {name: origin(rule) for name, rule in rules.items()}


def parents(name: str) -> tuple[str, ...]:
    """Return the names of the one or two methods that this one of the catalogue grew from, the closest first."""
    return _origins()[name].parents


def parent(name: str) -> str | None:
    """Return the name of the method that this one of the catalogue is a change of; None for a root."""
    return next(iter(parents(name)), None)


def change(name: str) -> str:
    """Return what this method of the catalogue changes in its parent, as a clause; "" for a root."""
    return _origins()[name].change


def children(name: str) -> list[str]:
    """Return the names of the methods whose parent this one is, the oldest first."""
    return sorted((other for other in _origins() if parent(other) == name), key=lambda child: (rules[child].year or 0, child))


def roots() -> list[str]:
    """Return the names of the methods that grew from none of the catalogue."""
    return [name for name in _origins() if parent(name) is None]


def line(name: str) -> list[str]:
    """Return the method and those that it grew from, parent by parent up to a root."""
    up = parent(name)
    return [name] if up is None else [name, *line(up)]
