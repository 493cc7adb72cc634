"""The gaps in a bank: how far each rule is behind the best on each problem, and what many of them say together."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from thalweg.lab.bank.table import Bank, Row, numbers
from thalweg.lab.data.problem import Floats
from thalweg.lab.protocol import suites
from thalweg.lab.statistics.shares import Estimate, normalised

WAYS = ("tuned", "untuned")
"""With the learning rate tuned, and at the usual one."""
RESAMPLES = 2000
PLACES = 12
"""Decimals of a gap within which two are equal."""


@dataclass(frozen=True)
class Evidence:
    """For each way the gaps (rules, problems): the share of the way from the start to the best that a rule is behind it.

    The best of a problem is the best mean of any rule here, tuned or not, so a gap is 0 for one rule at least. A run that
    diverged counts as one that never began. NaN where a rule was not measured. data: for each problem the data that it uses;
    problems on the same data are one witness together.
    """

    rules: tuple[str, ...]
    problems: tuple[str, ...]
    data: tuple[str, ...]
    gaps: Mapping[str, Floats]

    @classmethod
    def of(cls, bank: Bank) -> Evidence:
        """The evidence of all of a bank's problems on which any rule got away from the start."""
        rules = tuple(sorted(bank.rules))
        found = {name: _gaps(rules, name, bank) for name in bank.problems}
        telling = tuple(name for name, each in found.items() if each is not None)
        gaps = {
            way: np.array([found[name][way] for name in telling]).reshape(len(telling), len(rules)).T  # type: ignore[index]
            for way in WAYS
        }
        return cls(rules, telling, tuple(map(suites.data_of, telling)), gaps)

    def among(self, problems: Sequence[str]) -> Evidence:
        """The evidence of these problems, of the rules measured on all of them."""
        at = [self.problems.index(name) for name in problems]
        columns = np.array(at, int)
        whole = np.flatnonzero(np.isfinite(self.gaps[WAYS[0]][:, at]).all(axis=1))
        return Evidence(
            tuple(self.rules[i] for i in whole),
            tuple(problems),
            tuple(self.data[i] for i in at),
            {way: gaps[np.ix_(whole, columns)] for way, gaps in self.gaps.items()},
        )

    def row(self, rule: str, way: str) -> Floats:
        """A rule's gaps, one for each problem."""
        found: Floats = self.gaps[way][self.rules.index(rule)]
        return found

    @functools.cached_property
    def witnesses(self) -> Floats:
        """Which problems (columns) belong to which data (rows): ones and zeros."""
        names = tuple(dict.fromkeys(self.data))
        return np.array([[float(own == name) for own in self.data] for name in names]).reshape(len(names), len(self.data))


def _gaps(rules: Sequence[str], problem: str, bank: Bank) -> dict[str, list[float]] | None:
    """By way, the gap of each rule on a problem; None if no rule got away from the start."""
    measured, here = bank.problems[problem], {row.rule: row for row in bank.rows if row.problem == problem}
    means = [_mean(each, measured.start) for row in here.values() for each in (row.tuned, row.untuned)]
    best = (max if measured.higher_is_better else min)(means, default=measured.start)
    if best == measured.start or (best < measured.start) == measured.higher_is_better:
        return None

    def gap(row: Row | None, way: str) -> float:
        if row is None:
            return math.nan
        scores = {row.rule: {problem: numbers(getattr(row, way))}}
        share = normalised(scores, {problem: measured.start}, {problem: best})[row.rule][problem]
        return max(0.0, 1.0 - float(share.mean()))

    return {way: [gap(here.get(name), way) for name in rules] for way in WAYS}


def _mean(scores: tuple[float | None, ...], start: float) -> float:
    """The mean, in which a run without a finite score counts as the start."""
    return float(np.nan_to_num(numbers(scores), nan=start).mean())


def estimate(values: Floats, weights: Floats, witnesses: Floats, several: int = 1) -> Estimate:
    """The weighted mean of a value for each problem, and its 95 % interval over witnesses, which holds for `several` such means
    at once (Bonferroni).

    Its variance is the clustered one of a ratio, its degrees of freedom those of Kish's effective number of witnesses (1965),
    (sum W)**2 / sum(W**2), less one: of one witness, or several of which one has nearly all the weight, nothing is known.
    """
    total = weights.sum()
    mean = float(values @ weights / total)
    each = witnesses @ weights
    effective = float(each.sum() ** 2 / (each**2).sum())
    if effective < 1 + 1e-9:
        return Estimate(mean, -math.inf, math.inf)
    error = math.sqrt(float(((witnesses @ (weights * (values - mean))) ** 2).sum())) / float(total)
    half = float(special.stdtrit(effective - 1, 1 - 0.025 / several)) * error * math.sqrt(effective / (effective - 1))
    return Estimate(mean, mean - half, mean + half)


@dataclass(frozen=True)
class Place:
    """A rule's place by its mean gap, and the places it has in 95 % of the samples of other data, drawn from these."""

    place: int
    low: int
    high: int


def places(evidence: Evidence, way: str) -> dict[str, Place]:
    """The place of each rule, all data having equal weight."""
    witnesses = evidence.witnesses / evidence.witnesses.sum(axis=1, keepdims=True)
    means = evidence.gaps[way] @ witnesses.T  # (rules, data)
    draws = np.random.default_rng(0).integers(means.shape[1], size=(RESAMPLES, means.shape[1]))
    again, now = _ranked(means[:, draws].mean(axis=2)), _ranked(means.mean(axis=1, keepdims=True))[:, 0]
    low, high = np.quantile(again, (0.025, 0.975), axis=1, method="closest_observation")
    return {
        name: Place(int(now[i]), int(min(low[i], now[i])), int(max(high[i], now[i]))) for i, name in enumerate(evidence.rules)
    }


def _ranked(means: Floats) -> Floats:
    """The places in each column; ties share the better one. Importing SciPy's would take longer than all else here."""
    rounded = np.round(means, PLACES)
    ordered = np.sort(rounded, axis=0)
    return np.stack([1 + np.searchsorted(a, b) for a, b in zip(ordered.T, rounded.T, strict=True)], axis=1)
