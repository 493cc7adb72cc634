"""One optimizer in a comparison: its tuning trials, the chosen setting and the judging trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from thalweg.lab.data.problem import Floats
from thalweg.lab.protocol import blocks, protocol, tune
from thalweg.lab.protocol.searches import Search, quasi_random
from thalweg.lab.protocol.tune import End, Setting, Space
from thalweg.lab.trials.trials import Trial
from thalweg.rule import Rule

Role = Literal["rule", "control", "inclusion"]
WORST: End = (float("inf"), float("inf"))


@dataclass
class Candidate:
    """One rule in the comparison.

    label: its name there. role: a "rule" is ranked; a "control" repeats a rule with its own draws and seeds; an "inclusion"
    tunes more hyper-parameters, so that its space contains another rule. space: the search space; None for a rule that is
    not tuned. search: the search method.
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
        """The label of its draws and seeds: "" for those shared by all rules."""
        return self.space.draws if self.space else ""

    @property
    def default(self) -> Setting:
        """The untuned setting."""
        return Setting(float(self.rule.lr or 0.0))

    @property
    def failure(self) -> str | None:
        """Why a run had no result; what a training function raised, if it did so in all runs."""
        return failure((*self.tuning, *self.judging, *self.untuned))

    def opening(self) -> Sequence[Setting]:
        """The first settings to try."""
        return self.search(self.space, {}, 0) if self.space else ()

    def following(self, higher_is_better: bool) -> Sequence[Setting]:
        """The next settings to try; none once the budget is spent."""
        spent = len(self.tuning) // protocol.TUNING_SEEDS
        return self.search(self.space, self.ends(higher_is_better), spent) if self.space else ()

    def ends(self, higher_is_better: bool) -> dict[Setting, End]:
        """As the function `ends`, of all tuned settings. One that was stopped counts as the worst."""
        found = ends(self.tuning, higher_is_better)
        stopped = {trial.setting for trial in self.tuning if trial.stopped is not None}
        return {setting: WORST if setting in stopped else end for setting, end in found.items()}

    def scores_by_setting(self) -> Floats:
        """The final validation scores (settings, tuning seeds); of a diverged run the score at its start."""
        found: dict[Setting, list[float]] = {}
        for trial in self.tuning:
            curve = trial.score_curve or [np.nan]
            found.setdefault(trial.setting, []).append(curve[0] if trial.diverged else curve[-1])
        return np.array(list(found.values()), float).reshape(len(found), protocol.TUNING_SEEDS)

    def choose(self, higher_is_better: bool) -> None:
        """Choose the setting with the best final score; the loss breaks ties."""
        if self.tuned:
            ends = self.ends(higher_is_better)
            self.best = min(ends, key=lambda setting: (*ends[setting], setting.lr))

    @property
    def at_edge(self) -> str | None:
        """'low' or 'high' if the best learning rate is the smallest or largest one tried, otherwise None."""
        tried = sorted({trial.lr for trial in self.tuning})
        if len(tried) < 2 or self.best.lr not in (tried[0], tried[-1]):
            return None
        return "low" if self.best.lr == tried[0] else "high"


def ends(runs: Sequence[Trial], higher_is_better: bool) -> dict[Setting, End]:
    """For each setting the last median score (lower is better) and median loss. A diverged run counts as the worst."""
    sign, found = -1 if higher_is_better else 1, dict[Setting, list[End]]()
    for trial in runs:
        end = WORST if trial.diverged else (sign * trial.score_curve[-1], trial.loss_curve[-1])
        found.setdefault(trial.setting, []).append(end)
    return {setting: tuple(np.median(each, axis=0).tolist()) for setting, each in found.items()}


def failure(runs: Sequence[Trial]) -> str | None:
    """Why one of the runs had no result; what a training function raised, if it did so in all."""
    raised = runs[0].error if runs and all(run.error for run in runs) else None
    return next((run.failure for run in runs if run.failure), raised)


def candidates(
    rules: Sequence[Rule],
    budgets: Mapping[str, int],
    tuned: str = "lr",
    schedules: tuple[str, ...] = ("constant",),
    search: Search = quasi_random,
    block: int = 0,
) -> list[Candidate]:
    """The candidates: each rule; one rule again, as a control; and Adam with its epsilon tuned if momentum takes part, which
    that space contains. budgets: tuning trials by rule. block: the block, each of which has draws of its own.
    """

    def space(rule: Rule, draws: str = "") -> Space | None:
        if rule.search is None or not budgets[rule.name]:
            return None
        own, phase = blocks.label(draws, block), None if draws else blocks.phase(block)
        return Space(rule.search, budgets[rule.name], tune.axes(rule) if tuned == "all" else (), schedules, own, phase)

    found = [Candidate(rule, rule.name, space(rule), search=search) for rule in rules]
    named = {candidate.label: candidate for candidate in found if candidate.tuned}
    if named:
        twin = named.get(protocol.CONTROL) or next(iter(named.values()))
        found.append(Candidate(twin.rule, f"{twin.label} again", space(twin.rule, "control"), "control", search))
    if {"adam", "momentum"} <= set(named):
        adam, momentum = named["adam"].rule, named["momentum"].rule
        wider = _epsilon_free(adam, momentum, budgets["adam"], block)
        found.append(Candidate(adam, "adam, eps tuned", wider, "inclusion", search))
    return found


def _epsilon_free(adam: Rule, momentum: Rule, budget: int, block: int) -> Space | None:
    """The space of Adam's learning rate and eps, up to momentum's largest rate times the largest eps, where Adam is momentum."""
    if adam.search is None or momentum.search is None:
        return None
    own = tuple(axis for axis in tune.axes(adam) if axis.name == "eps")
    return Space((adam.search[0], 10 * momentum.search[1]), budget, own, draws=blocks.label("inclusion", block))
