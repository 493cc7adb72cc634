"""Adaptive search: what an optimizer is tried at next, as Optuna's TPE sampler proposes it from how its earlier trials ended.

TPE (Bergstra et al. 2011, Algorithms for Hyper-Parameter Optimization, NeurIPS 24) and not Optuna's Gaussian process, which
its documentation recommends for fewer trials: that one needs PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import TPESampler

from thalweg.lab.protocol import protocol, tune
from thalweg.lab.protocol.tune import End, Setting, Space
from thalweg.values.numerals import short

RATE, SCHEDULE = "learning rate", "learning-rate schedule"
"""A study's names for what is no hyper-parameter; with a blank, they can be no hyper-parameter's."""


def proposed(space: Space, ends: Mapping[Setting, End], spent: int, seed_of: Callable[[str, int], int]) -> list[Setting]:
    """The next settings: at first some that are spread over the ranges, then a few at a time from Optuna.

    The study is made anew each time, from the ends alone, and its sampler has a seed of the round's own: a run that was
    killed goes on as if it had not been. seed_of(draws, spent) is that seed.
    """
    left = space.budget - spent
    if not spent:
        return tune.spread(space, protocol.spread(space.budget))
    if not left:
        return []
    ranges = _ranges(space)
    order = sorted(set(ends.values()))
    with _silent():
        # The settings that were spread stand for the random ones that it would begin with. The others of a round count as bad
        # while they run (a constant liar), so that a round's settings lie apart.
        sampler = TPESampler(n_startup_trials=1, multivariate=True, constant_liar=True, seed=seed_of(space.draws, spent))
        study = optuna.create_study(storage=optuna.storages.InMemoryStorage(), sampler=sampler)
        for setting, end in ends.items():
            # TPE goes by the order of the values alone, and this one is the protocol's: score first, then loss
            past = optuna.trial.create_trial(params=_params(space, setting), distributions=ranges, value=order.index(end))
            study.add_trial(past)
        return [_setting(space, study.ask(ranges).params) for _ in range(min(left, protocol.AT_ONCE))]


def _ranges(space: Space) -> dict[str, BaseDistribution]:
    """What is tuned, log-uniformly; of an average's decay x it is 1 - x."""
    found: dict[str, BaseDistribution] = {RATE: FloatDistribution(*space.search, log=True)}
    found |= {axis.name: FloatDistribution(axis.low, axis.high, log=True) for axis in space.axes}
    if len(space.schedules) > 1:
        found[SCHEDULE] = CategoricalDistribution(space.schedules)
    return found


def _params(space: Space, setting: Setting) -> dict[str, Any]:
    """A setting in the ranges; rounded as it is, it may lie a hair beyond their ends."""
    hyper = dict(setting.hyper)
    found: dict[str, Any] = {RATE: _within(*space.search, setting.lr)}
    for axis in space.axes:
        value = hyper[axis.name]
        found[axis.name] = _within(axis.low, axis.high, 1 - value if axis.complement else value)
    if len(space.schedules) > 1:
        found[SCHEDULE] = setting.schedule
    return found


def _setting(space: Space, params: Mapping[str, Any]) -> Setting:
    hyper = [(axis.name, short(1 - params[axis.name] if axis.complement else params[axis.name])) for axis in space.axes]
    return Setting(short(params[RATE]), tuple(hyper), params.get(SCHEDULE, space.schedules[0]))


def _within(low: float, high: float, value: float) -> float:
    return min(max(value, low), high)


@contextmanager
def _silent() -> Iterator[None]:
    """Optuna without its log, which tells of every study; afterwards the log is the user's again."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
