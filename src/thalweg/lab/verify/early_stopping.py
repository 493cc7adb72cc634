"""What early stopping does to a comparison: the settings chosen, false alarms, and the differences found.

All on whole runs that are cut where the lab would have stopped them: a run that goes on is the same run, only longer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats

from thalweg.lab import problems
from thalweg.lab.comparing.candidate import Candidate, ends
from thalweg.lab.comparing.entrant import Entrant
from thalweg.lab.protocol import blocks, halving, protocol
from thalweg.lab.protocol.tune import Space
from thalweg.lab.statistics import simultaneous
from thalweg.lab.statistics.stats import LEVEL, Floats
from thalweg.lab.verify.bank import Bank, bank, spread
from thalweg.lab.verify.check import Check, Line, Say
from thalweg.lab.verify.controls import Which, span
from thalweg.methods import rules

PROBLEM, RULES = "digits", ("momentum", "adamw", "lion")
RATES, SEEDS, STEPS = 30, 64, 200
RUNS = 200
FIRST = Space((1e-4, 1.0), protocol.BUDGET).opening
"""The settings of the first round, of which the worse half stops."""
HANDICAP = 1.0
"""The handicap whose finding is measured, in standard deviations of a block's difference."""
WORTH = 0.1
"""The largest mean loss by another choice that counts as none, in standard deviations over seeds."""

Choose = Callable[[Bank, Which, Which], Candidate]
"""Maps a bank, the rates tried and the tuning seeds to a tuned candidate."""


def whole(trials: Bank, tried: Which, seeds: Which) -> Candidate:
    """Tuned by whole runs."""
    return _chosen(trials, tried, seeds, set(range(len(trials.rates))))


def halved(trials: Bank, tried: Which, seeds: Which) -> Candidate:
    """Tuned with early stopping: the lab's own halving of stopped runs, and its own choice among the rest."""
    better = halving.better(ends([trials.stopped(int(rate), int(seed)) for rate in tried for seed in seeds], True))
    return _chosen(trials, tried, seeds, {trials.rates.index(setting.lr) for setting in better})


def _chosen(trials: Bank, tried: Which, seeds: Which, go_on: set[int]) -> Candidate:
    found = Candidate(rules[RULES[0]], "", Space((1.0, 1.0), len(tried)))
    for rate in map(int, tried):
        one = trials.trial if rate in go_on else trials.stopped
        found.tuning += [one(rate, int(seed)) for seed in seeds]
    found.choose(higher_is_better=True)
    return found


def in_blocks(trials: Bank, draw: np.random.Generator, seeds: Which, choose: Choose) -> Floats:
    """The scores of a rule in blocks: in each tuned anew on rates and seeds of its own, and judged on others."""
    each = protocol.TUNING_SEEDS + blocks.SEEDS
    made = []
    for own in seeds[: each * blocks.BLOCKS].reshape(blocks.BLOCKS, each):
        found = choose(trials, _rates(trials, draw), own[: protocol.TUNING_SEEDS])
        best = trials.rates.index(found.best.lr)
        found.judging = [trials.trial(best, int(seed)) for seed in own[protocol.TUNING_SEEDS :]]
        made.append(found)
    return Entrant(tuple(made)).scores(higher_is_better=True)


def _rates(trials: Bank, draw: np.random.Generator) -> Which:
    """Rates spread over the range as a grid is: one of each of as many equal parts, at the same place."""
    order, parts = np.argsort(trials.rates), len(trials.rates) // FIRST
    return order[int(draw.integers(parts)) :: parts][:FIRST]


@dataclass(frozen=True)
class Tuned:
    """What stopping early changes for one rule: the share of tunings with the same choice, and the mean and the 95 % point of
    what is lost by the others, in standard deviations of the test score over seeds.
    """

    same: float
    loss: float
    most: float


def tuned(trials: Bank, runs: int) -> Tuned:
    """Compare the choices with and without early stopping, by the test scores on the seeds that did not tune."""
    same, losses = 0, []
    for i in range(runs):
        draw = np.random.default_rng(i)
        seeds, tried = draw.permutation(trials.test.shape[1]), _rates(trials, draw)
        tuning, others = np.split(seeds, [protocol.TUNING_SEEDS])
        one, two = (trials.rates.index(way(trials, tried, tuning).best.lr) for way in (whole, halved))
        same += one == two
        apart = trials.test[one, others].mean() - trials.test[two, others].mean()
        losses.append(apart / (trials.test[one, others].std() + 1e-12))
    return Tuned(same / runs, float(np.mean(losses)), float(np.quantile(losses, 0.95)))


def alarms(trials: Bank, choose: Choose, runs: int) -> int:
    """How often one rule under two names, each tuned on seeds of its own, is called worse than itself."""
    count = 0
    for i in range(runs):
        draw = np.random.default_rng(i)
        halves = draw.permutation(trials.test.shape[1]).reshape(2, -1)
        count += _apart(*(in_blocks(trials, draw, own, choose) for own in halves))
    return count


