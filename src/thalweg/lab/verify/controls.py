"""The lab's guarantees: one optimizer under two names is called equal, and a handicap is found as often as predicted.

All on real trials: each simulated comparison draws its rates and seeds from a bank of one rule's runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

from thalweg.lab import problems
from thalweg.lab.comparing.candidate import Candidate
from thalweg.lab.comparing.entrant import Entrant
from thalweg.lab.protocol import blocks
from thalweg.lab.protocol.tune import Space
from thalweg.lab.statistics import power, simultaneous, stats
from thalweg.lab.statistics.stats import LEVEL, Floats
from thalweg.lab.verify.bank import Bank, bank, spread
from thalweg.lab.verify.check import Check, Line, Say, close
from thalweg.methods import rules

PROBLEM, RULE = "diabetes", "adam"
RATES, SEEDS, STEPS = 24, 64, 100
RUNS, DRAWS = 200, 400
TRIALS, TUNING_SEEDS, JUDGES = 12, 2, 15
MANY = 12
EFFECT = 0.5

Draw = np.random.Generator
Which = npt.NDArray[np.int64]
Scores = npt.NDArray[Any]
Name = Callable[[Bank, Draw, Which], Scores]
"""Maps a bank and the seeds of one name to the judged scores of that name."""


def one_configuration(trials: Bank, draw: Draw, seeds: Which) -> Scores:
    """The rate that is best over the whole bank, judged on the name's seeds."""
    found: Scores = trials.test[trials.tuned(slice(None), slice(None)), seeds[:JUDGES]]
    return found


def tuned_on_one_grid(trials: Bank, draw: Draw, seeds: Which) -> Scores:
    """Tuned once on the name's seeds, over the same rates as the other name."""
    best = trials.tuned(range(TRIALS), seeds[:TUNING_SEEDS])
    found: Scores = trials.test[best, seeds[TUNING_SEEDS : TUNING_SEEDS + JUDGES]]
    return found


def tuned_apart(trials: Bank, draw: Draw, seeds: Which) -> Scores:
    """Tuned once on the name's rates and seeds."""
    best = trials.tuned(_rates(trials, draw), seeds[:TUNING_SEEDS])
    found: Scores = trials.test[best, seeds[TUNING_SEEDS : TUNING_SEEDS + JUDGES]]
    return found


def tuned_anew(trials: Bank, draw: Draw, seeds: Which) -> Scores:
    """Tuned in blocks, on new rates and seeds in each, and judged there on other seeds: the lab's own choice and scores."""
    each = TUNING_SEEDS + blocks.SEEDS
    some = seeds[: each * blocks.BLOCKS].reshape(blocks.BLOCKS, each)
    return Entrant(tuple(_block(trials, draw, own) for own in some)).scores(higher_is_better=True)


def _block(trials: Bank, draw: Draw, seeds: Which) -> Candidate:
    rule, tried = rules[RULE], _rates(trials, draw)
    found = Candidate(rule, rule.name, Space(rule.search or (1.0, 1.0), len(tried)))
    found.tuning = [trials.trial(int(rate), int(seed)) for rate in tried for seed in seeds[:TUNING_SEEDS]]
    found.choose(higher_is_better=True)
    best = trials.rates.index(found.best.lr)
    found.judging = [trials.trial(best, int(seed)) for seed in seeds[TUNING_SEEDS:]]
    return found


