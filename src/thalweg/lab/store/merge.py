"""Merge the stores of several machines into one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from thalweg.lab.refusal import Refusal
from thalweg.lab.store.records import COMPLAINTS, FILE, Record, connected, has_table, refuse_damage, scan
from thalweg.lab.store.spec import key_of
from thalweg.lab.store.store import Store, batched
from thalweg.lab.trials.trials import Trial

AT_ONCE = 500
"""Records compared and stored at once."""


@dataclass(frozen=True)
class Joined:
    """The outcome of one source: trials added, trials already present and equal, and those that differ."""

    added: int
    alike: int
    differ: int
    example: str | None
    """A description of one that differs."""
    damaged: int = 0
    """Records omitted because they are damaged or not trials."""


def merge(sources: Sequence[Path], out: Path) -> Iterator[Joined]:
    """Merge the stores in `sources` (folders or files) into the one in the folder `out`, each source atomically.

    The first copy of a trial is kept. Raises Refusal for a source without trials before anything is written.
    """
    paths = [_store_file(source) for source in sources]
    found = [_read(path) for path in paths]
    with closing(Store(out / FILE)) as kept:
        for path, (records, damaged) in zip(paths, found, strict=True):
            if path.samefile(kept.path):
                yield Joined(0, kept.count(), 0, None, kept.dropped)
                continue
            with kept.refusing(), kept.connection:
                kept.connection.execute("BEGIN IMMEDIATE")
                joined = _join(kept, records)
            yield replace(joined, damaged=damaged)


def _store_file(source: Path) -> Path:
    path = source / FILE if source.is_dir() else source
    if not path.is_file():
        raise Refusal(f"{source}: there are no trials ({path.name} is missing); name a folder that `thalweg compare` has filled")
    return path


def _read(path: Path) -> tuple[list[Record], int]:
    """The sound records of a source, and the number of damaged ones. A journal left by a killed run is rolled back."""
    damaged: list[int] = []
    try:
        with closing(connected(path, "rw")) as connection:
            connection.execute("SELECT 1 FROM trials LIMIT 1").fetchall()
            has_table(connection)
            refuse_damage(connection, "quick_check")
            some = list(scan(connection, damaged.append))
    except COMPLAINTS as error:
        raise Refusal(f"{path}: no trials can be read from it ({error})") from error
    trials = [each for each in some if _is_trial(each)]
    return trials, len(damaged) + len(some) - len(trials)


def _is_trial(record: Record) -> bool:
    """Whether the record is a trial of this version under its own key."""
    key, what, trial, _ = record
    try:
        Trial(**json.loads(trial))
        return key_of(json.loads(what)) == key
    except (TypeError, ValueError):
        return False


def _join(kept: Store, records: Sequence[Record]) -> Joined:
    """Store the new records, and compare the text of the others."""
    alike, differ, added, example = 0, 0, 0, None
    ours: dict[bytes, bytes] = {}
    for some in batched([key for key, *_ in records], AT_ONCE):
        marks = ",".join("?" * len(some))
        ours.update(kept.connection.execute(f"SELECT key, trial FROM trials WHERE key IN ({marks})", some))
    new = []
    for each in records:
        key, what, trial, _ = each
        mine = ours.get(key.encode())
        if mine is None:
            new.append(each)
        elif mine == trial.encode():
            alike += 1
        else:
            differ += 1
            example = example or _words(what)
    added = kept.put(new)
    return Joined(added, alike, differ, example)


def _words(what: str) -> str:
    told = json.loads(what)
    return ", ".join(f"{name} {told[name]}" for name in ("problem", "rule", "lr", "seed", "phase") if name in told)
