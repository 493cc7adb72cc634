"""Stores that were damaged: what is sound serves, what is not runs again, and no other number is ever told."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.specs import spec
from thalweg.commands.cli import main
from thalweg.lab.refusal import Refusal
from thalweg.lab.store.export import write_parquet
from thalweg.lab.store.merge import Joined, merge
from thalweg.lab.store.records import FILE
from thalweg.lab.store.store import Store
from thalweg.lab.trials.trials import Trial

SEEDS = range(24)


def trial(seed: int) -> Trial:
    return Trial(0.1, seed, loss_curve=[0.5 + seed / 64] * 12, test_score=0.905)


def filled(folder: Path) -> Path:
    folder.mkdir()
    with closing(Store(folder / FILE)) as kept:
        kept.add([(spec(seed), trial(seed)) for seed in SEEDS])
    return folder / FILE


def changed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def serves(path: Path) -> tuple[int, int]:
    """How many trials are there, and how many were dropped; each is as it was, and what is missing can be run again."""
    with closing(Store(path)) as kept:
        keys = {spec(seed).key: seed for seed in SEEDS}
        found = kept.find(keys)
        assert all(repr(one) == repr(trial(keys[key])) for key, one in found.items())
        told = kept.dropped
        kept.add([(spec(seed), trial(seed)) for seed in SEEDS])
        assert {key: repr(one) for key, one in kept.find(keys).items()} == {key: repr(trial(seed)) for key, seed in keys.items()}
        write_parquet(kept, path.with_suffix(".parquet"))
    with closing(Store(path)) as again:
        assert again.dropped == 0
        assert len(again.find(keys)) == len(SEEDS)
    return len(found), told


ROW = "WHERE rowid = 3"
CHANGES = {
    "a number": f"UPDATE trials SET trial = replace(trial, '0.905', '0.805') {ROW}",
    "no JSON": f"UPDATE trials SET trial = '{{broken' {ROW}",
    "another version's": f"UPDATE trials SET trial = '{{\"energy\": 3}}' {ROW}",
    "what it was": f"UPDATE trials SET what = replace(what, 'adam', 'sgd') {ROW}",
    "its key": f"UPDATE trials SET key = 'b' || substr(key, 2) || '0' {ROW}",
    "its digest": f"UPDATE trials SET digest = upper(digest) || '0' {ROW}",
    "no UTF-8": f"UPDATE trials SET trial = CAST(x'fffe00' AS TEXT) {ROW}",
    "a number for text": f"UPDATE trials SET trial = 7 {ROW}",
    "bytes for text": f"UPDATE trials SET trial = x'00' {ROW}",
    "empty": f"UPDATE trials SET trial = '' {ROW}",
    "another's result": f"UPDATE trials SET trial = (SELECT trial FROM trials WHERE rowid = 4) {ROW}",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_damaged_record_is_told_and_runs_again(change: str, tmp_path: Path) -> None:
    path = filled(tmp_path / "a")
    changed(path, change)
    assert list(merge([path.parent], tmp_path / "a")) == [Joined(0, 23, 0, None, 1)], "into itself: opened, and mended"
    assert serves(path) == (23, 0)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_merge_takes_what_is_sound_and_leaves_the_source_as_it_is(change: str, tmp_path: Path) -> None:
    path, out = filled(tmp_path / "a"), tmp_path / "out"
    changed(path, change)
    before = path.read_bytes()
    done = CliRunner().invoke(main, ["lab", "merge", str(path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "23 trials added" in done.stdout
    assert f"{path}: 1 damaged record" in done.stderr
    assert path.read_bytes() == before
    assert serves(out / FILE) == (23, 0)


def test_exchanged_results_are_nobodys(tmp_path: Path) -> None:
    path = filled(tmp_path / "a")
    changed(
        path,
        "CREATE TABLE t AS SELECT rowid AS n, trial FROM trials",
        "UPDATE trials SET trial = (SELECT trial FROM t WHERE n = 26 - trials.rowid) WHERE rowid IN (2, 24)",
        "DROP TABLE t",
    )
    assert serves(path) == (22, 2)


def test_merge_takes_columns_by_name(tmp_path: Path) -> None:
    path, out = filled(tmp_path / "a"), tmp_path / "out"
    changed(
        path,
        "CREATE TABLE u (digest TEXT NOT NULL, trial TEXT NOT NULL, what TEXT NOT NULL, key TEXT PRIMARY KEY)",
        "INSERT INTO u SELECT digest, trial, what, key FROM trials",
        "DROP TABLE trials",
        "ALTER TABLE u RENAME TO trials",
    )
    out.mkdir()
    assert list(merge([path], out)) == [Joined(24, 0, 0, None)]
    assert serves(out / FILE) == (24, 0)


def test_merge_plays_a_killed_runs_journal_back(tmp_path: Path) -> None:
    """What stands in the file amid a transaction is nobody's trial."""
    path, out, killed = filled(tmp_path / "a"), tmp_path / "out", tmp_path / "killed"
    killed.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as writing:
        writing.execute("PRAGMA cache_size = 1")
        writing.execute("PRAGMA cache_spill = 1")
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("UPDATE trials SET trial = replace(trial, '0.905', '0.805')")
        for name in (FILE, f"{FILE}-journal"):
            (killed / name).write_bytes((path.parent / name).read_bytes())
        writing.execute("ROLLBACK")
    out.mkdir()
    assert list(merge([killed], out)) == [Joined(24, 0, 0, None)]
    assert serves(out / FILE) == (24, 0)


