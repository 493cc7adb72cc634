"""Adaptive search: Optuna's TPE sampler proposes the next settings from the results of the earlier ones.

TPE (Bergstra et al. 2011, Algorithms for Hyper-Parameter Optimization, NeurIPS 24) rather than Optuna's Gaussian process,
which its documentation recommends for few trials but which needs PyTorch.
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
"""Names in a study of the two values that are no hyper-parameters. The blank prevents collisions."""


def proposed(space: Space, ends: Mapping[Setting, End], spent: int, seed_of: Callable[[str, int], int]) -> list[Setting]:
    """The next settings: first some spread over the ranges, then a few at a time from Optuna.

    The study is rebuilt each time from the results alone, and the sampler's seed is that of the round, seed_of(draws,
    spent). So a run that was killed resumes with the same proposals.
    """
    left = space.budget - spent
    if not spent:
        return tune.spread(space, protocol.spread(space.budget))
    if not left:
        return []
    ranges = _ranges(space)
    order = sorted(set(ends.values()))
    with _silent():
        # The spread settings replace the sampler's random ones at the start. The others of a round count as bad
        # while they run (a constant liar), so that a round's settings lie apart.
        sampler = TPESampler(n_startup_trials=1, multivariate=True, constant_liar=True, seed=seed_of(space.draws, spent))
        study = optuna.create_study(storage=optuna.storages.InMemoryStorage(), sampler=sampler)
        for setting, end in ends.items():
            # TPE uses only the order of the values, and this is the protocol's order: score first, then loss
            past = optuna.trial.create_trial(params=_params(space, setting), distributions=ranges, value=order.index(end))
            study.add_trial(past)
        return [_setting(space, study.ask(ranges).params) for _ in range(min(left, protocol.AT_ONCE))]


def _ranges(space: Space) -> dict[str, BaseDistribution]:
    """The tuned ranges, all log-uniform; for the decay x of an average, that of 1 - x."""
    found: dict[str, BaseDistribution] = {RATE: FloatDistribution(*space.search, log=True)}
    found |= {axis.name: FloatDistribution(axis.low, axis.high, log=True) for axis in space.axes}
    if len(space.schedules) > 1:
        found[SCHEDULE] = CategoricalDistribution(space.schedules)
    return found


def _params(space: Space, setting: Setting) -> dict[str, Any]:
    """A setting as a study's parameters, clipped to the ranges, which rounding may exceed slightly."""
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
    """Context manager: silence Optuna's log and restore its level afterwards."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
