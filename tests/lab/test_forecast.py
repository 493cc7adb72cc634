"""The forecast: what it counts, and that it goes with the work there is. How near it comes is measured in benchmarks."""

from __future__ import annotations

import time
from typing import Any

import pytest

import thalweg
from thalweg.lab import forecast, problems
from thalweg.lab.compare import Contest, Settings
from thalweg.lab.source import Source


def contest(steps: int = 20) -> Contest:
    settings = Settings(Source("xor"), ("sgd", "adam"), budget=4, seeds=3, steps=steps, batch_size=4)
    return Contest.of(settings, problems.problem("xor"), thalweg.rules)


def test_what_the_store_has_is_taken_off() -> None:
    one = contest()
    all_of_it = {("xor", entrant.label): one.trials_of(entrant) for entrant in one.entrants}
    assert forecast.forecast([one], all_of_it) == forecast.Forecast(0.0, one.trials, one.trials)
    some = forecast.forecast([one], {("xor", "sgd"): 5})
    assert (some.trials, some.stored) == (one.trials, 5)
    assert some.core_seconds > 0


def test_a_trial_costs_what_its_gradients_and_evaluations_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """With gradients that take 2 ms and evaluations that take 10, and rules that take next to nothing."""
    xor = problems.problem("xor")

    def slow(work: Any, seconds: float) -> Any:
        def slowed(*arguments: Any, **named: Any) -> Any:
            time.sleep(seconds)
            return work(*arguments, **named)

        return slowed

    monkeypatch.setattr(xor, "loss_and_grad", slow(xor.loss_and_grad, 0.002), raising=False)
    monkeypatch.setattr(xor, "validate", slow(xor.validate, 0.01), raising=False)
    known: dict[str, float] = {}
    found = forecast.trial_seconds(xor, [thalweg.rules["sgd"]], 200, 4, known)
    assert known.keys() == {"sgd"}
    assert found["sgd"] >= (200 * 0.002 + 51 * 0.01) / forecast.LANES
    twice = forecast.trial_seconds(xor, [thalweg.rules["sgd"]], 200, 4, {"sgd": 1.0})
    assert twice["sgd"] >= 200, "a second for each parameter and step"


def test_the_sentence() -> None:
    assert forecast.Forecast(3720, 7000, 0).sentence(2) == "about 31 minutes on 2 cores; 0 of 7,000 trials in the store"
    assert forecast.Forecast(0.2, 60, 50).sentence(1) == "about 1 second on 1 core; 50 of 60 trials in the store"
    assert forecast.Forecast(float("nan"), 60, 5).sentence(1) == "5 of 60 trials in the store", "a user's problem has hung"
    assert forecast.Forecast(0.0, 60, 60).sentence(2) == "all of 60 trials are in the store"
