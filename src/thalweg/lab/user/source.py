"""The sources of a comparison's problem and rules."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

from thalweg.lab import problems
from thalweg.lab.data import datasets
from thalweg.lab.data.problem import Problem
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.user import my_problem, my_rule, probe
from thalweg.lab.user.my_training import Reference
from thalweg.methods import rules as catalogue
from thalweg.rule import Rule


@dataclass(frozen=True)
class Source:
    """The sources of the problem and the user's rules, in a form to send to worker processes."""

    problem: str | None = None
    data: Path | None = None
    target: str | None = None
    task: str | None = None
    my_rule: tuple[Path, ...] = ()
    """The user's files with rules."""
    lost: tuple[tuple[str, str], ...] = ()
    """The user's rules that cannot run, with the reasons; see `probe`."""
    train: Reference | None = None
    """The user's training function, if that is the problem."""
    block: int = 0
    """The block of the comparison."""
    ignore: tuple[str, ...] = ()
    """Columns of the data that are left out."""
    strict: bool = False
    """Whether data with anything doubtful are refused."""
    validations: int | None = None
    """How often a run of the training function computes its score on the way, as a pilot decided; see `TrainingFunction`."""

    @property
    def holds_code(self) -> bool:
        """Whether it contains code of the user's, which may exit, hang or print and must not run in this process."""
        return bool(self.my_rule) or self.own_problem or self.train is not None

    @property
    def stays_here(self) -> bool:
        """Whether the problem cannot be sent to another process."""
        return self.train is not None and self.train.held is not None

    @property
    def own_problem(self) -> bool:
        """Whether the problem is a user's file."""
        return (self.problem or "").endswith(".py")

    @property
    def splits(self) -> bool:
        """Whether the lab splits the problem's data, in each block anew."""
        if self.train is not None or self.own_problem:
            return False
        return self.data is not None or problems.splits(self.problem or problems.USUAL)

    def see_problem(self) -> Problem:
        """The problem, or, for a user's file or function, its description without running it here."""
        if self.train is not None:
            return replace(self.train.described(), block=self.block, validations=self.validations)
        return probe.problem(Path(self.problem)) if self.problem and self.own_problem else self.load_problem()

    def load_problem(self) -> Problem:
        if self.train is not None:
            return self.train.load()
        if self.data is not None:
            return datasets.load(self.data, self.target, self.task, self.block, ignore=self.ignore, strict=self.strict)
        name = self.problem or problems.USUAL
        return my_problem.load(Path(name)) if self.own_problem else problems.problem(name, self.block)

    def load_rules(self) -> dict[str, Rule]:
        """All rules: those of the catalogue and the user's."""
        names = [name for name, _ in self.lost]
        own = my_rule.load(self.my_rule, names)
        return {**catalogue, **{name: my_rule.stand_in(name) for name in names}, **own}


def loaded(source: Source) -> tuple[Problem, dict[str, Rule]]:
    """The problem and the rules of a source, loaded once per process: the rules for all blocks, and so the problem, unless it
    is split anew in each.
    """
    first = replace(source, block=0, validations=None)
    problem = _problem(source if source.splits else first)
    if isinstance(problem, TrainingFunction):
        problem = replace(problem, block=source.block, validations=source.validations)
    return problem, _rules(first)


@functools.lru_cache(maxsize=64)
def _problem(source: Source) -> Problem:
    return source.load_problem()


@functools.lru_cache(maxsize=64)
def _rules(source: Source) -> dict[str, Rule]:
    return source.load_rules()


@dataclass(frozen=True)
class OwnFiles:
    """The user's rules by name, with the files among theirs that run, and the lost rules with the reasons; see `probe`."""

    rules: dict[str, Rule]
    readable: tuple[Path, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, paths: tuple[Path, ...]) -> OwnFiles:
        """Read the files, first in a process of their own. Raises Refusal for one that is invalid."""
        if not paths:
            return cls({})
        readable, lost = probe.rules(paths)
        found = Source(my_rule=readable, lost=lost).load_rules()
        return cls({name: rule for name, rule in found.items() if name not in catalogue}, readable, lost)
