"""The store of finished trials on disk: append-only, and safe if the process is killed at any time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from thalweg.lab.refusal import Refusal
from thalweg.lab.store.records import (
    COLUMNS,
    COMPLAINTS,
    TABLE,
    Record,
    connected,
    has_table,
    record,
    refuse_damage,
    scan,
    sound,
)
from thalweg.lab.store.spec import TrialSpec
from thalweg.lab.trials.trials import Trial

Pairs = Iterable[tuple[TrialSpec, Trial]]
ASKED_AT_ONCE = 500
"""Keys per query, within the limit of every SQLite version."""


class Store:
    """Trials by key (`TrialSpec.key`) in one SQLite file, which several processes may use at once.

    The rollback journal survives a kill and leaves one file. A write-ahead log would leave three files and need shared
    memory, without a benefit at a few writes per second. On a network file system SQLite is only as safe as the file
    system's locks: give each machine its own store, and join them with `merge`.

    Each record carries a digest. Opening the store removes damaged records and counts them in `dropped`; their trials run
    again.

    Raises Refusal for a file that is not a store or is not writable, and on a full disk.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passing: dict[str, Trial] = {}
        self.dropped = 0
        with self.refusing():
            self.connection = connected(path, "rwc", isolation_level="IMMEDIATE")
            try:
                if not has_table(self.connection):
                    self.connection.execute("BEGIN IMMEDIATE")  # two processes may create it at once
                    with self.connection:
                        if not has_table(self.connection):
                            self.connection.execute(TABLE)
                self._mend()
            except BaseException:
                self.connection.close()
                raise

    def _mend(self) -> None:
        """Remove damaged records, and rebuild the index if it is damaged."""
        damaged: list[int] = []
        records = sum(1 for _ in scan(self.connection, damaged.append))
        if not damaged and self._is_sound():
            return
        refuse_damage(self.connection, "quick_check")
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute("REINDEX")  # first, since a deletion uses the index
            self.connection.executemany("DELETE FROM trials WHERE rowid = ?", [(row,) for row in damaged])
            refuse_damage(self.connection)
            if records != self.connection.execute("SELECT count(*) FROM trials").fetchone()[0]:
                raise sqlite3.DatabaseError("the file is damaged: it has not as many records as it says")
        self.dropped = len(damaged)

    def _is_sound(self) -> bool:
        try:
            refuse_damage(self.connection)
        except COMPLAINTS:
            return False
        return True

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Context manager: turn SQLite's exceptions into a Refusal."""
        try:
            yield
        except COMPLAINTS as error:
            raise Refusal(
                f"{self.path}: cannot keep trials there ({error}); what is finished is kept; choose another folder with --out"
            ) from error

    def get(self, key: str) -> Trial | None:
        """The trial of this key, or None."""
        return self.find([key]).get(key)

    def find(self, keys: Iterable[str]) -> dict[str, Trial]:
        """The stored trials of these keys, by key."""
        asked = list(keys)
        found = {key: self.passing[key] for key in asked if key in self.passing}
        with self.refusing():
            for some in batched(asked, ASKED_AT_ONCE):
                marks = ",".join("?" * len(some))
                rows = self.connection.execute(f"SELECT {', '.join(COLUMNS)} FROM trials WHERE key IN ({marks})", some)
                for key, _, trial, _ in map(_whole, rows):
                    found[key] = _trial(trial)
        return found

    def add(self, trials: Pairs) -> None:
        """Append trials with their specifications in one transaction. A trial already present is kept.

        Raises TypeError for a trial with values other than numbers in numeric fields.
        """
        rows = [record(spec.key, spec.as_dict(), _checked(trial)) for spec, trial in trials]
        with self.refusing(), self.connection:
            self.put(rows)

    def put(self, rows: Iterable[Record]) -> int:
        """Append records with new keys to the transaction. Returns the number added."""
        columns, before = ", ".join(COLUMNS), self.connection.total_changes
        self.connection.executemany(f"INSERT OR IGNORE INTO trials ({columns}) VALUES (?, ?, ?, ?)", rows)
        return self.connection.total_changes - before

    def note(self, trials: Pairs) -> None:
        """Keep trials in memory until the store is closed: failures caused by time, memory or a dying process.

        They are not determined by the specification, so they are not stored; a later run tries again.
        """
        self.passing.update((spec.key, trial) for spec, trial in trials)

    def everything(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """All records in order: each trial's specification and results."""
        with self.refusing():
            for _, what, trial, _ in map(
                _whole, self.connection.execute(f"SELECT {', '.join(COLUMNS)} FROM trials ORDER BY rowid")
            ):
                yield json.loads(what), json.loads(trial)

    def count(self) -> int:
        """The number of records."""
        with self.refusing():
            found: int = self.connection.execute("SELECT count(*) FROM trials").fetchone()[0]
        return found

    def close(self) -> None:
        self.connection.close()


def dropped(path: Path, count: int) -> str:
    """The message about damaged records dropped by a store."""
    return f"{path}: {count} damaged record{'s' if count > 1 else ''} left out; the trials concerned run again"


def _whole(row: Any) -> Record:
    """A record as text. Raises sqlite3.DatabaseError for one that was damaged since the store was opened."""
    found = sound(*row)
    if found is None:
        raise sqlite3.DatabaseError("a record in it has been damaged meanwhile")
    return found


def _trial(text: str) -> Trial:
    try:
        return Trial(**json.loads(text))
    except TypeError as error:
        raise sqlite3.DatabaseError("another version of thalweg wrote a record in it") from error


def _checked(trial: Trial) -> dict[str, Any]:
    found = trial.as_dict()
    for name in ("loss_curve", "score_curve", "train_curve", "test_loss", "test_score"):
        value = found[name]
        for x in value if isinstance(value, list) else [value]:
            if not isinstance(x, float | int | None):
                raise TypeError(f"its {name} holds {x!r:.60} where a number is wanted")
    return found


def batched(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[i : i + size] for i in range(0, len(items), size))
