"""Load a user's rules from a file."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from thalweg.core.stage import At, Stage
from thalweg.form.hyper import nearest
from thalweg.lab.refusal import Refusal
from thalweg.lab.user import user_file
from thalweg.methods import rules
from thalweg.rule import Rule, recipe, rule
from thalweg.values.numerals import short

WIDE = 100.0
"""A user's rule without a range is tuned from its default learning rate divided by this to the rate times this: without
tuning it would be at a disadvantage."""


def load(paths: Iterable[Path], lost: Collection[str] = ()) -> dict[str, Rule]:
    """The rules declared in Python files, by name. Each of the `lost` rules is replaced by a `stand_in` and not tried.

    Raises Refusal for a file without rules or with an invalid one, and for two rules of the same name.
    The files are executed as Python programs.
    """
    found: dict[str, Rule] = {}
    home: dict[str, Path] = {}
    for path in paths:
        given = declared(path)
        refuse_twice(path, given, home)
        for name, own in given.items():
            found[name] = stand_in(name, own.lr, own.search) if name in lost else checked(path, own)
    return found


def declared(path: Path) -> dict[str, Rule]:
    """The rules in a Python file that have a learning rate, their own or that of a part, by name; a single rule may lack one.

    A chain or another configured stage that the file assigns to a name without an underscore in front is a rule of this name.
    path: of a file, or "FILE.py:NAME" for one of its rules. Raises Refusal for a file without rules, or with two of one name.
    """
    file, only = place(path)
    module = user_file.run(file, "a rule")
    found: dict[str, Rule] = {}
    for own in (*_declared(module), *_joined(file, module)):
        if found.setdefault(own.name, own) is not own:
            raise Refusal(f"{file}: two rules in it are called '{own.name}'; give one of them another name")
    if not found:
        raise Refusal(f"{file}: no rule in it; one is a function under @rule(lr=..., search=(low, high))")
    rated = {name: with_rate(rule) for name, rule in found.items()}
    if only is not None:
        if only not in rated:
            raise Refusal(f"{file}: no rule in it is called '{only}'; there are {', '.join(rated)}{nearest(only, rated)}")
        return {only: rated[only]}
    without = [name for name, rule in rated.items() if rule.lr is None]
    if without and len(found) > 1 and not any(_joins(rule) for rule in found.values()):
        raise Refusal(
            f"{file}: '{without[0]}' has no learning rate, so it cannot be compared: @rule(lr=0.01), with its usual rate; a "
            "stage that others join with is for a recipe"
        )
    return {name: rule for name, rule in rated.items() if name not in without or len(found) == 1}


def place(path: Path) -> tuple[Path, str | None]:
    """The file and the rule's name in "FILE.py:NAME"; None without one."""
    file, colon, name = str(path).rpartition(":")
    return (Path(file), name) if colon and file.endswith(".py") and name.isidentifier() else (path, None)


def _declared(module: ModuleType) -> Iterator[Rule]:
    """The rules that a file declares, each once, whatever names it has."""
    own = [rule for rule in vars(module).values() if isinstance(rule, Rule) and rule.__module__ == module.__name__]
    yield from {id(rule): rule for rule in own}.values()


def _joined(file: Path, module: ModuleType) -> Iterator[Rule]:
    """A recipe for each stage that a file assigns to a name."""
    for statement in ast.parse(file.read_bytes()).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        for target in targets:
            name = target.id if isinstance(target, ast.Name) else "_"
            if isinstance(stage := vars(module).get(name), Stage) and not name.startswith("_"):
                yield _recipe(name, stage, f"{name} = {ast.unparse(statement.value)}", module.__name__)  # type: ignore[attr-defined]


def _recipe(name: str, stage: Stage, written: str, module: str) -> Rule:
    """A recipe that is a configured stage. written: its source."""
    rated = isinstance(stage, At) and isinstance(stage.rate, int | float)
    inner = stage.inner if isinstance(stage, At) and rated else stage  # its own rate is where tuning begins

    def joined() -> Stage:
        return inner

    joined.__name__ = joined.__qualname__ = name
    joined.__module__, joined.__doc__ = module, f"{str(stage)[1:-1]}"
    joined.written = written  # type: ignore[attr-defined]
    made: Rule = recipe(lr=stage.rate if isinstance(stage, At) and rated else None)(joined)
    return made


def _joins(rule: Rule) -> bool:
    """Whether the rule is a recipe, which may use stages defined in the same file."""
    return rule.function.__code__.co_argcount == 0


def refuse_twice(path: Path, names: Iterable[str], home: dict[str, Path]) -> None:
    """Raises Refusal for a rule name used in another file. home: known names with their files; the new ones are added."""
    for name in names:
        if place(home.setdefault(name, path))[0] != place(path)[0]:
            raise Refusal(f"{path}: {home[name]} has a rule called '{name}' too; give one of them another name")


def with_rate(rule: Rule) -> Rule:
    """A recipe without a learning rate gets that of its parts, at which it runs, with the range of the part that has it; other
    rules are returned unchanged.
    """
    if rule.lr is None:
        with suppress(Exception):  # `checked` reports the error
            lr, parts = (stage := rule()).lr, [part.rule for part in stage.functions if isinstance(part.rule, Rule)]
            ranges = [part.search for part in parts if lr is not None and part.lr == lr]
            return replace(rule, lr=lr, search=rule.search or (ranges[0] if ranges else None))
    return rule


def stand_in(name: str, lr: float | None = None, search: tuple[float, float] | None = None) -> Rule:
    """A placeholder with a row in the results for a rule whose file ends or hangs Python; it is never run."""

    def nothing(g: Any) -> Any:
        """Ends or hangs Python where it is read."""
        return g

    nothing.__name__, nothing.__module__ = name, "thalweg_user"
    made: Rule = rule(lr=lr, search=search)(nothing)
    return made


def checked(path: Path, rule: Rule) -> Rule:
    """The rule with a tuning range, after a trial run on symbols. Raises Refusal for a rule that cannot be compared."""
    if rule.name in rules:
        raise Refusal(f"{path}: thalweg has a rule called '{rule.name}' already; give yours another name")
    if rule.lr is None:
        raise Refusal(f"{path}: '{rule.name}' needs a learning rate and a range to search, @rule(lr=0.01, search=(1e-4, 1.0))")
    if not _is_rate(rule.lr):
        raise Refusal(f"{path}: '{rule.name}' has the learning rate lr={rule.lr!r}; wanted a number above 0")
    if rule.search is not None and not _is_range(rule.search):
        raise Refusal(f"{path}: '{rule.name}' has the range search={rule.search!r}; wanted (low, high) with 0 < low < high")
    try:
        with user_file.with_alarm():
            rule.cost()  # configures the rule and runs it on symbols
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise user_file.refusal(path, error) from error
    return rule if rule.search is not None else replace(rule, search=(short(rule.lr / WIDE), short(rule.lr * WIDE)))


def _is_rate(x: Any) -> bool:
    return isinstance(x, int | float) and 0 < x < math.inf


def _is_range(x: Any) -> bool:
    return isinstance(x, tuple | list) and len(x) == 2 and all(map(_is_rate, x)) and x[0] < x[1]
