"""Crowded Valley's finding that trying several untuned optimizers is about as good as tuning one. Reported only."""

from __future__ import annotations

import numpy as np

from thalweg.lab import problems
from thalweg.lab.data.problem import Problem
from thalweg.lab.statistics import stats
from thalweg.lab.statistics.stats import Floats
from thalweg.lab.verify.bank import Bank, bank, spread
from thalweg.lab.verify.check import Check, Line, Say
from thalweg.methods import rules

PROBLEMS = ("wine", "breast_cancer", "diabetes", "digits")
UNTUNED = (
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adadelta",
    "adam",
    "adamax",
    "nadam",
    "adabelief",
    "radam",
    "lion",
)
TUNED = ("sgd", "momentum", "rmsprop", "adam")
STEPS, SEEDS, TUNING_SEEDS = 200, 12, 2


def check(quick: bool, say: Say) -> Check:
    lines, gaps = [], []
    for name in PROBLEMS[:1] if quick else PROBLEMS:
        say(f"{len(UNTUNED)} untuned optimizers on {name}, and {len(TUNED)} tuned")
        own, gap = _on(problems.problem(name), STEPS // 4 if quick else STEPS)
        lines += own
        gaps += gap
    as_good = sum(low <= 0 for low, _ in gaps)
    better = sum(high < 0 for _, high in gaps)
    return Check(
        "untuned",
        "Several untuned optimizers, or a tuned one",
        "Schmidt, Schneider & Hennig 2021 (Descending through a Crowded Valley), arXiv 2007.01547",
        f"The best of {len(UNTUNED)} optimizers at their default rates, chosen on validation data, is compared with one "
        "optimizer tuned over as many rates of its range. All are tuned on "
        f"{TUNING_SEEDS} seeds and judged on test data with {SEEDS} fresh ones, after {STEPS} steps. Brackets hold a 95 % "
        "interval of the tuned optimizer's lead, paired by seed. A negative lead means that the untuned choice did better.",
        lines,
        f"In {as_good} of {len(gaps)} cases one tuned optimizer is not measurably better than the best of "
        f"{len(UNTUNED)} untuned ones (in {better} it is measurably worse). "
        + (
            f"On these small problems, and as far as {SEEDS} seeds can show, the finding holds."
            if as_good > len(gaps) / 2
            else "On these small problems the finding does not hold."
        ),
    )


def _on(problem: Problem, steps: int) -> tuple[list[Line], list[tuple[float, float]]]:
    """The lines of a problem, with the interval of each tuned optimizer's advantage."""
    tuning, judging = list(range(1, TUNING_SEEDS + 1)), list(range(1001, 1001 + SEEDS))
    shipped = {name: bank(problem, rules[name], [float(rules[name].lr or 0)], tuning, steps) for name in UNTUNED}
    chosen = max(shipped, key=lambda name: float(np.median(shipped[name].validation)))
    untuned = _judged(problem, chosen, float(rules[chosen].lr or 0), judging, steps)
    lines = [
        Line(
            f"{problem.name}: best of {len(UNTUNED)} untuned",
            float(untuned.mean()),
            note=f"test {problem.score.name}; it is {chosen}",
        )
    ]
    gaps = []
    for name in TUNED:
        tried: Bank = bank(problem, rules[name], spread(rules[name], len(UNTUNED)), tuning, steps)
        rate = tried.rates[tried.tuned(slice(None), slice(None))]
        scores = _judged(problem, name, rate, judging, steps)
        lead, low, high = stats.interval(scores - untuned)
        gaps.append((low, high))
        lines.append(
            Line(
                f"{problem.name}: {name} tuned",
                float(scores.mean()),
                float(untuned.mean()),
                None,
                f"lead {lead:+.4f} [{low:+.4f}, {high:+.4f}], rate {rate:.2g}",
            )
        )
    return lines, gaps


def _judged(problem: Problem, name: str, rate: float, seeds: list[int], steps: int) -> Floats:
    scores: Floats = bank(problem, rules[name], [rate], seeds, steps).test[0]
    return scores
