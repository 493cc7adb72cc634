"""A whole comparison through the command, on every engine and whatever is killed or full: the same store, the same table."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, python, running, wait_for

pytestmark = pytest.mark.slow

COMPARE = ["compare", "--rules", "sgd,momentum,adam", "--budget", "4", "--seeds", "3", "--steps", "60", "--jobs", "2"]
"""Digits: some sixty trials in a few seconds, in portions that are put away one by one."""

QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def begin(out: Path, *more: str, before: str = "", command: list[str] = COMPARE) -> subprocess.Popen[str]:
    arguments = python(before, "-m", "thalweg.commands.cli", *command, "--out", str(out), *more)
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ends(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        screen, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, screen, errors


def whole(out: Path, *more: str) -> str:
    """Run to the end; what the table says."""
    code, screen, errors = ends(begin(out, *more))
    assert code == 0, errors
    assert "Traceback" not in errors
    return screen


def stored(out: Path) -> dict[str, str]:
    """What the store holds, by key: the same whoever came first."""
    if not (out / "trials.sqlite3").exists():
        return {}
    with contextlib.closing(sqlite3.connect(out / "trials.sqlite3", timeout=60)) as connection:
        try:
            rows = connection.execute("SELECT key, trial FROM trials").fetchall()
        except sqlite3.OperationalError as error:  # the table is being made
            if "no such table" in str(error):
                return {}
            raise
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def results(out: Path) -> dict[str, Any]:
    """All that was found, without what a clock measured or where it stands."""
    found: dict[str, Any] = json.loads((out / "results.json").read_text())
    for row in found["rules"]:
        row.pop("step_cost")
    return {key: value for key, value in found.items() if key not in ("made", "command")}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By the standard pool, undisturbed."""
    out = tmp_path_factory.mktemp("lab") / "out"
    whole(out)
    assert len(stored(out)) > 50
    return out


def same(out: Path, reference: Path) -> bool:
    assert stored(out) == stored(reference)
    assert results(out) == results(reference)
    return True


def descendants(pid: int) -> list[int]:
    """The processes that this one began, and those that they began."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it has ended, or a thread of it
        found += [int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()]
    return [*found, *(below for child in found for below in descendants(child))]


def is_at_work(pid: int) -> bool:
    """Whether it runs trials: such processes have loaded NumPy's code, and their helpers have not."""
    with contextlib.suppress(OSError):
        return "_multiarray_umath" in Path(f"/proc/{pid}/maps").read_text()
    return False


def kill_a_worker(of: list[int], process: subprocess.Popen[str], out: Path, reference: Path) -> None:
    """SIGKILL for one of two processes that run trials, once some are in the store."""
    wait_for(lambda: len(stored(out)) >= 10, process)
    working = [pid for parent in of for pid in (parent, *descendants(parent)) if pid != process.pid and is_at_work(pid)]
    os.kill(working[-1], signal.SIGKILL)
    assert len(stored(out)) < len(stored(reference)), "it was killed at work"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
@pytest.mark.parametrize("engine", ["processes", "loky", "dask"])
def test_a_worker_killed_on_the_way_changes_nothing(engine: str, reference: Path, tmp_path: Path) -> None:
    if engine == "dask":
        pytest.importorskip("distributed")
    process = begin(tmp_path, "--engine", engine)
    kill_a_worker([process.pid], process, tmp_path, reference)
    code, _, errors = ends(process)
    assert code == 0, errors
    assert same(tmp_path, reference)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
@pytest.mark.parametrize("engine", ["processes", "loky", "dask"])
def test_a_command_that_is_killed_leaves_no_worker_behind(engine: str, tmp_path: Path) -> None:
    if engine == "dask":
        pytest.importorskip("distributed")
    with running(
        python("", "-m", "thalweg.commands.cli", *COMPARE, "--out", str(tmp_path), "--engine", engine), **QUIET
    ) as process:
        wait_for(lambda: stored(tmp_path), process)
        working = [pid for pid in descendants(process.pid) if is_at_work(pid)]
    assert len(working) >= 2, "loky has a helper beside them"
    wait_for(lambda: not any(map(is_at_work, working)))


