"""What a given time buys, and that nothing of a killed comparison is lost or run twice."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support import PATIENCE, first, wait_for

from lab.training.loops import BOWL, bowl, here, written
from thalweg import lab
from thalweg.lab.api import hours
from thalweg.lab.api.hours import BESIDES, Clock
from thalweg.lab.comparing import pilot
from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.comparing.phases import untuned
from thalweg.lab.comparing.pilot import Pilot
from thalweg.lab.refusal import Refusal
from thalweg.lab.statistics import power
from thalweg.lab.training import run, running
from thalweg.lab.training.reach import Reached
from thalweg.lab.user import my_training
from thalweg.lab.user.my_training import reference
from thalweg.lab.user.source import Source


def contest(seconds: float, rules: tuple[str, ...] = ("sgd", "adam", "lion")) -> Contest:
    source = Source(train=reference(here(bowl), "higher"))
    shown = Pilot("adam", seconds, 8, (0.0, 0.0), True)
    return Contest.of(Settings(source, rules, 12, 15, 8, 0, pilot=shown), source.see_problem(), source.load_rules())


@pytest.mark.parametrize("time", [360, 1000, 3600, 18000])
def test_as_many_settings_and_seeds_as_fit(time: float, tmp_path: Path) -> None:
    clock = Clock(time, 2, tmp_path)
    found = clock.fitted(contest(30.0))
    mine, one = found.settings, 30 + BESIDES
    assert mine.seeds == min(3, clock.promised)
    found = Contest.of(replace(mine, seeds=clock.promised), found.problem, mine.source.load_rules())
    assert found.trials * mine.blocks * one / 2 <= time
    more = 4 * 2 * max(2, mine.budget)
    assert (found.trials + more) * mine.blocks * one / 2 >= 0.6 * time, "one more of each would not fit"
    assert mine.budget == 0 or mine.budget >= 3
    assert mine.blocks == (8 if time == 18000 else 1)
    told = clock.sentence(found)
    assert ("no tuning: each rule at its usual rate" in told) == (mine.budget == 0)
    assert ("in each of 8 blocks, tuned anew" in told) == (mine.blocks == 8)
    assert ("With 8 blocks, which also measure how tuning varies, there would be fewer" in told) == (
        mine.blocks == 1 and mine.budget > 0
    )
    assert f"{found.trials * mine.blocks:,} runs" in told


def test_blocks_are_those_that_the_user_chose_or_as_many_as_have_six_settings(tmp_path: Path) -> None:
    assert [Clock(18000, 2, tmp_path, {"blocks": n}).fitted(contest(30.0)).settings.blocks for n in (1, 3)] == [1, 3]
    few = Clock(18000, 2, tmp_path, {"budget": 5})
    found = few.fitted(contest(30.0))
    assert found.settings.blocks == 1
    assert "blocks" not in few.sentence(found), "it was not the time that decided"
    least = next(time for time in range(4000, 18000, 250) if _blocks(time, tmp_path / "least") == 8)
    assert Clock(least, 2, tmp_path).fitted(contest(30.0)).settings.budget in (6, 7)
    settings = Clock(least, 2, tmp_path, {"seeds": 12}).fitted(contest(30.0)).settings
    assert (settings.blocks, settings.seeds) == (1, 12)


def _blocks(time: float, out: Path) -> int:
    out.mkdir(exist_ok=True)
    return Clock(time, 2, out).fitted(contest(30.0)).settings.blocks


def test_in_blocks_too_what_is_left_goes_into_seeds_and_the_plan_is_kept(tmp_path: Path) -> None:
    clock = Clock(18000, 2, tmp_path)
    first = clock.fitted(contest(30.0))
    clock.price = 5.0
    more = clock.extended(first)
    assert more is not None
    assert (more.settings.blocks, more.settings.budget) == (8, first.settings.budget)
    assert more.settings.seeds > first.settings.seeds
    added = (more.trials - first.trials) * 8
    assert added * 5.0 <= clock.left
    again = Clock(18000, 2, tmp_path).fitted(contest(30.0))
    assert again.settings == replace(more.settings, source=again.settings.source)


def test_without_time_for_a_run_of_each_rule_it_says_how_long_that_takes(tmp_path: Path) -> None:
    says = "a run takes about 10 minutes, so the least that can be compared takes about 30 minutes; give --hours (.*) or more, or"
    with pytest.raises(Refusal, match=says) as refused:
        Clock(360, 1, tmp_path).fitted(contest(600.0))
    enough = Clock(3600 * float(re.findall(says, str(refused.value))[0]), 1, tmp_path)
    assert enough.fitted(contest(600.0)).trials == 3
    (late := Clock(400, 1, tmp_path)).begun -= 120.0
    with pytest.raises(
        Refusal, match="and 2 minutes of 7 minutes have gone by with the pilot run; that one is kept, so the same"
    ):
        late.fitted(contest(100.0))
    assert Clock(400, 1, tmp_path).fitted(contest(100.0)).trials == 3


def test_seeds_that_can_tell_optimizers_apart_go_before_settings_to_tune_over(tmp_path: Path) -> None:
    """With fewer than six nothing is claimed, however well each optimizer is tuned."""
    for seconds in range(100, 1800, 20):
        clock = Clock(seconds, 1, tmp_path / str(seconds))
        made = clock.fitted(contest(10.0)).settings
        assert clock.promised >= power.least_seeds() or made.budget == 0
    assert made.budget


def test_the_least_is_compared_where_there_is_just_time_for_it(tmp_path: Path) -> None:
    """No reserve is kept for it: three runs of 100 seconds, one after another, and the report."""
    found = Clock(320, 1, tmp_path).fitted(contest(100.0))
    assert (found.settings.budget, found.settings.seeds, found.trials) == (0, 1, 3)
    with pytest.raises(Refusal, match="so the least that can be compared takes about 5 minutes"):
        Clock(280, 1, tmp_path / "shorter").fitted(contest(100.0))


def test_what_the_user_chose_stays(tmp_path: Path) -> None:
    clock = Clock(3600, 2, tmp_path, {"budget": 5})
    assert clock.fitted(contest(5.0)).settings.budget == 5
    assert clock.promised > 6
    settings = Clock(3600, 2, tmp_path, {"seeds": 4}).fitted(contest(4.0, ("sgd",))).settings
    assert (settings.seeds, settings.budget > 6) == (4, True)


def test_what_is_left_goes_into_more_seeds_and_an_interrupted_call_keeps_its_plan(tmp_path: Path) -> None:
    clock = Clock(3600, 2, tmp_path)
    first = clock.fitted(contest(20.0))
    clock.price = 1.0
    more = clock.extended(first)
    assert more is not None
    assert more.settings.budget == first.settings.budget
    assert more.settings.seeds > first.settings.seeds
    again = Clock(3600, 2, tmp_path)
    found = again.fitted(contest(20.0))
    assert (found.settings.budget, found.settings.seeds) == (more.settings.budget, more.settings.seeds)
    assert again.first(found) is None, "an earlier call has run each rule once"
    again.resume(found, stored=100)
    assert 3600 - again.left == pytest.approx(100 * 1.0, abs=60), "what the runs cost then"
    again.price = 0.1
    assert again.extended(found) is not None
    again.price = 1000.0
    assert again.extended(found) is None
    finished = Clock(3600, 2, tmp_path)
    assert finished.extended(finished.fitted(contest(20.0))) is None, "it is what was reported"


def test_each_rule_runs_once_and_the_plan_follows_what_that_cost(tmp_path: Path) -> None:
    clock = Clock(3600, 2, tmp_path)
    first = clock.fitted(contest(20.0))
    probe = clock.first(first)
    assert probe is not None
    assert (probe.settings.budget, probe.settings.seeds, probe.trials) == (0, 1, 3)
    clock.resume(first, stored=0)
    clock.resumed -= 3 * 40 / 2
    judging = untuned(first, first.candidates[0])
    for _ in range(3):
        clock.ended(judging, 1)
    assert clock.each(first) == pytest.approx(20, abs=0.5)
    clock.resumed, before = time.perf_counter() - 60, clock.promised
    fewer = clock.refitted(first, started=1.5)
    assert clock.each(first) == pytest.approx(19.5, abs=0.5)
    assert (fewer.settings.budget, clock.promised) < (first.settings.budget, before)
    assert fewer.trials * 19.5 < clock.seconds
    assert Clock(3600, 2, tmp_path).fitted(contest(20.0)).settings.budget == fewer.settings.budget


def test_the_report_has_more_time_on_a_machine_that_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "report_seconds", lambda rows: 10.0)
    clock = Clock(1000, 2, tmp_path, {"budget": 3})
    first = clock.fitted(contest(20.0))
    clock.units, clock.price, clock.begun = 2.0, 10.0, time.perf_counter() - 960
    assert clock.extended(first) is not None
    clock.finished = False
    clock.refitted(first, started=100.0)
    clock.price = 10.0
    assert clock.extended(first) is None


def test_runs_begin_as_long_as_they_can_end_in_time(tmp_path: Path) -> None:
    clock = Clock(1000, 2, tmp_path)
    assert clock.goes_on(), "nothing is known yet"
    clock.price = 50.0
    clock.begun = time.perf_counter() - 940
    assert clock.goes_on()
    clock.begun -= 30
    assert not clock.goes_on()


@pytest.mark.parametrize(
    ("later", "fixed", "budget"),
    first([(30.0, {}, 3), (300.0, {}, 0), (30.0, {"budget": 9, "seeds": 3}, 0), (120.0, {"budget": 9}, 0)]),
)
def test_if_runs_become_slower_there_are_fewer_and_the_report_says_what_is_missing(
    later: float, fixed: Any, budget: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, runs = [0.0], [0]
    for module in (hours, running, run):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def train(trial: Any) -> Any:
        runs[0] += 1
        now[0] += 10.0 if runs[0] < 12 else later
        return bowl(trial)

    told: list[str] = []
    asked: dict[str, Any] = {"rules": ["sgd", "adam"], "hours": 0.5, "jobs": 1, "progress": lambda p: told.append(p.text)}
    with _identical(monkeypatch):
        found = lab.compare(here(train), **asked, **fixed, out=tmp_path)
    assert 0.88 * 1800 < now[0] < 1.1 * 1800
    settings, caution = found.results["settings"], found.results["caution"]
    assert (len(found.results["rules"]), settings["budget"]) == (2, budget)
    assert any(line.startswith("runs have become slower, and take about ") for line in told) == (not fixed)
    if not fixed:
        assert caution is None, "what was planned in the end is done"
        return
    assert caution is not None
    assert caution in told
    assert caution.startswith("The time was over before all was done, as a run took about ")
    assert "trials are there, and the optimizers, at their usual rates, are compared. With --budget 9 --seeds" in caution
    assert "early-stopping halving in place of" in found.report.read_text()


@contextlib.contextmanager
def _identical(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Context manager: a function that counts its runs is the same function all the same."""
    with monkeypatch.context() as patch:
        patch.setattr(my_training, "reached", lambda function: Reached("counts", ()))
        yield


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["", "[]", "{", "null", "text", "number", "half"])
def test_a_damaged_plan_or_pilot_is_made_anew(damage: str, tmp_path: Path) -> None:
    def compared() -> int:
        return lab.compare(here(bowl), rules=["sgd", "adam"], hours=0.5, seeds=2, budget=1, out=tmp_path, jobs=1).results[
            "settings"
        ]["seeds"]

    assert compared() == 2
    for file in (hours.FILE, pilot.FILE):
        path = tmp_path / file
        (key, (whole, digest)), *_ = json.loads(path.read_text()).items()
        broken = {"text": "yes", "number": -1, "half": {name: whole[name] for name in list(whole)[:2]}}
        path.write_text(json.dumps({key: [broken[damage], digest]}) if damage in broken else damage)
        with pytest.warns(RuntimeWarning, match=f"{file} is damaged; .* made anew") if damage else contextlib.nullcontext():
            assert compared() == 2
        assert json.loads(path.read_text())[key][0].keys() == whole.keys()
        for name in whole:
            path.write_text(json.dumps({key: [{**whole, name: "yes"}, digest]}))
            with pytest.warns(RuntimeWarning, match=f"{file} is damaged; 1 of its 1 entries is made anew"):
                assert compared() == 2