def test_merge_reads_a_killed_runs_log(tmp_path: Path) -> None:
    path, out, killed = filled(tmp_path / "a"), tmp_path / "out", tmp_path / "killed"
    killed.mkdir()
    with closing(sqlite3.connect(path)) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("DELETE FROM trials WHERE rowid > 20")
        writing.commit()
        for name in (FILE, f"{FILE}-wal"):
            (killed / name).write_bytes((path.parent / name).read_bytes())
    out.mkdir()
    assert list(merge([killed], out)) == [Joined(20, 0, 0, None)]


def flipped(data: bytearray, draw: random.Random) -> None:
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def overwritten(data: bytearray, draw: random.Random) -> None:
    place = draw.randrange(len(data))
    length = min(draw.randrange(1, 64), len(data) - place)
    data[place : place + length] = draw.randbytes(length)


def truncated(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data)) :]


def emptied(data: bytearray, draw: random.Random) -> None:
    place = draw.randrange(len(data) // 4096) * 4096
    data[place : place + 4096] = bytes(4096)


def exchanged(data: bytearray, draw: random.Random) -> None:
    a, b = (draw.randrange(1, len(data) // 4096) * 4096 for _ in "ab")
    data[a : a + 4096], data[b : b + 4096] = data[b : b + 4096], data[a : a + 4096]


DAMAGES = (flipped, flipped, overwritten, truncated, emptied, exchanged)


def fuzzed(tmp_path: Path, cases: range) -> dict[str, int]:
    """Each case ends in a refusal, or in what was there before."""
    whole = filled(tmp_path / "whole").read_bytes()
    ends = {"refused": 0, "served": 0}
    folder = tmp_path / "some"
    folder.mkdir()
    for case in cases:
        draw = random.Random(case)
        damage: Callable[[bytearray, random.Random], None] = DAMAGES[case % len(DAMAGES)]
        data = bytearray(whole)
        damage(data, draw)
        for path in folder.iterdir():
            path.unlink()
        (folder / FILE).write_bytes(data)
        try:
            serves(folder / FILE)
            ends["served"] += 1
        except Refusal:
            ends["refused"] += 1
    return ends


def test_a_damaged_file_serves_or_is_refused(tmp_path: Path) -> None:
    ends = fuzzed(tmp_path, range(60))
    assert ends["served"] > 10


@pytest.mark.slow
def test_many_damaged_files_serve_or_are_refused(tmp_path: Path) -> None:
    assert fuzzed(tmp_path, range(100, 1100))["served"] > 200
