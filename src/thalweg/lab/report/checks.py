"""Self-checks of a comparison: one optimizer under two names, and rules that contain others as special cases."""

from __future__ import annotations

import math

import numpy as np

from thalweg.lab.comparing.candidate import Candidate
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.report.schema.problem import Check
from thalweg.lab.statistics import power, stats
from thalweg.lab.statistics.scores import judged_scores

LUCK = (
    "Two tunings of one optimizer may end at different settings, which the seeds do not measure: on one problem that happens in "
    "about a fifth of runs (`thalweg lab verify` measures it), so a difference as small as this one may be due to chance in the "
    "tuning; a suite of problems decides"
)
"""The caveat that a test over seeds compares the settings found, not the optimizers."""


def run_checks(contest: Contest) -> list[Check]:
    """Run the checks for which this contest has candidates."""
    known = {candidate.label: candidate for candidate in contest.candidates}
    controls = [candidate for candidate in contest.candidates if candidate.role == "control"]
    made = [_control(contest, next(e for e in contest.candidates if e.rule is c.rule and e.compared), c) for c in controls]
    wider = next((candidate.label for candidate in contest.candidates if candidate.role == "inclusion"), "")
    pairs = [(wider, "momentum"), ("momentum", "sgd")]
    made += [_inclusion(contest, known[a], known[b]) for a, b in pairs if a in known and b in known]
    return made


def _control(contest: Contest, first: Candidate, second: Candidate) -> Check:
    means, p, _ = _compared(contest, first, second)
    held = p > stats.LEVEL
    told = f"{first.label} took part twice, the second time with tuning draws and judging seeds of its own, and the same test "
    told += ("cannot separate the two with so few seeds, whatever their scores" if _blind(first) else
             "does not separate the two, as expected" if held else f"separates the two. {LUCK}")  # fmt: skip
    return Check(
        kind="A/A control",
        first=first.label,
        second=second.label,
        scores=means,
        p=p,
        held=held,
        sentence=f"{told} (p = {p:.2g}).",
    )


def _inclusion(contest: Contest, general: Candidate, special: Candidate) -> Check:
    means, p, better = _compared(contest, general, special)
    held = p > stats.LEVEL or better
    told = f"{general.label} contains {special.label} as a special case, so it should not lose to it; it "
    told += (
        "does not" + (", as far as so few seeds can show" if _blind(general) else "")
        if held
        else "does, by more than noise: its search was too short or its range too narrow for this problem"
    )
    return Check(
        kind="inclusion",
        first=general.label,
        second=special.label,
        scores=means,
        p=p,
        held=held,
        sentence=f"{told} (p = {p:.2g}).",
    )


def _blind(candidate: Candidate) -> bool:
    """Whether there are too few seeds for a test to reach significance."""
    return len(candidate.judging) < power.least_seeds()


def _compared(contest: Contest, a: Candidate, b: Candidate) -> tuple[list[float | None], float, bool]:
    """Both means, the p-value, and whether the first mean is at least as good."""
    higher = contest.problem.score.higher_is_better
    scores = {candidate.label: judged_scores(candidate.judging, higher) for candidate in (a, b)}
    one, other = stats.settled(scores, higher)
    p = stats.permutation(one - other)
    first, second = (float(np.mean(found)) for found in scores.values())
    better = first >= second if higher else first <= second
    shown: list[float | None] = [x if math.isfinite(x) else None for x in (first, second)]
    return shown, p, better
