"""Whoever reads a pipe is told every few seconds that a long stage is still running, and how far it is."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import PATIENCE, wait_for

from thalweg.commands import heartbeat
from thalweg.commands.cli import main
from thalweg.commands.comparison_progress import ComparisonProgress
from thalweg.commands.heartbeat import Heartbeat, stage
from thalweg.commands.screen import Screen
from thalweg.lab.api.progress import Progress


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY", 0.001)


@pytest.mark.usefixtures("quick")
def test_a_long_stage_of_a_comparison_is_heard_of() -> None:
    pipe = io.StringIO()
    with ComparisonProgress(Screen(file=pipe)) as progress:
        progress(Progress("tuning \x1b[31madam", "now", 24, 1200))
        wait_for(lambda: re.search(r"^tuning \ufffd\[31madam; 24 of 1,200 trials, \d+ s so far$", pipe.getvalue(), re.MULTILINE))
    assert "\x1b" not in pipe.getvalue()


@pytest.mark.usefixtures("quick")
def test_a_long_stage_of_any_command_is_heard_of() -> None:
    pipe = io.StringIO()
    with stage(Screen(file=pipe), "checking") as update:
        update("writing")
        wait_for(lambda: re.search(r"^writing: \d+ s so far$", pipe.getvalue(), re.MULTILINE))


def test_where_lines_come_there_are_no_others() -> None:
    pipe = io.StringIO()
    with ComparisonProgress(Screen(file=pipe)) as progress:
        progress(Progress("timing a step of each", "stage", 0, 1200))
    assert pipe.getvalue().splitlines() == ["timing a step of each"]


@pytest.mark.usefixtures("quick")
def test_a_closed_pipe_ends_it_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    called = threading.Event()

    def beat() -> None:
        called.set()
        raise BrokenPipeError

    with Heartbeat(beat) as heart:
        assert called.wait(PATIENCE)
        heart._thread.join(PATIENCE)
        assert not heart._thread.is_alive()
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_whole_comparison_in_a_pipe(tmp_path: Path) -> None:
    told = ["compare", "--problem", "xor", "--rules", "sgd,adam", "--budget", "2", "--seeds", "2", "--steps", "3", "--jobs", "1"]
    done = CliRunner().invoke(main, [*told, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert re.search(r"^.+; \d+ of \d+ trials, \d+ s so far$", done.stderr, re.MULTILINE)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.stderr)
    assert "s so far" not in done.stdout
