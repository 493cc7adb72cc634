"""One store, several processes; several stores, one; and disks that take no more."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support import PATIENCE

from lab.specs import spec
from thalweg.commands.cli import main
from thalweg.lab.refusal import Refusal
from thalweg.lab.store.export import write_parquet
from thalweg.lab.store.merge import Joined, merge
from thalweg.lab.store.records import FILE
from thalweg.lab.store.store import Store
from thalweg.lab.trials.trials import Trial


def filled(folder: Path, seeds: Any, loss: float = 1.0) -> Path:
    folder.mkdir(exist_ok=True)
    with closing(Store(folder / FILE)) as kept:
        kept.add([(spec(seed), Trial(0.1, seed, loss_curve=[loss, float(seed)])) for seed in seeds])
    return folder


def seeds_in(folder: Path) -> list[int]:
    with closing(Store(folder / FILE)) as kept:
        return sorted(what["seed"] for what, _ in kept.everything())


WRITER = """
import sys
from pathlib import Path
from lab.store.test_shared import Store, Trial, spec
kept = Store(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for seed in range(int(sys.argv[2]), int(sys.argv[3])):
    kept.add([(spec(seed), Trial(0.1, seed, loss_curve=[1.0] * 50))])
"""


@pytest.mark.slow
def test_two_processes_on_one_store_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    ranges = ((0, 80), (40, 120), (20, 100))
    command = [sys.executable, "-c", WRITER, str(tmp_path / FILE)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    writers = [subprocess.Popen([*command, *map(str, some)], **pipes) for some in ranges]  # type: ignore[call-overload]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=PATIENCE)
        assert writer.returncode == 0
    assert seeds_in(tmp_path) == list(range(120))


def test_many_trials_are_found_at_once(tmp_path: Path) -> None:
    with closing(Store(tmp_path / FILE)) as kept:
        kept.add([(spec(seed), Trial(0.1, seed)) for seed in range(0, 3000, 2)])
        keys = [spec(seed).key for seed in range(3000)]
        found = kept.find(keys)
        assert [keys[trial.seed] for trial in found.values()] == list(found)
        assert sorted(trial.seed for trial in found.values()) == list(range(0, 3000, 2))


def test_what_time_had_a_part_in_is_known_to_this_process_only(tmp_path: Path) -> None:
    with closing(Store(tmp_path / FILE)) as kept:
        kept.note([(spec(1), Trial(0.1, 1, failure="it hung"))])
        trial = kept.get(spec(1).key)
        assert trial is not None
        assert trial.failure == "it hung"
    assert seeds_in(tmp_path) == []


def test_a_full_disk_is_refused_and_what_is_finished_kept(tmp_path: Path) -> None:
    folder = filled(tmp_path / "a", range(10))
    with closing(Store(folder / FILE)) as kept:
        pages = kept.connection.execute("PRAGMA page_count").fetchone()[0]
        kept.connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite then says what it says of a full disk
        with pytest.raises(Refusal, match=r"cannot keep trials there \(database or disk is full\); what is finished is kept"):
            kept.add([(spec(seed), Trial(0.1, seed, loss_curve=[1.0] * 2000)) for seed in range(10, 20)])
        assert kept.find([spec(1).key])
    assert seeds_in(folder) == list(range(10))
    assert [path.name for path in folder.iterdir()] == [FILE], "one file, no journal left"


def test_a_store_that_may_only_be_read_answers_and_refuses_more(tmp_path: Path) -> None:
    folder = filled(tmp_path / "a", range(3))
    with closing(Store(folder / FILE)) as kept:
        kept.connection.execute("PRAGMA query_only = 1")  # root may write any file
        assert kept.get(spec(1).key) is not None
        with pytest.raises(Refusal, match=r"attempt to write a readonly database"):
            kept.add([(spec(7), Trial(0.1, 7))])


def test_merge_joins_and_counts(tmp_path: Path) -> None:
    a, b = filled(tmp_path / "a", range(5)), filled(tmp_path / "b", range(3, 9))
    c = filled(tmp_path / "c", (4, 20), loss=2.0)
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["lab", "merge", str(a), str(b), str(c / FILE), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:3] == [
        f"{a}: 5 trials added, 0 were there already",
        f"{b}: 4 trials added, 2 were there already",
        f"{c / FILE}: 1 trials added, 0 were there already",
    ]
    assert "1 trials came out differently" in done.stderr
    assert "problem wine, rule adam, lr 0.1, seed 4" in done.stderr
    assert seeds_in(out) == [*range(9), 20]
    with closing(Store(out / FILE)) as kept:
        first = kept.get(spec(4).key)
    assert first is not None
    assert first.loss_curve == [1.0, 4.0], "the first is kept"
    assert list(merge([out, a], out)) == [Joined(0, 10, 0, None), Joined(0, 5, 0, None)]


@pytest.mark.parametrize("kind", ["missing", "text", "another"])
def test_merge_refuses_what_is_no_store_and_writes_nothing(kind: str, tmp_path: Path) -> None:
    a, bad = filled(tmp_path / "a", range(5)), tmp_path / "bad"
    bad.mkdir()
    if kind == "text":
        (bad / FILE).write_text("a diary, not a data base " * 100)
    elif kind == "another":
        with closing(sqlite3.connect(bad / FILE)) as connection:
            connection.execute("CREATE TABLE birds (name TEXT)")
    done = CliRunner().invoke(main, ["lab", "merge", str(a), str(bad), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    says = {"missing": "there are no trials", "text": "file is not a database", "another": "no such table: trials"}
    assert says[kind] in done.stderr
    assert not (tmp_path / "out" / FILE).exists()


def test_another_programs_data_base_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE birds (name TEXT)")
    with pytest.raises(Refusal, match=r"it has other tables: birds"):
        Store(tmp_path / FILE)


def test_parquet_holds_every_trial(tmp_path: Path) -> None:
    from pyarrow import parquet

    with closing(Store(tmp_path / FILE)) as kept:
        one = Trial(0.1, 1, loss_curve=[1.0, math.inf], train_curve=[math.nan, 2.0], test_score=0.75)
        kept.add([(spec(1, hyper={}), one)])
        kept.add([(spec(2, hyper={"b": 1, "a": 2.5}), Trial(0.1, 2, diverged=True, failure="it raised"))])
        assert write_parquet(kept, tmp_path / "trials.parquet") == 2
    first, two = parquet.read_table(tmp_path / "trials.parquet").to_pylist()
    assert [first[name] for name in ("problem", "seed", "test_score", "failure", "hyper")] == ["wine", 1, 0.75, None, "{}"]
    np.testing.assert_array_equal(first["loss_curve"], [1.0, math.inf])
    np.testing.assert_array_equal(first["train_curve"], [math.nan, 2.0])
    assert (two["loss_curve"], two["diverged"], two["failure"]) == ([], True, "it raised")
    assert json.loads(two["hyper"]) == {"a": 2.5, "b": 1}


def test_an_empty_store_is_an_empty_table(tmp_path: Path) -> None:
    with closing(Store(tmp_path / FILE)) as kept:
        assert write_parquet(kept, tmp_path / "trials.parquet") == 0