def test_without_tuning_it_reports_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "LEAST", hours.MOST)
    told: list[str] = []
    found = lab.compare(
        here(bowl), rules=["sgd", "adam"], hours=1.0, seeds=2, out=tmp_path, progress=lambda p: told.append(p.text)
    )
    settings = found.results["settings"]
    assert "60 minutes buy no tuning: each rule at its usual rate, on about 2 judging seeds: 4 runs of 2 rules" in told
    assert (settings["budget"], settings["seeds"]) == (0, 2)
    assert "No optimizer is tuned" in found.results["protocol"]["sentences"][0]
    assert "Each ran at its usual learning rate, untuned" in found.report.read_text()
    assert all(row["note"] == "not tuned: it runs its shipped setting" for row in found.results["rules"])


END = '    return {"validation"'
SLOW = BOWL.replace(
    END,
    """
    import pathlib, time
    time.sleep(0.1)
    with open(pathlib.Path(__file__).with_suffix(".log"), "a") as log:
        print(trial.rule, trial.lr, trial.seed, file=log)
"""
    + END,
)


@pytest.mark.slow
@pytest.mark.parametrize("after", [3, 17, 30])
def test_a_killed_comparison_goes_on_and_runs_nothing_finished_again(after: int, tmp_path: Path) -> None:
    path, out = written(tmp_path, SLOW), tmp_path / "out"
    log = path.with_suffix(".log")
    command = [sys.executable, "-m", "thalweg.commands.cli", "compare", "--train", path, "--rules", "sgd,adam", "--budget", 3,
               "--seeds", 4, "--jobs", 2, "--out", out]  # fmt: skip
    asked = [str(word) for word in command]

    def finished() -> list[str]:
        return log.read_text().splitlines() if log.is_file() else []

    with subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as running:
        wait_for(lambda: len(finished()) >= after + 4, running)  # four of them are the pilot's
        running.send_signal(signal.SIGKILL)
    time.sleep(1)
    with closing(sqlite3.connect(out / "trials.sqlite3")) as connection:
        kept = connection.execute("SELECT count(*) FROM trials").fetchone()[0]
    before = len(finished())
    done = subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    total = json.loads((out / "results.json").read_text())
    assert re.search(rf"{kept} of 38 trials in the store", done.stderr)
    assert len(finished()) - before == 38 - kept, "what was finished is not run again, nor is the pilot"
    assert max(Counter(finished()[before:]).values()) == 1
    assert total["rules"][0]["score"]["mean"] is not None


def test_a_pilot_that_only_waits_at_first_is_timed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is long by the clock, but not for the processor, waited for packages to be read or for other programs; what
    works long is not run once more, nor is what would cost minutes."""
    pilot._run(Source(train=reference(here(bowl), "higher")), "sgd", 0, 8)  # its kernel is there
    monkeypatch.setattr(pilot, "SHORT", 0.2)
    runs: list[str] = []

    def timed(spend: Callable[[], None]) -> float:
        def train(trial: Any) -> Any:
            if not runs:
                spend()
            runs.append(trial.rule)
            return bowl(trial)

        runs.clear()
        return pilot._run(Source(train=reference(here(train), "higher")), "sgd", 0, 8).seconds

    def works() -> None:
        until = time.process_time() + 0.4
        while time.process_time() < until:
            pass

    assert timed(lambda: time.sleep(0.4)) < 0.4
    assert len(runs) == 2
    assert timed(works) >= 0.4
    assert len(runs) == 1
    monkeypatch.setattr(pilot, "LONG", 0.3)
    assert timed(lambda: time.sleep(0.4)) >= 0.4
    assert len(runs) == 1
