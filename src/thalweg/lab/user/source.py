"""Where a comparison's problem and rules come from."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from thalweg.lab import problems
from thalweg.lab.data import datasets
from thalweg.lab.data.problem import Problem
from thalweg.lab.user import my_problem, my_rule, probe
from thalweg.methods import rules as catalogue
from thalweg.rule import Rule


@dataclass(frozen=True)
class Source:
    """Where the problem and the user's rules come from, as a worker process can be told."""

    problem: str | None = None
    data: Path | None = None
    target: str | None = None
    task: str | None = None
    my_rule: tuple[Path, ...] = ()
    """The files with rules of the user's."""
    lost: tuple[tuple[str, str], ...] = ()
    """Rules of the user's that cannot be run at all, and why not; see `probe`."""

    @property
    def holds_code(self) -> bool:
        """Whether code of the user's runs in it: it may end, hang or print, and has no place in this process."""
        return bool(self.my_rule) or self.own_problem

    @property
    def own_problem(self) -> bool:
        """Whether the problem is code of the user's."""
        return (self.problem or "").endswith(".py")

    def see_problem(self) -> Problem:
        """The problem; where it is code of the user's, what can be known of it without running that here."""
        return probe.problem(Path(self.problem)) if self.problem and self.own_problem else self.load_problem()

    def load_problem(self) -> Problem:
        if self.data is not None:
            return datasets.load(self.data, self.target, self.task)
        name = self.problem or "digits"
        return my_problem.load(Path(name)) if self.own_problem else problems.problem(name)

    def load_rules(self) -> dict[str, Rule]:
        """All rules there are: the catalogue's and the user's."""
        names = [name for name, _ in self.lost]
        own = my_rule.load(self.my_rule, names)
        return {**catalogue, **{name: my_rule.stand_in(name) for name in names}, **own}


@functools.lru_cache(maxsize=64)
def loaded(source: Source) -> tuple[Problem, dict[str, Rule]]:
    """The problem and the rules of a source, loaded once a process."""
    return source.load_problem(), source.load_rules()
