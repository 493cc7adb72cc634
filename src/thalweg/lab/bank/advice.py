"""What is advised, as values: the rules in the order in which to try them, and how sure that order is."""

from __future__ import annotations

from dataclasses import dataclass, field

from thalweg.lab.bank.choice import Regrets
from thalweg.lab.bank.table import Bank
from thalweg.lab.statistics.shares import Estimate

GENERAL = "any"
"""The kind where none is said: all problems with data."""


@dataclass(frozen=True)
class Advised:
    """A rule in an advice.

    gap, untuned: how far it is behind the best on average, tuned and at its usual rate, as shares of the way from the start.
    behind: how much further than the first; the interval is for all pairs of rules at once. alike: whether that may be nothing.
    near: on how many of the problems of the kind it is within 5 % of the way of the best. worst: the problem of the kind where
    its gap is the largest, and that gap. lr: the median of the rates that were chosen for it there, and the lowest and the
    highest. gradients: whether it asks for more than one gradient a step.
    """

    rule: str
    gap: Estimate
    untuned: Estimate
    behind: Estimate
    near: int
    worst: tuple[str, float]
    lr: tuple[float, float, float]
    gradients: bool

    @property
    def alike(self) -> bool:
        return not self.behind.low > 0


@dataclass(frozen=True)
class Facts:
    """An advice in numbers.

    kind: the kind of problem; "any": all of the lab's problems with data. problems, others: the problems of the kind on which it
    rests, and those of other kinds. data: how many different data these have. rows: all rules that were measured, the first to
    try first. untuned: the rule to try if nothing is tuned. regrets: how such choices did on data that had no part in them,
    "tuned" and "untuned". bank: the rows that it rests on. told: what is not used, and what else is to be known.
    """

    kind: str
    problems: tuple[str, ...]
    others: tuple[str, ...]
    data: int
    rows: tuple[Advised, ...] = field(repr=False)
    untuned: str
    regrets: dict[str, Regrets] = field(repr=False)
    bank: Bank = field(repr=False)
    told: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The rule to try first, with its learning rate tuned."""
        return self.rows[0].rule

    def row(self, rule: str) -> Advised:
        """The row of a rule. Raises KeyError if it was not measured."""
        return {row.rule: row for row in self.rows}[rule]
