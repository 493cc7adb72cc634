"""What a report tells to avoid: nothing that is as good as the best, and how far behind it is at least."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from thalweg.lab import problems
from thalweg.lab.protocol import blocks
from thalweg.lab.report.advice import avoided
from thalweg.lab.report.rows import TOLERATED, standing
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.statistics import simultaneous, stats
from thalweg.lab.statistics.stats import LEVEL, Floats
from thalweg.lab.verify.bank import Bank, bank, spread
from thalweg.lab.verify.check import Check, Line, Say
from thalweg.lab.verify.controls import (
    JUDGES,
    MANY,
    PROBLEM,
    RATES,
    RULE,
    RUNS,
    SEEDS,
    STEPS,
    Draw,
    Name,
    one_configuration,
    tuned_anew,
    usual,
)  # fmt: skip
from thalweg.methods import rules

FAR = 2.0
"""Standard deviations over seeds: whoever is so far behind should be told to be avoided."""
HANDICAPS = np.linspace(0.0, 2.75, MANY)
"""Of the optimizers that differ, in the same unit."""
Told = dict[str, float]
"""How far behind the best each is at least, of those that are told to be avoided."""


def told(scores: dict[str, Floats], margin: float) -> Told:
    """What a report of these test scores, higher is better, says of whom to avoid."""
    standings = simultaneous.standings(scores, True, margin)
    rows: list[Any] = [
        {
            "name": name,
            "score": {"mean": float(own.mean())},
            "failed": False,
            "unreliable": None,
            **standing(standings[name], own),
        }
        for name, own in scores.items()
    ]
    rows.sort(key=lambda row: row["rank"]["place"])
    return {row["name"]: cast("float", row["behind"]["least"]) for row in avoided(cast("list[Row]", rows), margin)}


def drawn(trials: Bank, name: Name, draw: Draw) -> dict[str, Floats]:
    """The scores of one optimizer under many names, each on seeds of its own."""
    seeds = trials.test.shape[1]
    return {str(j): name(trials, draw, draw.permutation(seeds)[: seeds // 2]) for j in range(MANY)}


def check(quick: bool, say: Say) -> Check:
    rule, problem = rules[RULE], problems.problem(PROBLEM)
    say(f"training {RULE} on {PROBLEM} to see what is told to be avoided")
    trials = bank(problem, rule, spread(rule, RATES), list(range(1, SEEDS + 1)), STEPS // 5 if quick else STEPS)
    runs = RUNS // 4 if quick else RUNS
    lines = [*_equals(trials, runs), *_different(trials, runs), _diverging(runs)]
    wrong = [line for line in lines if line.holds is not None]
    return Check(
        "avoiding",
        "What to avoid",
        "simultaneous tests and bounds as in `lab/statistics/simultaneous.py`; Clopper & Pearson 1934, Biometrika 26:404",
        f"Trials as above, in {runs} comparisons of {MANY} optimizers each, and what the report of each says under \"Avoid\". "
        "In the first two all are one optimizer, so whoever is named is named wrongly; no difference is too small to matter, "
        f"which is the hardest case. In the next the k-th has a handicap of k / 4 standard deviations over seeds, from 0 to "
        f"{HANDICAPS[-1]:g}: a report is wrong if it names one that equals the best, or tells of any that it is \"at least\" "
        "further behind than it is. In the last each diverges in exactly the share of runs that is tolerated.",
        lines,
        f"\"Avoid\" was wrong in at most {max(line.found for line in wrong):.1%} of these comparisons, with {LEVEL:.0%} allowed, "
        f"and named {lines[3].found:.0%} of the optimizers that are {FAR:g} standard deviations or more behind.",
    )  # fmt: skip


def _equals(trials: Bank, runs: int) -> list[Line]:
    lines = []
    for name, what in (
        (one_configuration, f"{MANY} times one configuration, judged on {JUDGES} seeds"),
        (tuned_anew, f"{MANY} times one rule in {blocks.BLOCKS} blocks, each tuned anew"),
    ):
        count = sum(bool(told(drawn(trials, name, np.random.default_rng(i)), 0.0)) for i in range(runs))
        lines.append(usual(f"someone is named: {what}", count, runs))
    return lines


def _different(trials: Bank, runs: int) -> list[Line]:
    sd = float(trials.test[trials.tuned(slice(None), slice(None))].std())
    behind = dict(zip(map(str, range(MANY)), sd * HANDICAPS, strict=True))
    wrong, named, far = 0, 0, [name for name, gap in behind.items() if gap >= FAR * sd]
    for i in range(runs):
        scores = {name: own - behind[name] for name, own in drawn(trials, one_configuration, np.random.default_rng(i)).items()}
        found = told(scores, 0.0)
        wrong += any(behind[name] <= 0 or least > behind[name] for name, least in found.items())
        named += len(found.keys() & set(far))
    return [
        usual(f"{MANY} that differ: one that equals the best, or \"at least\" too far behind", wrong, runs),
        Line(f"of those {FAR:g} standard deviations or more behind the share that is named", named / (runs * len(far)), digits=3),
    ]  # fmt: skip


def _diverging(runs: int) -> Line:
    """At the tolerated share itself nobody is unreliable; a smaller one is named more rarely."""
    counts = np.random.default_rng(0).binomial(JUDGES, TOLERATED, size=(runs, MANY))
    count = sum(any(stats.least_divergence(int(k), JUDGES, MANY) > TOLERATED for k in row) for row in counts)
    return usual(f"{MANY} that diverge in {TOLERATED:.0%} of their runs: one is called unreliable", count, runs)