def _rates(trials: Bank, draw: Draw) -> Which:
    return draw.choice(len(trials.rates), min(TRIALS, len(trials.rates) // 2), replace=False)


def alarms(trials: Bank, name: Name, runs: int, names: int = 2) -> int:
    """The number of `runs` comparisons in which the lab calls one optimizer under several names worse than itself.

    Two names have half of the bank's seeds each; more names each draw their own from all of them.
    """
    count = 0
    for i in range(runs):
        draw = np.random.default_rng(i)
        seeds = trials.test.shape[1]
        halves = [draw.permutation(seeds) for _ in range(1 if names == 2 else names)]
        each = halves[0].reshape(2, -1) if names == 2 else [own[: seeds // 2] for own in halves]
        scores = {str(j): name(trials, draw, own) for j, own in enumerate(each)}
        found = simultaneous.standings(scores, higher_is_better=True)
        count += any(standing.separable is True for standing in found.values())
    return count


def found_share(differences: Floats, effect: float, seeds: int, draws: int) -> float:
    """How often a handicap, in standard deviations, is detected in paired differences resampled from real ones."""
    planted = (differences - differences.mean()) / differences.std() + effect
    draw = np.random.default_rng(0)
    ps = [stats.permutation(planted[draw.integers(len(planted), size=seeds)]) for _ in range(draws)]
    return float(np.mean(np.array(ps) <= LEVEL))


def check(quick: bool, say: Say) -> Check:
    rule, problem = rules[RULE], problems.problem(PROBLEM)
    say(f"training {RULE} on {PROBLEM} for the controls")
    trials = bank(problem, rule, spread(rule, RATES), list(range(1, SEEDS + 1)), STEPS // 5 if quick else STEPS)
    runs, draws = (RUNS // 4, DRAWS // 4) if quick else (RUNS, DRAWS)
    say(f"calling one optimizer by several names, {runs} times")
    kept, once = _alarms(trials, runs)
    say("adding a handicap")
    return Check(
        "controls",
        "The lab's own guarantees",
        "Bouthillier et al. 2021, arXiv 2103.03098, on tuning as a source of variance; the tests are those of "
        "`lab/statistics/stats.py`",
        f"All trials are from {RATES} rates of {RULE} on {SEEDS} seeds of {PROBLEM} ({STEPS} steps). In each of {runs} "
        f"comparisons one optimizer takes part under two names, or {MANY}, each with seeds of its own. The test guarantees to "
        f"call any of them worse in at most {LEVEL:.0%} of the comparisons. This holds if the comparison resamples that in which "
        "the names differ: seeds, for one configuration; whole tunings, for a rule with its tuning, as `--blocks` does. Two "
        "tunings of one rule may end at different rates, which really differ, and seeds alone do not measure that. Power: a "
        f"handicap of half a standard deviation is added to real paired differences between two good rates, and the share of "
        f"{draws} draws in which it is found is compared with the prediction of `lab/statistics/power.py`.",
        [*kept, *once, *_handicaps(trials, draws)],
        f"For one configuration, and for a rule in {blocks.BLOCKS} blocks, the guarantee of {LEVEL:.0%} is "
        f"{'kept' if all(line.holds for line in kept) else 'broken'}. A rule tuned once under each name is called different in "
        f"{once[1].found:.0%} of the comparisons ({once[0].found:.0%} with the same rates tried): a verdict on one tuning is "
        "about the configuration found, and does not yet hold for the rule.",
    )


def _alarms(trials: Bank, runs: int) -> tuple[list[Line], list[Line]]:
    kept, once = [], []
    for name, names, what in (
        (one_configuration, 2, f"one configuration, judged on {JUDGES} seeds"),
        (one_configuration, MANY, f"one configuration under {MANY} names"),
        (tuned_anew, 2, f"one rule in {blocks.BLOCKS} blocks, each tuned anew and judged on {blocks.SEEDS} seeds"),
        (tuned_anew, MANY, f"one rule in {blocks.BLOCKS} blocks under {MANY} names"),
    ):
        count = alarms(trials, name, runs, names)
        kept.append(usual(f"called different: {what}", count, runs))
    for name, what in ((tuned_on_one_grid, "with the same rates"), (tuned_apart, "with its own rates")):
        count = alarms(trials, name, runs)
        once.append(
            Line(
                f"called different: one rule tuned once, {what}",
                count / runs,
                LEVEL,
                None,
                f"{span(count, runs)}; not guaranteed by the test",
                3,
            )
        )
    return kept, once


def usual(what: str, count: int, runs: int) -> Line:
    """A line that holds unless so many errors in so many runs show that the level is not kept."""
    holds = scipy_stats.binomtest(count, runs, LEVEL, alternative="greater").pvalue > 0.01
    return Line(what, count / runs, LEVEL, holds, span(count, runs), 3)


def span(count: int, runs: int) -> str:
    found = scipy_stats.binomtest(count, runs).proportion_ci(method="exact")
    return f"{count} of {runs}, 95 % {found.low:.3f} to {found.high:.3f}"


def _handicaps(trials: Bank, draws: int) -> list[Line]:
    best, second = np.median(trials.validation, axis=1).argsort()[::-1][:2]
    differences = trials.test[best] - trials.test[second]
    lines = []
    for seeds in (JUDGES, power.seeds_needed(EFFECT) or 0):
        predicted = power.power(EFFECT, seeds)
        found = found_share(differences, EFFECT, seeds, draws)
        within = 3.5 * (predicted * (1 - predicted) / draws) ** 0.5
        lines.append(
            close(f"a handicap of {EFFECT:g} standard deviations found with {seeds} seeds", found, predicted, within, "power", 3)
        )
    return lines
