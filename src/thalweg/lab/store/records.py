"""The file format of a store: a table whose records carry a digest, so that a damaged one is never taken for a trial."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILE = "trials.sqlite3"
"""The file's name in the folder of a comparison."""
PATIENCE = 60.0
"""Seconds to wait for a write by another process, which takes milliseconds."""
COLUMNS = ("key", "what", "trial", "digest")
TABLE = "CREATE TABLE trials (key TEXT PRIMARY KEY, what TEXT NOT NULL, trial TEXT NOT NULL, digest TEXT NOT NULL)"

COMPLAINTS = (sqlite3.Error, UnicodeDecodeError)
"""Exceptions for a damaged file: SQLite's, and Python's for a message that quotes undecodable bytes."""
Record = tuple[str, str, str, str]
"""A trial's key, identity and results, and the digest of these three."""


def record(key: str, what: dict[str, Any], trial: dict[str, Any]) -> Record:
    """The record of a trial."""
    told, came = json.dumps(what), json.dumps(trial)
    return key, told, came, _digest(key.encode(), told.encode(), came.encode())


def connected(path: Path, mode: str, **named: Any) -> sqlite3.Connection:
    """A connection that returns text as bytes, since damaged text may not be UTF-8. mode: as in SQLite URIs."""
    connection: sqlite3.Connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE, **named
    )
    connection.text_factory = bytes
    return connection


def has_table(connection: sqlite3.Connection) -> bool:
    """Whether the table of trials exists. Raises sqlite3.DatabaseError if the file holds anything else."""
    tables = {_text(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables - {"trials"}:
        raise sqlite3.DatabaseError(f"it has other tables: {', '.join(sorted(tables))}")
    columns = {_text(column[1]) for column in connection.execute("PRAGMA table_info(trials)")}
    if columns and columns != set(COLUMNS):
        raise sqlite3.DatabaseError("another version of thalweg made it")
    return bool(tables)


def refuse_damage(connection: sqlite3.Connection, check: str = "integrity_check") -> None:
    """Raises sqlite3.DatabaseError if SQLite's own check finds the file damaged."""
    found = _text(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])
    if found != "ok":
        raise sqlite3.DatabaseError(f"the file is damaged: {' '.join(found.split())}")


def scan(connection: sqlite3.Connection, damaged: Callable[[int], None]) -> Iterator[Record]:
    """The intact records, in order. damaged(rowid) is called for each other one."""
    seen: set[str] = set()
    kinds = " || ".join(f"typeof({column})" for column in COLUMNS)  # of a key that became a blob, the index finds no text
    rows = connection.execute(f"SELECT rowid, {kinds}, {', '.join(COLUMNS)} FROM trials NOT INDEXED ORDER BY rowid")
    for rowid, kind, *row in rows:
        found = sound(*row) if kind == b"text" * len(COLUMNS) else None
        if found is None or found[0] in seen:
            damaged(rowid)
        else:
            seen.add(found[0])
            yield found


def sound(key: Any, what: Any, trial: Any, digest: Any) -> Record | None:
    """A record as text, or None if it is damaged."""
    row = (key, what, trial, digest)
    if not all(isinstance(part, bytes) for part in row) or _digest(key, what, trial).encode() != digest:
        return None
    return (_text(key), _text(what), _text(trial), _text(digest))


def _digest(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(b"%d\0" % len(part) + part)
    return found.hexdigest()


def _text(found: Any) -> str:
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)
