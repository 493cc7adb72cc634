"""Finished trials on disk: appended, never changed, safe whenever the process is killed."""

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
"""Keys in one question: each SQLite takes this many."""


class Store:
    """Trials by their key (`TrialSpec.key`) in one SQLite file, which several processes may use at once.

    Its rollback journal survives a kill and leaves one file; a write-ahead log would leave three, need memory shared by
    all who read, and gain nothing at a few writes a second. On a network file system SQLite is only as safe as that
    one's locks: let each machine keep a store of its own, and join them with `merge`.

    Each record carries a digest. One that is not as it was written is removed as the store is opened, and counted in
    `dropped`: its trial runs again.

    Raises Refusal for a file that holds anything else, that cannot be written, or on a disk that is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passing: dict[str, Trial] = {}
        self.dropped = 0
        with self.refusing():
            self.connection = connected(path, "rwc", isolation_level="IMMEDIATE")
            try:
                if not has_table(self.connection):
                    self.connection.execute("BEGIN IMMEDIATE")  # two may come at once
                    with self.connection:
                        if not has_table(self.connection):
                            self.connection.execute(TABLE)
                self._mend()
            except BaseException:
                self.connection.close()
                raise

    def _mend(self) -> None:
        """Remove the records that are damaged, and find the others again where the index was."""
        damaged: list[int] = []
        records = sum(1 for _ in scan(self.connection, damaged.append))
        if not damaged and self._is_sound():
            return
        refuse_damage(self.connection, "quick_check")
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute("REINDEX")  # first: a deletion goes through the index
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
        """Turns what SQLite complains of into a Refusal."""
        try:
            yield
        except COMPLAINTS as error:
            raise Refusal(
                f"{self.path}: cannot keep trials there ({error}); what is finished is kept; choose another folder with --out"
            ) from error

    def get(self, key: str) -> Trial | None:
        """The trial under this key, if it has been run."""
        return self.find([key]).get(key)

    def find(self, keys: Iterable[str]) -> dict[str, Trial]:
        """The trials under these keys, by key; those that have not been run are missing."""
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
        """Append trials with what they were, all or none of them. One already there stays as it is.

        Raises TypeError for a trial that holds anything but numbers where these belong.
        """
        rows = [record(spec.key, spec.as_dict(), _checked(trial)) for spec, trial in trials]
        with self.refusing(), self.connection:
            self.put(rows)

    def put(self, rows: Iterable[Record]) -> int:
        """Append records to the transaction, those whose keys are there left out; how many were added."""
        columns, before = ", ".join(COLUMNS), self.connection.total_changes
        self.connection.executemany(f"INSERT OR IGNORE INTO trials ({columns}) VALUES (?, ?, ?, ?)", rows)
        return self.connection.total_changes - before

    def note(self, trials: Pairs) -> None:
        """Know trials until this object is closed: failures in which time, memory or a dying process had a part.

        They do not follow from the trial's spec alone, so they are no record; who asks again another day tries again.
        """
        self.passing.update((spec.key, trial) for spec, trial in trials)

    def everything(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """All records, as they came: what each trial was, and how it went."""
        with self.refusing():
            for _, what, trial, _ in map(
                _whole, self.connection.execute(f"SELECT {', '.join(COLUMNS)} FROM trials ORDER BY rowid")
            ):
                yield json.loads(what), json.loads(trial)

    def count(self) -> int:
        """How many records there are."""
        with self.refusing():
            found: int = self.connection.execute("SELECT count(*) FROM trials").fetchone()[0]
        return found

    def close(self) -> None:
        self.connection.close()


def dropped(path: Path, count: int) -> str:
    """What is said of damaged records that a store has left out."""
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
