"""Hopeless tuning runs stop early: cleanly, by one rule, whatever the number of jobs and wherever a comparison was stopped."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import first

import thalweg as tw
from lab.report.test_schema import misfits
from lab.training.loops import BOWL, bowl, described, written
from thalweg import lab
from thalweg.lab.api import training
from thalweg.lab.comparing import pilot
from thalweg.lab.comparing.candidate import Candidate
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.comparing.phases import Phase
from thalweg.lab.comparing.run import run as run_all
from thalweg.lab.comparing.unfinished import finished_part
from thalweg.lab.protocol import halving
from thalweg.lab.protocol.tune import Setting, Space
from thalweg.lab.refusal import Refusal
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.running.executors import engine
from thalweg.lab.store.store import Store
from thalweg.lab.training.running import Outcome, outcome, run
from thalweg.lab.trials.trials import Trial

STEPS, STOP = 16, 5
OFTEN = BOWL.replace("range(8)", "range(16)").replace("if step % 2 == 0:", "if step % 3 == 2:")
ALL: dict[str, Any] = {"rules": ["sgd", "adam"], "budget": 6, "seeds": 3, "early_stopping": "halving"}


def stopped(train: Any, **more: Any) -> Outcome:
    return outcome(described(train), tw.rules["sgd"], Setting(0.1), 0, STEPS, until=STOP, **more)


def looped(trial: Any) -> float:
    optimizer, x = trial.optimizer(np.ones(2)), np.ones(2)
    for step in range(STEPS):
        optimizer.step(x)
        trial.report(step, validation=10.0 - step)
    return 99.0


def test_a_run_stops_at_the_first_report_from_its_step_on() -> None:
    found = stopped(looped)
    assert (found.validation, found.test, found.stopped, found.error, found.steps) == (5.0, None, 5.0, None, 6)
    assert outcome(described(looped), tw.rules["sgd"], Setting(0.1), 0, STEPS).validation == 99.0
    (trial,) = run(described(looped), tw.rules["sgd"], [(Setting(0.1), 0)], steps=STEPS, judge=False, until=STOP)
    assert trial.score_curve == [10.0, 9.0, 8.0, 7.0, 6.0, 5.0]
    assert (trial.loss_curve[-1], trial.stopped, trial.diverged, trial.test_score) == (-5.0, 5.0, False, None)


def test_what_the_loop_has_opened_is_closed_and_what_it_catches_is_no_error() -> None:
    told: list[str] = []

    def train(trial: Any) -> float:
        try:
            return looped(trial)
        except Exception:
            told.append("never")
            return 0.0
        finally:
            told.append("closed")

    assert stopped(train).stopped == STOP
    assert told == ["closed"]


def _swallows(trial: Any) -> float:
    for step in range(STEPS):
        with contextlib.suppress(BaseException):
            trial.report(step, validation=10.0 - step)
    return 99.0


def _turns(trial: Any) -> float:
    try:
        return looped(trial)
    except BaseException as error:
        raise OSError("what a callback of another language makes of it") from error


def _ends(trial: Any) -> float:
    try:
        return looped(trial)
    finally:
        raise SystemExit(3)


def _in_a_thread(trial: Any) -> float:
    def report() -> None:
        with contextlib.suppress(BaseException):
            looped(trial)

    thread = threading.Thread(target=report)
    thread.start()
    thread.join()
    return 99.0


@pytest.mark.parametrize("train", [_swallows, _turns, _ends, _in_a_thread])
def test_a_run_is_stopped_whatever_becomes_of_the_exception(train: Any) -> None:
    found = stopped(train)
    assert (found.validation, found.stopped, found.error) == (5.0, 5.0, None)
    assert max(step for step, _ in found.reports) == STOP


def test_an_interrupt_is_one_also_in_a_run_that_stops() -> None:
    def train(trial: Any) -> float:
        try:
            return looped(trial)
        finally:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped(train)


def test_a_run_that_raises_before_has_its_error_and_one_that_reports_late_is_whole() -> None:
    def raises(trial: Any) -> float:
        raise ValueError("early")

    def late(trial: Any) -> float:
        trial.report(STEPS, validation=3.0)
        return 4.0

    assert (stopped(raises).error or "").startswith("ValueError: early")
    assert (stopped(late).validation, stopped(late).stopped) == (4.0, None)


def test_the_better_half_goes_on() -> None:
    ends = {Setting(lr): (end, 0.0) for lr, end in ((1.0, 3.0), (2.0, 1.0), (3.0, math.inf), (4.0, 2.0), (5.0, 2.0))}
    assert halving.better(ends) == {Setting(2.0), Setting(4.0), Setting(5.0)}
    assert [halving.survivors(n) for n in (1, 2, 3, 4, 5, 10)] == [1, 2, 3, 2, 3, 5]
    assert [halving.stop(n) for n in (1, 8, 9, 1000)] == [1, 1, 2, 125]


def test_a_setting_that_was_stopped_is_not_chosen_however_good_it_was_by_then() -> None:
    candidate = Candidate(tw.rules["sgd"], "sgd", Space((0.001, 1.0), 4))
    candidate.tuning = [
        Trial(0.1, 1, loss_curve=[-9.0], score_curve=[9.0], stopped=2.0),
        Trial(0.2, 1, loss_curve=[-1.0], score_curve=[1.0]),
        Trial(0.3, 1, loss_curve=[-2.0], score_curve=[2.0]),
    ]
    candidate.choose(higher_is_better=True)
    assert candidate.best == Setting(0.3)


def test_a_comparison_stops_the_worse_half_and_chooses_among_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, OFTEN)
    told: list[lab.Progress] = []
    found = lab.compare(path, **ALL, jobs=1, out=tmp_path / "out", progress=told.append)
    assert misfits(found.results, Results) == []
    assert found.results["settings"]["early_stopping"] == "halving"
    assert found.results["protocol"]["version"].endswith("with successive halving")
    assert halving.WORDS in found.results["protocol"]["sentences"]
    page = found.report.read_text()
    assert "a hollow one was stopped early" in page
    assert "was stopped after 0.125 of the steps" in page
    for row in found.results["rules"]:
        ends = {trial["lr"]: trial for trial in row["tuning"]}
        assert (len(row["tuning"]), len(ends)) == (12, 6)
        assert sum(trial["stopped"] == 2 for trial in row["tuning"]) == 2 * 2, (
            "of five settings three go on, and one more is tried"
        )
        assert ends[row["best_lr"]]["stopped"] is None
        assert all(math.isfinite(x) for x in (row["best_of_few"]["mean"] or math.nan, *row["best_of"]))
    assert told[-1].done == told[-1].total == _stored(tmp_path / "out"), "the number of trials was foreseen"


def _stored(out: Path) -> int:
    with closing(sqlite3.connect(out / "trials.sqlite3")) as connection:
        return int(connection.execute("SELECT count(*) FROM trials").fetchone()[0])


def contest(folder: Path, text: str = OFTEN, **more: Any) -> Contest:
    given = training.referred({"train": written(folder, text)})
    return training.contest(given, {**ALL, "jobs": 1, **more}, folder, None, lambda line: None)


def ended(made: Contest, store: Path, jobs: int = 1, after: float = math.inf) -> tuple[Any, int]:
    """Run a contest up to a number of stored trials. Returns what each candidate has, and the number of trials that ran now."""
    kept = Store(store)
    before = kept.count()

    def stop(phase: Phase, more: int) -> None:
        if kept.count() >= after:
            raise Enough

    with contextlib.suppress(Enough), engine("processes", jobs) as by:
        run_all([made], kept, stop, by)
    ran = kept.count() - before
    kept.close()
    return {each.label: (each.best, each.tuning, each.judging, each.untuned) for each in made.candidates}, ran


class Enough(Exception):
    """So many trials are stored."""


@pytest.mark.slow
def test_neither_the_number_of_jobs_nor_the_order_of_ends_matters(tmp_path: Path) -> None:
    slow = OFTEN.replace("rng = ", "import os, time\n    time.sleep(0.1 * (os.getpid() % 2) * (trial.seed % 3))\n    rng = ")
    assert slow != OFTEN
    one, ran = ended(contest(tmp_path, slow), tmp_path / "one")
    assert ran == contest(tmp_path, slow).trials, "the number of trials was foreseen"
    assert ended(contest(tmp_path, slow), tmp_path / "three", jobs=3) == (one, ran)


@pytest.mark.slow
def test_whole_trials_are_shared_with_a_comparison_without_and_stopped_ones_are_no_whole_ones(tmp_path: Path) -> None:
    whole, _ = ended(contest(tmp_path, early_stopping="none"), tmp_path / "both")
    halved, ran = ended(contest(tmp_path), tmp_path / "both")
    assert ran == 3 * 5 * 2, "the first parts, of the rules and of the control"
    assert halved == ended(contest(tmp_path), tmp_path / "alone")[0] != whole
    again, ran = ended(contest(tmp_path, early_stopping="none"), tmp_path / "alone")
    assert (again, ran) == (whole, 3 * 2 * 2), "the settings that were stopped run whole now"


@pytest.mark.parametrize("after", first([31, 4, 66]))
def test_a_stopped_comparison_goes_on_and_runs_nothing_twice(after: int, tmp_path: Path) -> None:
    made = contest(tmp_path)
    ended(made, tmp_path / "a", after=after)
    kept = Store(tmp_path / "a")
    part = finished_part([contest(tmp_path)], kept)
    assert (part.planned, part.finished) == (made.trials, kept.count())
    assert bool(part.contests) == (after == 66)
    kept.close()
    found, ran = ended(contest(tmp_path), tmp_path / "a")
    assert found == ended(contest(tmp_path), tmp_path / "b")[0]
    assert ran == made.trials - part.finished


@pytest.mark.slow
def test_without_reports_nothing_stops_and_that_is_said(tmp_path: Path) -> None:
    silent = OFTEN.replace("trial.report(", "(lambda *_, **__: None)(")
    told: list[str] = []
    found = lab.compare(written(tmp_path, silent), **ALL, jobs=1, out=tmp_path / "out", progress=lambda p: told.append(p.text))
    assert "no run stops early: the function reports no score between step 2 and its end" in told
    assert found.results["settings"]["early_stopping"] == "none"
    assert found.results["protocol"]["version"] == "2"


def test_the_pilot_tells_what_a_stopped_run_costs() -> None:
    asked = ((0.0, 1.0), (3.0, 4.0), (8.0, 9.0))
    one = Outcome(1.0, None, (), 8, 10.0)
    assert [pilot.stops(one, steps, asked) for steps in (8, 24, 32, 64)] == [0.4, 0.4, 0.9, 0.9]
    assert pilot.stops(one, 72, asked) is None
    assert pilot.stops(one, 8, asked[2:]) is None, "it is its end"


def test_it_is_for_training_functions_and_for_settings_spread_in_advance(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="early_stopping is for a training function of yours"):
        lab.compare(problem="xor", early_stopping="halving", out=tmp_path)
    with pytest.raises(Refusal, match="early_stopping halves settings that are spread in advance; leave it or search out"):
        lab.compare(bowl, early_stopping="halving", search="optuna", out=tmp_path)
    with pytest.raises(Refusal, match="no early_stopping is called 'hyperband'"):
        lab.compare(bowl, early_stopping="hyperband", out=tmp_path)


@pytest.mark.parametrize(
    ("asked", "stops", "kind"),
    [
        ({}, 0.2, "none"),
        ({"hours": 1.0}, 0.2, "halving"),
        ({"hours": 1.0}, None, "none"),
        ({"hours": 1.0, "early_stopping": "none"}, 0.2, "none"),
        ({"hours": 1.0, "search": "optuna"}, 0.2, "none"),
        ({"early_stopping": "halving"}, 0.2, "halving"),
    ],
)
def test_the_default(asked: Any, stops: float | None, kind: str) -> None:
    shown = pilot.Pilot("adam", 1.0, 8, (0.0, 0.0), True, stops)
    assert training.early_stopping(asked, shown, lambda line: None) == kind
