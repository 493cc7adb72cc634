"""Self-checks of a comparison: one optimizer under two names, and rules that contain others as special cases."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thalweg.lab.comparing.entrant import Entrant
from thalweg.lab.report.schema.problem import Check
from thalweg.lab.report.words.blocks import unit
from thalweg.lab.statistics import power, stats

LUCK = (
    "Two tunings of one optimizer may end at different settings, which the seeds do not measure: on one problem that happens in "
    "about a fifth of runs (`thalweg lab verify` measures it), so a difference as small as this one may be due to chance in the "
    "tuning; several blocks (--blocks 8), or a suite of problems, decide"
)
"""The caveat that a test over seeds compares the settings found, not the optimizers."""
RARE = "Over blocks, each tuned anew, that happens in one comparison of twenty by chance"
"""The same where there are several blocks."""


def run_checks(everyone: Sequence[Entrant], higher: bool) -> list[Check]:
    """Run the checks for which there are entrants. higher: whether a higher score is better."""
    known = {entrant.label: entrant for entrant in everyone}
    controls = [entrant for entrant in everyone if entrant.role == "control"]
    made = [_control(next(e for e in everyone if e.rule is c.rule and e.compared), c, higher) for c in controls]
    wider = next((entrant.label for entrant in everyone if entrant.role == "inclusion"), "")
    pairs = [(wider, "momentum"), ("momentum", "sgd")]
    made += [_inclusion(known[a], known[b], higher) for a, b in pairs if a in known and b in known]
    return made


def _control(first: Entrant, second: Entrant, higher: bool) -> Check:
    means, p, _ = _compared(first, second, higher)
    held = p > stats.LEVEL
    told = f"{first.label} took part twice, the second time with tuning draws and judging seeds of its own, and the same test "
    told += (f"cannot separate the two with so few {_units(first)}, whatever their scores" if _blind(first) else
             "does not separate the two, as expected" if held else
             f"separates the two. {LUCK if len(first.blocks) == 1 else RARE}")  # fmt: skip
    return Check(
        kind="A/A control",
        first=first.label,
        second=second.label,
        scores=means,
        p=p,
        held=held,
        sentence=f"{told} (p = {p:.2g}).",
    )


def _inclusion(general: Entrant, special: Entrant, higher: bool) -> Check:
    means, p, better = _compared(general, special, higher)
    held = p > stats.LEVEL or better
    told = f"{general.label} contains {special.label} as a special case, so it should not lose to it; it "
    told += (
        "does not" + (f", as far as so few {_units(general)} can show" if _blind(general) else "")
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


def _blind(entrant: Entrant) -> bool:
    """Whether there are too few seeds, or blocks, for a test to reach significance."""
    return len(entrant.scores(True)) < power.least_seeds()


def _units(entrant: Entrant) -> str:
    return unit(len(entrant.blocks))


def _compared(a: Entrant, b: Entrant, higher: bool) -> tuple[list[float | None], float, bool]:
    """Both means, the p-value, and whether the first mean is at least as good."""
    scores = {entrant.label: entrant.scores(higher) for entrant in (a, b)}
    one, other = stats.settled(scores, higher)
    p = stats.permutation(one - other)
    first, second = (float(np.mean(found)) for found in scores.values())
    better = first >= second if higher else first <= second
    shown: list[float | None] = [x if math.isfinite(x) else None for x in (first, second)]
    return shown, p, better
