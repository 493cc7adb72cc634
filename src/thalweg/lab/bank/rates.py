"""The best learning rates in a bank, and whether they would be a better middle of the search ranges than the declared one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from thalweg.lab.bank.evidence import estimate
from thalweg.lab.bank.table import Bank
from thalweg.lab.data.problem import Floats
from thalweg.lab.protocol import suites
from thalweg.lab.statistics.shares import Estimate
from thalweg.rule import Rule

LEAST = 4
"""The number of data sets from which on a bank may be sure of a middle."""


def best(bank: Bank) -> dict[str, dict[str, float]]:
    """Rule -> data set -> the decimal logarithm of the best learning rate, the mean over the problems on these data."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in bank.rows:
        if bank.problems[row.problem].train_size and row.lr > 0:
            found.setdefault(row.rule, {}).setdefault(suites.data_of(row.problem), []).append(math.log10(row.lr))
    return {rule: {data: float(np.mean(own)) for data, own in each.items()} for rule, each in found.items()}


def middle(search: tuple[float, float]) -> float:
    """The middle of a search range, as a decimal logarithm."""
    return (math.log10(search[0]) + math.log10(search[1])) / 2


def moved(search: tuple[float, float], known: Mapping[str, float]) -> float:
    """The middle of the range, or that of the best rates on some data sets, if it is another with certainty 95 %."""
    rates = np.array(list(known.values()), float)
    if len(rates) < LEAST:
        return middle(search)
    half = special.stdtrit(len(rates) - 1, 0.975) * rates.std(ddof=1) / math.sqrt(len(rates))
    return float(rates.mean()) if abs(rates.mean() - middle(search)) > half else middle(search)


def measured(bank: Bank, rules: Mapping[str, Rule], apart: str | None = None) -> dict[str, tuple[float, float]]:
    """The ranges of these rules whose middle the bank moves to that of their best rates, as wide as declared.

    apart: a built-in problem, whose data do not count: no range is chosen by what it will be tried on.
    """
    known, data, found = best(bank), None if apart is None else suites.data_of(apart), {}
    for name, rule in rules.items():
        own = {each: rate for each, rate in known.get(name, {}).items() if each != data}
        if rule.search is not None and (new := moved(rule.search, own)) != (old := middle(rule.search)):
            low, high = (float(f"{rate * 10 ** (new - old):.2g}") for rate in rule.search)
            found[name] = low, high
    return found


@dataclass(frozen=True)
class Centring:
    """Decades from the best rate on a data set to the declared middle of the range, and to the one that the other data sets give,
    the mean over rules. less: the first less the second. shifted: the share of cases in which the two middles differ."""

    declared: Estimate
    by_others: Estimate
    less: Estimate
    shifted: float


def centring(bank: Bank, rules: Mapping[str, Rule]) -> Centring:
    """How much nearer the best rates would be to the middle of the range, if the bank moved it: one data set left out at a time.

    Raises ValueError for a bank with fewer than two data sets.
    """
    known = {name: own for name, own in best(bank).items() if rules[name].search is not None}
    data = sorted({each for own in known.values() for each in own})
    if len(data) < 2:
        raise ValueError(f"{len(data)} data sets leave none out")
    declared, others, shifted = [], [], []
    for left in data:
        cases = [(rules[name].search, own) for name, own in known.items() if left in own]
        pairs = [
            (middle(search), moved(search, {each: rate for each, rate in own.items() if each != left}), own[left])
            for search, own in cases
            if search is not None
        ]
        declared.append(float(np.mean([abs(rate - usual) for usual, _, rate in pairs])))
        others.append(float(np.mean([abs(rate - new) for _, new, rate in pairs])))
        shifted += [usual != new for usual, new, _ in pairs]
    a, b = np.array(declared), np.array(others)
    return Centring(_over_data(a), _over_data(b), _over_data(a - b), float(np.mean(shifted)))


def _over_data(values: Floats) -> Estimate:
    return estimate(values, np.ones(len(values)), np.eye(len(values)))
