"""The arguments of a race, with the checks that need only the catalogue and so run at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from thalweg.core.compose import refuses_vectors
from thalweg.form.hyper import nearest
from thalweg.lab import problems
from thalweg.lab.data.surface import Surface
from thalweg.lab.race.ground import Array
from thalweg.lab.refusal import Refusal
from thalweg.lab.user.my_rule import place
from thalweg.lab.user.user_file import refuse_missing
from thalweg.methods import rules
from thalweg.rule import Rule

SUFFIXES = (".png", ".gif", ".html")


@dataclass(frozen=True)
class Asked:
    """The checked arguments of a race.

    names: None for all rules. show: those in colour; empty: the best. my_rule: the user's files. start: a point (d,). target: the
    file to write.
    """

    surface: Surface
    names: tuple[str, ...] | None
    my_rule: tuple[Path, ...]
    steps: int
    lr: Literal["tuned", "default"] | float
    start: Array
    seed: int
    error: Literal["value", "distance"]
    target: Path
    show: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Asked:
        """Parse the command line's options. Raises Refusal for any that are invalid regardless of the user's files."""
        surface = _surface(given["surface"])
        target = _target(given["out"] or Path(f"race-{surface.name}.png"))
        steps, lr, start = given["steps"] or surface.steps, _rate(given["lr"]), _start(given["start"], surface)
        names = None if given["names"] is None else named(given["names"])
        for path in given["my_rule"]:
            refuse_missing(place(path)[0])
        if not given["my_rule"]:
            chosen(names, {})
        show = () if given["show"] is None else named(given["show"], "--show")
        return cls(surface, names, given["my_rule"], steps, lr, start, given["seed"], given["error"], target, show)


def _surface(name: str) -> Surface:
    plain = name.strip().lower().replace("-", "_")
    if plain in problems.names() and problems.kind_of(plain) is Surface:
        found: Surface = problems.problem(plain)  # type: ignore[assignment]
        return found
    known = problems.of_kind(Surface)
    raise Refusal(f"no surface is called {name!r}; there are {', '.join(known)}{nearest(plain, known)}")


def named(text: str, option: str = "--rules") -> tuple[str, ...]:
    """The names in a list with commas. Raises Refusal if there is none."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise Refusal(f"{option} names no optimizer; write for instance {option} sgd,momentum,adam")
    return names


def chosen(names: tuple[str, ...] | None, own: Mapping[str, Rule]) -> list[str]:
    """The named rules (default: all) and the user's own. Raises Refusal for a rule that cannot race."""
    for name, rule in own.items():
        _check_shape(name, rule)
    if names is None:
        return [*(name for name in rules if not refuses_vectors(rules[name]())), *own]
    try:
        found = [name if name in own else rules[name].name for name in names]
    except KeyError as error:
        raise Refusal(error.args[0]) from None
    for name in found:
        _check_shape(name, own.get(name) or rules[name])
    return list(dict.fromkeys([*found, *own]))


def in_colour(show: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
    """The names of --show in the catalogue's spelling. Raises Refusal for one that does not race."""
    found = tuple(rules[name].name if name in rules else name for name in show)
    for name in found:
        if name not in names:
            raise Refusal(f"--show {name}: it is not in this race{nearest(name, names)}")
    return found


def _check_shape(name: str, rule: Rule) -> None:
    if refuses_vectors(rule()):
        raise Refusal(f"{name} is for matrices, and a point on a surface is none")


def _rate(text: str) -> Literal["tuned", "default"] | float:
    if text == "tuned":
        return "tuned"
    if text == "default":
        return "default"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (0 < value < float("inf")):
        raise Refusal(f"--lr is 'tuned', 'default' or a number above 0, not {text!r}")
    return value


def _start(text: str | None, surface: Surface) -> Array:
    if text is None:
        return surface.start
    try:
        point = np.array([float(x) for x in text.split(",")])
    except ValueError:
        raise Refusal(f"--start takes numbers such as -3 or 0.5,-1, not {text!r}") from None
    if point.size != surface.start.size or not np.isfinite(point).all():
        raise Refusal(f"{surface.name} is a surface of {surface.start.size} dimension(s); --start {text} does not fit it")
    return point


def _target(path: Path) -> Path:
    """Return the path after checking that a file can be written there. Leaves nothing behind."""
    if path.suffix.lower() not in SUFFIXES:
        raise Refusal(f"--out {path}: the file's name must end in .png, .gif or .html")
    if path.is_dir():
        raise Refusal(f"--out {path} is a folder; give the name of a file")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    except OSError as error:
        raise Refusal(f"--out {path} cannot be written: {error.strerror}") from None
    os.close(handle)
    os.unlink(name)
    return path
