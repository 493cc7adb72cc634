"""The forecast: what it counts, and that it goes with the work there is. How near it comes is measured in benchmarks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import thalweg
from thalweg.lab import problems
from thalweg.lab.comparing import forecast, warmup
from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.data.problem import Problem
from thalweg.lab.running.executors import engine
from thalweg.lab.user.source import Source
from thalweg.rule import Rule


def contest(steps: int = 20) -> Contest:
    settings = Settings(Source("xor"), ("sgd", "adam"), budget=4, seeds=3, steps=steps, batch_size=4)
    return Contest.of(settings, problems.problem("xor"), thalweg.rules)


def test_what_the_store_has_is_taken_off() -> None:
    one = contest()
    all_of_it = {("xor", candidate.label): one.trials_of(candidate) for candidate in one.candidates}
    found = forecast.forecast([one], all_of_it)
    assert (found.core_seconds, found.trials, found.stored) == (0.0, one.trials, one.trials)
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
    known: forecast.Steps = {}
    found = forecast.trial_seconds(xor, [thalweg.rules["sgd"]], 200, 4, known)
    assert known.keys() == {"sgd"}
    assert found["sgd"] >= (200 * 0.002 + 51 * 0.01) / forecast.LANES
    twice = forecast.trial_seconds(xor, [thalweg.rules["sgd"]], 200, 4, {"sgd": {1: 1.0, 10_000: 1.0}})
    assert twice["sgd"] >= 200, "a second for each step"


def test_a_step_of_a_small_problem_is_not_scaled_to_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of 1 ms and 1 us a parameter: it is timed on the smallest and the largest problem, and told on those between."""
    timed: list[int] = []

    def step_seconds(problem: Problem, rule: Rule, seeds: Sequence[int], batch_size: int) -> float:
        timed.append(forecast._parameters(problem))
        return len(seeds) * (1e-3 + 1e-6 * timed[-1])

    monkeypatch.setattr(forecast, "step_seconds", step_seconds)
    monkeypatch.setattr(forecast, "_timed", lambda work: 0.0)
    contests = [
        Contest.of(
            Settings(Source(name), ("sgd",), budget=4, seeds=3, steps=20, batch_size=4), problems.problem(name), thalweg.rules
        )
        for name in ("wine", "digits", "rosenbrock", "xor")
    ]
    found = forecast.forecast(contests, {}).core_seconds
    assert timed == [2, 2410]
    sizes = [forecast._parameters(contest.problem) for contest in contests]
    assert found == pytest.approx(
        sum(20 * (1e-3 + 1e-6 * size) * contest.trials for size, contest in zip(sizes, contests, strict=True))
    )


def test_the_sentence() -> None:
    assert forecast.Forecast(3720, 7000, 0).sentence(2) == "about 31 minutes on 2 cores; 0 of 7,000 trials in the store"
    assert forecast.Forecast(0.2, 60, 50).sentence(1) == "about 1 second on 1 core; 50 of 60 trials in the store"
    assert forecast.Forecast(float("nan"), 60, 5).sentence(1) == "5 of 60 trials in the store", "a user's problem has hung"
    assert forecast.Forecast(0.0, 60, 60, 3.2).sentence(2) == "all of 60 trials are in the store; about 3 seconds for the report"
    assert forecast.Forecast(10.0, 60, 0, 5.0).sentence(2).startswith("about 10 seconds on 2 cores"), "the report is not shared"


def test_processes_and_the_report_take_what_they_took_the_last_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path))
    one = contest()
    with engine("processes", 2) as by:  # none is started before it has work
        before = forecast.forecast([one], {}, by)
        warmup.learn(process=100.0, row=50.0)
        after = forecast.forecast([one], {}, by)
    assert after.core_seconds - before.core_seconds == pytest.approx(2 * (100.0 - warmup.FIRST["process"]), abs=1.0)
    assert after.besides - before.besides == pytest.approx(2 * (50.0 - warmup.FIRST["row"])), "of two optimizers"
    with engine("processes", 1) as by:
        assert forecast.forecast([one], {}, by).core_seconds < 100, "this process needs no start"


def test_what_is_measured_again_takes_the_place_of_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path))
    assert warmup.known() == warmup.FIRST
    warmup.learn(kernel=1.0)
    warmup.learn(kernel=2.0)
    assert warmup.known() == {**warmup.FIRST, "kernel": 2.0}
    (tmp_path / "kernels" / warmup.FILE).write_text("no JSON")
    with pytest.warns(RuntimeWarning, match="seconds.json is damaged; what stood there is made anew"):
        assert warmup.known() == warmup.FIRST


@pytest.mark.slow
def test_the_command_says_how_long_compiling_takes_and_does_so_once(tmp_path: Path) -> None:
    def told(out: str, *more: str) -> str:
        command = [sys.executable, "-m", "thalweg.commands.cli", "compare", "--problem", "xor", "--rules", "sgd,adam,lion", *more]
        options = ["--budget", "2", "--seeds", "2", "--steps", "5", "--jobs", "1", "--out", str(tmp_path / out)]
        environment = {**os.environ, "THALWEG_CACHE": str(tmp_path / "cache")}
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=300, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stderr

    first = told("first")
    kept = {path.name.split("-")[0] for path in (tmp_path / "cache" / "kernels").glob("*.ll")}
    assert {name for name in kept if name not in ("gradients", "watch")} == {"sgd_float32", "adam_float32", "lion_float32"}
    assert first.startswith("compiling 3 kernels, once on this machine: about ")
    assert re.search(r"^about \d+ seconds? on 1 core;", first, re.MULTILINE)
    measured = json.loads((tmp_path / "cache" / "kernels" / warmup.FILE).read_text())
    assert measured["kernel"][0] > 0.01
    assert measured["row"][0] > 0
    every = told("second", "--tune", "all")
    assert "compiling" not in every, "they are there; other hyper-parameters are numbers in the same kernel"
    again = {path.name.split("-")[0] for path in (tmp_path / "cache" / "kernels").glob("*.ll")}
    assert again == kept, "none was compiled that had not been counted"
