"""A training function that hands over how to compute its score: so many validations that they cost little."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from lab.report.test_schema import misfits
from lab.training.loops import BOWL, described, written
from thalweg import lab
from thalweg.lab.comparing import pilot
from thalweg.lab.comparing.pilot import Pilot
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.training.running import Outcome, outcome
from thalweg.lab.training.validations import MOST, Validations, affordable

SHOWN = Pilot("adam", 0.0, 100, (0.0, 0.0), True)


def test_validations_take_a_fifth_of_a_run_at_most() -> None:
    for training, each in ((10.0, 0.1), (2.0, 11.0), (60.0, 0.31), (1.0, 0.25)):
        count = affordable(training, each)
        assert count * each <= (training + count * each) / 5 * (1 + 1e-12)
        assert count == MOST or (count + 1) * each > (training + (count + 1) * each) / 5
    assert affordable(2.0, 11.0) == 0
    assert affordable(10.0, 0.0) == MOST


@pytest.mark.parametrize("count", [0, 1, 3, 7, 50])
@pytest.mark.parametrize("every", [1, 7, 100])
def test_they_are_spread_evenly_and_none_is_at_the_end(count: int, every: int) -> None:
    watch = Validations(count, 1000)
    due = [step for step in range(0, 1001, every) if watch.due(step)]
    assert len(due) == min(count, 9 if every == 100 else count)
    assert all(abs(step - round(step * (count + 1) / 1000) * 1000 / (count + 1)) <= every for step in due)
    assert 0 not in due
    assert 1000 not in due


def run(count: int | None, each: float = 0.0, until: int = 0) -> tuple[Outcome, list[int]]:
    made: list[int] = []

    def train(trial: Any) -> float:
        for step in range(1, 101):
            time.sleep(0.001)

            def score(step: int = step) -> float:
                made.append(step)
                time.sleep(each)
                return float(step)

            trial.report(step, validation=score)
        return 100.0

    problem = described(train)
    problem.validations = count
    return outcome(problem, tw.rules["sgd"], Setting(0.1), 0, 100, until), made


def test_a_run_computes_what_is_due_and_stops_there() -> None:
    found, made = run(3)
    assert made == [25, 50, 75]
    assert (found.validated, found.reports) == (3, ((25.0, 25.0), (50.0, 50.0), (75.0, 75.0)))
    found, made = run(3, until=13)
    assert (made, found.stopped, found.validation) == ([25], 25.0, 25.0)
    found, made = run(0, until=13)
    assert (made, found.stopped, found.validation) == ([], None, 100.0)


def test_the_pilot_finds_how_many_there_may_be() -> None:
    found, made = run(None, each=0.02)
    assert 1 <= len(made) < 20, "it computes them only as long as they are cheap"
    shown = pilot._shown(SHOWN, found)
    each = found.validating / found.validated
    assert shown.validations == affordable(found.seconds - found.validating, each)
    assert 0 < shown.validating <= 0.2
    assert shown.seconds < found.seconds * 1.2
    dear, made = run(None, each=1.0)
    assert made == [1]
    shown = pilot._shown(SHOWN, dear)
    assert (shown.validations, shown.validating, shown.stops) == (0, 0.0, None)
    assert shown.seconds < 0.9, "without the validation"


def test_what_a_validation_draws_changes_nothing_in_the_run() -> None:
    torch = pytest.importorskip("torch")

    def train(trial: Any) -> float:
        total = 0.0
        for step in range(1, 101):
            total += random.random() + np.random.rand() + float(torch.rand(()))  # noqa: NPY002
            trial.report(step, validation=lambda: random.random() + np.random.rand() + float(torch.rand(())))  # noqa: NPY002
        return total

    ends = []
    for count in (0, 5, 50):
        problem = described(train)
        problem.validations = count
        ends.append(outcome(problem, tw.rules["sgd"], Setting(0.1), 0, 100))
    assert [len(end.reports) for end in ends] == [0, 5, 50]
    assert ends[0].validation == ends[1].validation == ends[2].validation


def test_numbers_are_the_function_s_own_affair() -> None:
    found = outcome(described(lambda trial: trial.report(1, validation=2.0) or 1.0), tw.rules["sgd"], Setting(0.1), 0, 100)
    shown = pilot._shown(SHOWN, found)
    assert (shown.validations, shown.validating, found.validated) == (None, 0.0, 0)


@pytest.mark.slow
def test_a_function_is_scored_as_often_as_it_is_affordable_and_the_report_says_so(tmp_path: Path) -> None:
    handed = BOWL.replace("if step % 2 == 0:", "if True:").replace(
        "validation=score(params))", "validation=lambda: score(params))"
    )
    assert handed.count("lambda") == 1
    told: list[str] = []
    asked: dict[str, Any] = {"rules": ["sgd", "adam"], "budget": 4, "seeds": 2, "early_stopping": "halving", "jobs": 1}
    found = lab.compare(written(tmp_path, handed), **asked, out=tmp_path / "out", progress=lambda p: told.append(p.text))
    assert misfits(found.results, Results) == []
    many = found.results["training"]["validations"]
    assert many is not None
    assert any("8 steps; validations on the way are" in line for line in told)
    assert f"A run computes at most {many} validation scores on the way" in found.report.read_text()
