"""A comparison that was stopped is reported as far as it came."""

from __future__ import annotations

import contextlib
import json
import math
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, first

from lab.report.test_schema import misfits
from thalweg import lab
from thalweg.lab.api import plan
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.comparing.run import run
from thalweg.lab.comparing.unfinished import finished_part
from thalweg.lab.refusal import Stopped
from thalweg.lab.report.results import results
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.store.store import Store

FEW: dict[str, Any] = {"problem": "xor", "rules": "sgd,adam,lion", "budget": 6, "seeds": 6, "steps": 12}


def contests(**more: Any) -> list[Contest]:
    return plan.contests({**FEW, **more}, print)[0].in_blocks()


class Enough(Exception):
    """So many trials have finished."""


@contextlib.contextmanager
def stopped_after(trials: float, where: Path, **more: Any) -> Iterator[tuple[list[Contest], Store]]:
    """The contests and the store of a comparison that was stopped once about so many trials were finished."""
    with contextlib.closing(Store(where)) as kept:

        def count(phase: Any, finished: int) -> None:
            if kept.count() >= trials:
                raise Enough

        with contextlib.suppress(Enough):
            run(contests(**more), kept, count)
        yield contests(**more), kept


@pytest.mark.parametrize("share", first([0.7, 0.4, 0.9, 1.0]))
@pytest.mark.parametrize("blocks", [1, 3])
def test_only_what_is_judged_on_the_same_seeds_is_compared(share: float, blocks: int, tmp_path: Path) -> None:
    trials = share * sum(contest.trials for contest in contests(blocks=blocks))
    with stopped_after(trials, tmp_path / "trials.sqlite3", blocks=blocks) as (made, kept):
        part, count = finished_part(made, kept), kept.count()
    assert part.planned == sum(contest.trials for contest in made)
    assert part.finished == count
    assert all(not candidate.tuning for contest in made for candidate in contest.candidates), "they are left as they were"
    if not part.contests:
        assert share < 0.8
        return
    found = results(part.contests, {}, "again", part.sentence)
    assert misfits(found, Results) == []
    seeds = {row["name"]: [run["seed"] for run in row["judging"]] for row in found["rules"]}
    assert len({tuple(own) for own in seeds.values()}) == 1
    assert {*seeds, *found["not_run"]} == {"sgd", "adam", "lion"}
    assert (found["caution"] or "").startswith(f"Unfinished: {count} of {part.planned} trials are there")
    if share == 1:
        whole = lab.compare(**FEW, blocks=blocks, out=tmp_path, jobs=1)
        assert not found["not_run"]
        for row, own in zip(found["rules"], whole.results["rules"], strict=True):
            assert {**row, "step_cost": None} == {**own, "step_cost": None}


def test_seeds_that_some_have_not_seen_do_not_count(tmp_path: Path) -> None:
    with stopped_after(math.inf, tmp_path / "trials.sqlite3") as (made, kept):
        lost = made[0]
        adam = next(candidate for candidate in lost.candidates if candidate.label == "adam")
        specs = lost.specs(adam, "judging", [adam.default])
        kept.connection.execute("DELETE FROM trials WHERE key IN (?, ?)", [specs[1].key, specs[4].key])
        part = finished_part(made, kept)
    assert part.planned - part.finished == 2
    (contest,) = part.contests
    seeds = [spec.seed for i, spec in enumerate(specs) if i not in (1, 4)]
    for candidate in contest.candidates:
        if candidate.compared:
            assert [trial.seed for trial in candidate.judging] == [trial.seed for trial in candidate.untuned] == seeds
    assert contest.settings.seeds == 4


@pytest.mark.slow
def test_an_interrupt_leaves_a_report(tmp_path: Path) -> None:
    pressed: list[lab.Progress] = []

    def interrupt(progress: lab.Progress) -> None:
        if not pressed and progress.total and progress.done >= 0.9 * progress.total:
            pressed.append(progress)
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as stopped:
        lab.compare(**FEW, out=tmp_path, jobs=1, progress=interrupt)
    assert "Unfinished: " in stopped.value.report.read_text()
    whole = lab.compare(**FEW, out=tmp_path, jobs=1)
    assert whole.results["caution"] is None
    again = lab.compare(**FEW, out=tmp_path, jobs=1, report=True)
    assert again.results["rules"] == whole.results["rules"], "what was measured besides is kept, too"


@pytest.mark.slow
def test_the_command_reports_what_a_killed_one_left_and_runs_nothing(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "thalweg", "compare", "--problem", "digits", "--rules", "sgd,adam", "--budget", "6",
             "--steps", "3000", "--jobs", "1", "--out", str(tmp_path)]  # fmt: skip  # seconds are left after the first is judged
    begun = subprocess.run([*asked, "--report"], capture_output=True, text=True, timeout=PATIENCE)
    assert begun.returncode == 2
    assert "there is nothing to report; the same command without --report begins" in begun.stderr
    with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        told = ""
        while "judging done" not in told:
            line = running.stderr.readline()
            assert line, told
            told += line
        running.send_signal(signal.SIGINT)
        told = running.stderr.read()
        assert running.wait(PATIENCE) == 130
    assert "Stopped. The finished trials are kept" in told
    if "Report of what is finished" in told:
        assert (tmp_path / "report.html").is_file()
    done = subprocess.run([*asked, "--report"], capture_output=True, text=True, timeout=PATIENCE)
    found = json.loads((tmp_path / "results.json").read_text())
    assert done.returncode == 0, done.stderr
    assert "trials are finished" in done.stderr
    assert "Unfinished: " in done.stdout
    assert found["caution"].startswith("Unfinished: ")
    assert "Unfinished: " in (tmp_path / "report.html").read_text()