def found(banks: Sequence[Bank], choose: Choose, runs: int, handicap: float = 0.0) -> int:
    """How often two rules, tuned and judged on the same seeds, are told apart. handicap: taken from the second one's scores."""
    count = 0
    for i in range(runs):
        draw = np.random.default_rng(i)
        seeds = draw.permutation(banks[0].test.shape[1])
        first, second = (in_blocks(each, draw, seeds, choose) for each in banks)
        count += _apart(first, second - handicap)
    return count


def _apart(first: Floats, second: Floats) -> bool:
    standings = simultaneous.standings({"first": first, "second": second}, higher_is_better=True)
    return any(standing.separable is True for standing in standings.values())


def spread_of_blocks(trials: Bank, runs: int) -> float:
    """The standard deviation of a block's difference between a rule and itself, tuned on other rates."""
    some = []
    for i in range(runs):
        draw = np.random.default_rng(i)
        seeds = draw.permutation(trials.test.shape[1])
        some.append(in_blocks(trials, draw, seeds, whole) - in_blocks(trials, draw, seeds, whole))
    return float(np.concatenate(some).std())


def check(quick: bool, say: Say) -> Check:
    problem, names = problems.problem(PROBLEM), RULES[:1] if quick else RULES
    runs, steps = (RUNS // 10, STEPS // 5) if quick else (RUNS, STEPS)
    banks = {}
    for name in names:
        say(f"training {name} on {PROBLEM}, to stop it early")
        banks[name] = bank(problem, rules[name], spread(rules[name], RATES), list(range(1, SEEDS + 1)), steps)
    say(f"comparing with and without early stopping, {runs} times each")
    chosen, wrong = _choices(banks, runs), _alarms(banks, runs)
    power = _power(banks, runs)
    return Check(
        "early_stopping",
        "Early stopping",
        "Jamieson & Talwalkar 2016, arXiv 1502.07943, successive halving; the rule is `lab/protocol/halving.py`",
        f"All trials are whole runs of {RATES} rates on {SEEDS} seeds of {PROBLEM} ({steps} steps). A tuning tries {FIRST} "
        f"rates, spread evenly, on {protocol.TUNING_SEEDS} seeds. With early stopping the worse half, after "
        f"{halving.SHARE:.3g} of the steps, cannot be chosen. A loss is the difference in test score to the setting that whole "
        f"runs choose, on all other seeds. Alarms and power are of {runs} comparisons in {blocks.BLOCKS} blocks, with the same "
        "rates and seeds with and without early stopping.",
        [*_costs(), *chosen, *wrong, *power],
        f"Early stopping takes {cost():.0%} of the steps of the first round, and all else is unchanged within what {runs} "
        f"comparisons can show: alarms stay within {LEVEL:.0%}, and as many differences are found."
        if all(line.holds is not False for line in (*chosen, *wrong, *power))
        else "Early stopping changes the verdicts.",
    )


def cost() -> float:
    """The share of a round's steps that is run, of runs that begin anew."""
    return halving.SHARE + halving.survivors(FIRST) / FIRST


def _costs() -> list[Line]:
    return [
        Line("steps run, as a share of those of whole runs", cost(), None, None, f"{FIRST} settings, one evaluation in time", 3)
    ]


def _choices(banks: dict[str, Bank], runs: int) -> list[Line]:
    lines = []
    for name, trials in banks.items():
        one = tuned(trials, runs)
        lines.append(Line(f"{name}: tunings with the same choice", one.same, None, None, "", 3))
        told = f"in standard deviations over seeds; 95 % of the tunings lose at most {max(0.0, one.most):.2f}"
        lines.append(Line(f"{name}: mean loss by another choice", one.loss, None, one.loss <= WORTH, told, 3))
    return lines


def _alarms(banks: dict[str, Bank], runs: int) -> list[Line]:
    lines = []
    for name, trials in banks.items():
        without, count = (alarms(trials, way, runs) for way in (whole, halved))
        usual = scipy_stats.binomtest(count, runs, LEVEL, alternative="greater").pvalue > 0.01
        told = f"{span(count, runs)}; without early stopping {without}"
        lines.append(Line(f"called different: {name} and itself", count / runs, LEVEL, bool(usual), told, 3))
    return lines


def _power(banks: dict[str, Bank], runs: int) -> list[Line]:
    lines = []
    for name, trials in banks.items():
        handicap = HANDICAP * spread_of_blocks(trials, max(5, runs // 10))
        without, with_it = (found([trials, trials], way, runs, handicap) for way in (whole, halved))
        lines.append(_as_often(f"{name} with a handicap found", without, with_it, runs))
    names = list(banks)
    for first, second in itertools.pairwise(names):
        without, with_it = (found([banks[first], banks[second]], way, runs) for way in (whole, halved))
        lines.append(_as_often(f"{first} and {second} told apart", without, with_it, runs))
    return lines


def _as_often(what: str, without: int, with_it: int, runs: int) -> Line:
    """Holds unless the second share is lower than the first by more than three standard errors of their difference."""
    p = (without + with_it) / (2 * runs)
    within = 3 * (2 * p * (1 - p) / runs) ** 0.5
    told = f"{span(with_it, runs)}; expected: without early stopping"
    return Line(what, with_it / runs, without / runs, (without - with_it) / runs <= within, told, 3)
