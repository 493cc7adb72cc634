"""One optimizer's way through a comparison: what it is tried at, what it chooses, how it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from thalweg.lab.protocol import protocol, tune
from thalweg.lab.protocol.searches import Search, quasi_random
from thalweg.lab.protocol.tune import End, Setting, Space
from thalweg.lab.trials.trials import Trial
from thalweg.rule import Rule

Role = Literal["rule", "control", "inclusion"]
WORST: End = (float("inf"), float("inf"))


@dataclass
class Candidate:
    """One rule's way through the comparison.

    label: what it is called there. role: a "rule" is ranked; a "control" is one of them once more, with draws and seeds of
    its own; an "inclusion" has more of its hyper-parameters tuned, so that it holds another rule in it. space: what is
    tuned; None for a rule that runs as it is shipped. search: how what it is tried at is chosen.
    """

    rule: Rule
    label: str
    space: Space | None
    role: Role = "rule"
    search: Search = quasi_random
    tuning: list[Trial] = field(default_factory=list)
    judging: list[Trial] = field(default_factory=list)
    untuned: list[Trial] = field(default_factory=list)
    best: Setting = field(init=False)

    def __post_init__(self) -> None:
        self.best = self.default

    @property
    def compared(self) -> bool:
        return self.role == "rule"

    @property
    def tuned(self) -> bool:
        return self.space is not None

    @property
    def draws(self) -> str:
        """Whose draws and seeds it has: all rules' ("") or its own."""
        return self.space.draws if self.space else ""

    @property
    def default(self) -> Setting:
        """The rule as it comes."""
        return Setting(float(self.rule.lr or 0.0))

    @property
    def failure(self) -> str | None:
        return next((t.failure for t in (*self.tuning, *self.judging, *self.untuned) if t.failure), None)

    def opening(self) -> Sequence[Setting]:
        """What it is tried at first."""
        return self.search(self.space, {}, 0) if self.space else ()

    def following(self, higher_is_better: bool) -> Sequence[Setting]:
        """What it is tried at then; nothing once its budget is spent."""
        spent = len(self.tuning) // protocol.TUNING_SEEDS
        return self.search(self.space, self.ends(higher_is_better), spent) if self.space else ()

    def ends(self, higher_is_better: bool) -> dict[Setting, End]:
        """How each setting that was tuned ended: the median score, lower the better, and the median loss; a diverged run
        counts as the worst.
        """
        sign, found = -1 if higher_is_better else 1, dict[Setting, list[End]]()
        for trial in self.tuning:
            end = WORST if trial.diverged else (sign * trial.score_curve[-1], trial.loss_curve[-1])
            found.setdefault(trial.setting, []).append(end)
        return {setting: tuple(np.median(ends, axis=0).tolist()) for setting, ends in found.items()}

    def choose(self, higher_is_better: bool) -> None:
        """Take the setting with the best end: score first, loss where two are even."""
        if self.tuned:
            ends = self.ends(higher_is_better)
            self.best = min(ends, key=lambda setting: (*ends[setting], setting.lr))

    @property
    def at_edge(self) -> str | None:
        """'low' or 'high' where the best learning rate is the smallest or largest one tried."""
        tried = sorted({trial.lr for trial in self.tuning})
        if len(tried) < 2 or self.best.lr not in (tried[0], tried[-1]):
            return None
        return "low" if self.best.lr == tried[0] else "high"


def candidates(
    rules: Sequence[Rule],
    budgets: Mapping[str, int],
    tuned: str = "lr",
    schedules: tuple[str, ...] = ("constant",),
    search: Search = quasi_random,
) -> list[Candidate]:
    """Who takes part: each rule; one of them a second time, as a control; Adam with its epsilon tuned, where momentum, which
    it then holds in it, is there. budgets: how many trials each rule has.
    """

    def space(rule: Rule, draws: str = "") -> Space | None:
        if rule.search is None:
            return None
        return Space(rule.search, budgets[rule.name], tune.axes(rule) if tuned == "all" else (), schedules, draws)

    found = [Candidate(rule, rule.name, space(rule), search=search) for rule in rules]
    named = {candidate.label: candidate for candidate in found if candidate.tuned}
    if named:
        twin = named.get(protocol.CONTROL) or next(iter(named.values()))
        found.append(Candidate(twin.rule, f"{twin.label} again", space(twin.rule, "control"), "control", search))
    if {"adam", "momentum"} <= set(named):
        adam, momentum = named["adam"].rule, named["momentum"].rule
        found.append(Candidate(adam, "adam, eps tuned", _epsilon_free(adam, momentum, budgets["adam"]), "inclusion", search))
    return found


def _epsilon_free(adam: Rule, momentum: Rule, budget: int) -> Space | None:
    """Adam's learning rate and eps, the one as far as momentum's times the largest of the other: there it is momentum."""
    if adam.search is None or momentum.search is None:
        return None
    own = tuple(axis for axis in tune.axes(adam) if axis.name == "eps")
    return Space((adam.search[0], 10 * momentum.search[1]), budget, own, draws="inclusion")