def test_a_worker_of_a_cluster_killed_for_good_changes_nothing(reference: Path, tmp_path: Path) -> None:
    """Two workers that nobody starts again, begun as the documentation says."""
    pytest.importorskip("distributed")
    told = tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", *common, "--port", "0"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", *common, "--nthreads", "1", "--no-nanny"]
    with running(scheduler, **QUIET) as first, running(worker, **QUIET) as one, running(worker, **QUIET):
        wait_for(lambda: told.exists() and told.read_text(), first)
        out = tmp_path / "out"
        process = begin(out, "--cluster", json.loads(told.read_text())["address"])
        kill_a_worker([one.pid], process, out, reference)
        code, _, errors = ends(process)
    assert code == 0, errors
    assert same(out, reference)


def test_killed_at_random_moments_it_goes_on_to_the_same_table(reference: Path, tmp_path: Path) -> None:
    """Twenty times, before the first trial, amid them and after the last; once all are there it begins anew."""
    begun = time.monotonic()
    whole(tmp_path / "timed")
    seconds, draw, out = time.monotonic() - begun, random.Random(0), tmp_path / "out"
    every, before = stored(reference), dict[str, str]()
    found: list[int] = []
    while len(found) < 20:
        process = begin(out)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0, seconds))
        process.kill()
        process.communicate(timeout=PATIENCE)
        now = stored(out)
        assert now.items() >= before.items(), "nothing kept is lost or changed"
        before = now
        if process.returncode == -signal.SIGKILL:
            found.append(len(now))
        if len(now) == len(every):
            assert now == every
            (out / "trials.sqlite3").unlink()
            before = {}
    assert any(0 < count < len(every) for count in found), found
    whole(out)
    assert same(out, reference)


def test_a_full_disk_stops_it_in_a_sentence_and_loses_nothing(reference: Path, tmp_path: Path) -> None:
    """No file may grow beyond a limit; what is finished is there each time, and without a limit the rest comes."""
    size = (reference / "trials.sqlite3").stat().st_size
    before: dict[str, str] = {}
    for limit in (size // 3, size * 2 // 3):
        stops_in_a_sentence(tmp_path, limit, "what is finished is kept")
        now = stored(tmp_path)
        assert before.items() < now.items() < stored(reference).items()
        before = now
    whole(tmp_path)
    assert same(tmp_path, reference)
    (tmp_path / "results.json").unlink()
    stops_in_a_sentence(tmp_path, 10_000, "cannot write the report there (File too large); all trials are kept")
    assert not (tmp_path / "results.json").exists()
    whole(tmp_path)
    assert same(tmp_path, reference)


def stops_in_a_sentence(out: Path, limit: int, says: str) -> None:
    code, _, errors = ends(begin(out, before=f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"))
    assert code == 2, errors
    assert errors.splitlines()[-1].startswith("Error: ")
    assert says in errors.splitlines()[-1]
    assert "Traceback" not in errors


BOUND_BY_PERMISSIONS = "import ctypes; os.getuid() == 0 and ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)"
"""Root may write any file, unless it gives that up (PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)."""


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_store_that_may_only_be_read_answers_and_takes_no_more(what: str, reference: Path, tmp_path: Path) -> None:
    shutil.copytree(reference, out := tmp_path / "out")
    with contextlib.closing(sqlite3.connect(out / "trials.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM trials WHERE rowid % 3 = 0")
    before = stored(out)
    locked = out if what == "folder" else out / "trials.sqlite3"
    locked.chmod(0o555 if what == "folder" else 0o444)
    code, _, errors = ends(begin(out, before=BOUND_BY_PERMISSIONS))
    locked.chmod(0o755)
    says = "cannot write there (Permission denied)" if what == "folder" else "(attempt to write a readonly database)"
    assert code == 2
    assert says in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert stored(out) == before
    whole(out)
    assert same(out, reference)
    (out / "trials.sqlite3").chmod(0o444)
    code, _, errors = ends(begin(out, before=BOUND_BY_PERMISSIONS))
    assert code == 0, "all trials are there: it has nothing to write"
    assert same(out, reference)
