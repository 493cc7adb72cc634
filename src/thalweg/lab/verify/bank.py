"""Real trials for the checks: each learning rate with each seed, as arrays."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import halving, protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.statistics.stats import Floats
from thalweg.lab.trials import trials
from thalweg.lab.trials.trials import Trial
from thalweg.rule import Rule

AT_ONCE = 400
Which = Sequence[int] | npt.NDArray[np.integer[Any]] | slice


@dataclass(frozen=True)
class Bank:
    """Final scores of trials of one rule, higher is better: (rates, seeds). A diverged trial has validation score -inf, so that
    it is never chosen, and its final test score or, if better, that of the start: it counts no less than no training.

    early: the validation scores at the step of early stopping, -inf where they are not finite.
    """

    rates: list[float]
    validation: Floats
    test: Floats
    early: Floats | None = None

    def tuned(self, rates: Which, seeds: Which) -> int:
        """The index of the rate with the best median validation score over the given seeds."""
        medians = np.median(self.validation[rates][:, seeds], axis=1)
        return int(np.arange(len(self.rates))[rates][medians.argmax()])

    def trial(self, rate: int, seed: int) -> Trial:
        """A run as the lab keeps it, as far as choosing and judging go."""
        end, test = float(self.validation[rate, seed]), float(self.test[rate, seed])
        return Trial(self.rates[rate], seed, loss_curve=[-end], score_curve=[end], test_score=test, diverged=not np.isfinite(end))

    def stopped(self, rate: int, seed: int) -> Trial:
        """The same run, stopped early."""
        assert self.early is not None
        end = float(self.early[rate, seed])
        lost = not np.isfinite(end)
        return Trial(self.rates[rate], seed, loss_curve=[-end], score_curve=[end], diverged=lost, stopped=1.0)


def bank(problem: Problem, rule: Rule, rates: Sequence[float], seeds: Sequence[int], steps: int) -> Bank:
    """Run each rate on each seed for `steps` steps."""
    pairs = list(itertools.product(map(Setting, rates), seeds))
    done = [
        trial
        for i in range(0, len(pairs), AT_ONCE)
        for trial in trials.run(problem, rule, pairs[i : i + AT_ONCE], steps=steps, batch_size=problem.batch_size, judge=True)
    ]
    sign = 1 if problem.score.higher_is_better else -1
    early = bisect.bisect_left(protocol.evaluated_at(steps), halving.stop(steps))
    each = np.array([(*_scores(trial, sign), _early(trial, sign, early)) for trial in done]).reshape(len(rates), len(seeds), 3)
    return Bank(list(rates), *each.transpose(2, 0, 1))


def _early(trial: Trial, sign: int, at: int) -> float:
    score = sign * trial.score_curve[at]
    return score if np.isfinite(score) else -np.inf


def _scores(trial: Trial, sign: int) -> tuple[float, float]:
    """Validation and test score, higher is better. Raises RuntimeError for a failed rule."""
    if trial.failure or trial.test_score is None:
        raise RuntimeError(f"a trial for the checks did not run: {trial.failure}")
    end = sign * trial.test_score
    if trial.diverged:
        return -np.inf, max(end, sign * trial.score_curve[0]) if np.isfinite(end) else sign * trial.score_curve[0]
    return sign * trial.score_curve[-1], end


def spread(rule: Rule, count: int, seed: int = 0) -> list[float]:
    """`count` learning rates from the rule's range, quasi-random and log-uniform."""
    assert rule.search is not None
    low, high = np.log(rule.search)
    shares = qmc.Halton(d=1, rng=np.random.default_rng(seed)).random(count)[:, 0]
    return np.exp(low + shares * (high - low)).tolist()  # type: ignore[no-any-return]
