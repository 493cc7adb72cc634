"""Finished trials on disk: appended, never changed, safe whenever the process is killed."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import platform
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import thalweg
from thalweg.commands.refusal import Refusal
from thalweg.lab import protocol
from thalweg.lab.lanes import NUMPY
from thalweg.lab.problem import Problem
from thalweg.lab.trials import Trial
from thalweg.lab.tune import Setting
from thalweg.rule import Rule

OF_THE_LAB = ("trials", "jax_engine", "tune", "supervised", "parts", "task", "surface", "instances")
ENGINE = ("*.py", "nn/*.py", "ops/*.py", "stages/*.py", "methods/*.npz", *(f"lab/{name}.py" for name in OF_THE_LAB))
"""The files, besides a rule's own, that a trial's numbers come from."""


Pairs = Iterable[tuple[dict[str, Any], Trial]]
FILE = "trials.sqlite3"
"""Its name in the folder of a comparison."""
TABLE = "CREATE TABLE trials (key TEXT PRIMARY KEY, what TEXT NOT NULL, trial TEXT NOT NULL)"
ASKED_AT_ONCE = 500
"""Keys in one question: each SQLite takes this many."""
PATIENCE = 60.0
"""Seconds to wait for another process that is writing; it is done in milliseconds."""


class Store:
    """Trials by their identity in one SQLite file, which several processes may use at once.

    Its rollback journal survives a kill and leaves one file; a write-ahead log would leave three, need memory shared by
    all who read, and gain nothing at a few writes a second. On a network file system SQLite is only as safe as that
    one's locks: let each machine keep a store of its own, and join them with `merge`.

    Raises Refusal for a file that holds anything else, that cannot be written, or on a disk that is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passing: dict[str, Trial] = {}
        with self.refusing():
            self.connection = sqlite3.connect(address(path), uri=True, timeout=PATIENCE, isolation_level="IMMEDIATE")
            if not self._has_table():
                self.connection.execute("BEGIN IMMEDIATE")  # two may come at once
                with self.connection:
                    if not self._has_table():
                        self.connection.execute(TABLE)

    def _has_table(self) -> bool:
        tables = {name for (name,) in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables - {"trials"}:
            raise sqlite3.DatabaseError(f"it has other tables: {', '.join(sorted(tables))}")
        columns = {column[1] for column in self.connection.execute("PRAGMA table_info(trials)")}
        if columns and columns != {"key", "what", "trial"}:
            raise sqlite3.DatabaseError("another version of thalweg made it")
        return bool(tables)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Turns what SQLite complains of into a Refusal."""
        try:
            yield
        except sqlite3.Error as error:
            raise Refusal(
                f"{self.path}: cannot keep trials there ({error}); what is finished is kept; choose another folder with --out"
            ) from error

    def get(self, key: str) -> Trial | None:
        """The trial of this identity, if it has been run."""
        return self.find([key]).get(key)

    def find(self, keys: Iterable[str]) -> dict[str, Trial]:
        """Those of these identities' trials that have been run."""
        asked = list(keys)
        found = {key: self.passing[key] for key in asked if key in self.passing}
        with self.refusing():
            for some in batched(asked, ASKED_AT_ONCE):
                marks = ",".join("?" * len(some))
                rows = self.connection.execute(f"SELECT key, trial FROM trials WHERE key IN ({marks})", some)
                found.update((key, _trial(trial)) for key, trial in rows)
        return found

    def add(self, trials: Pairs) -> None:
        """Append trials with what they were, all or none of them. One already there stays as it is.

        Raises TypeError for a trial that holds anything but numbers where these belong.
        """
        rows = [(key_of(what), json.dumps(what), json.dumps(_checked(trial))) for what, trial in trials]
        with self.refusing(), self.connection:
            self.connection.executemany("INSERT OR IGNORE INTO trials VALUES (?, ?, ?)", rows)

    def note(self, trials: Pairs) -> None:
        """Know trials until this object is closed: failures in which time, memory or a dying process had a part.

        They do not follow from the identity alone, so they are no record; who asks again another day tries again.
        """
        self.passing.update((key_of(what), trial) for what, trial in trials)

    def everything(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """All records, as they came: what each trial was, and how it went."""
        with self.refusing():
            for what, trial in self.connection.execute("SELECT what, trial FROM trials ORDER BY rowid"):
                yield _read(what), _read(trial)

    def count(self) -> int:
        """How many records there are."""
        with self.refusing():
            found: int = self.connection.execute("SELECT count(*) FROM trials").fetchone()[0]
        return found

    def close(self) -> None:
        self.connection.close()


def _read(text: str) -> dict[str, Any]:
    """What a record says. Raises sqlite3.DatabaseError for one that is damaged."""
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise sqlite3.DatabaseError(f"a record in it is damaged: {error}") from error
    return found


def _trial(text: str) -> Trial:
    try:
        return Trial(**_read(text))
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


def address(path: Path, mode: str = "rwc") -> str:
    """A file as SQLite's URIs name it; mode "ro" only reads."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def batched(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[i : i + size] for i in range(0, len(items), size))


def identity(
    problem: Problem,
    rule: Rule,
    setting: Setting,
    seed: int,
    *,
    steps: int,
    batch_size: int,
    phase: str,
    lanes: Mapping[str, Any] = NUMPY,
) -> dict[str, Any]:
    """All that a trial's outcome depends on. lanes: whose program runs it, as `lanes.chosen` says."""
    return {
        "protocol": protocol.VERSION,
        "thalweg": thalweg.__version__,
        "engine": engine_hash(),
        "numpy": np.__version__,
        "problem": problem.name,
        "data": problem.fingerprint,
        "rule": rule.name,
        "source": source_hash(rule),
        "lr": setting.lr,
        "hyper": dict(setting.hyper),
        "schedule": setting.schedule,
        "seed": seed,
        "steps": steps,
        "batch_size": batch_size,
        "phase": phase,
        "lanes": dict(lanes),
    }


def key_of(what: dict[str, Any]) -> str:
    """A trial's identity as one short word."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def refuse_another(wanted: dict[str, Any], mine: dict[str, Any]) -> None:
    """Raises RuntimeError where this process would not run the trial that is wanted: a machine with other files or versions."""
    for name, value in wanted.items():
        if mine.get(name) != value:
            raise RuntimeError(f"{platform.node()} has another {name} ({mine.get(name)}) than the one asked for ({value})")


@functools.cache
def engine_hash() -> str:
    """A hash of the ENGINE: whoever changes it gets other trials, not the old ones again."""
    root = Path(thalweg.__file__).parent
    found = hashlib.sha256()
    for path in sorted(path for pattern in ENGINE for path in root.glob(pattern)):
        found.update(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:16]


def source_hash(rule: Rule) -> str:
    """A hash of the file the rule stands in: another text is another rule."""
    return _text_hash(rule.function)


@functools.cache
def _text_hash(function: Callable[..., Any]) -> str:
    module = inspect.getmodule(function)
    text = inspect.getsource(module) if module is not None else inspect.getsource(function)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
