"""What makes a file one of trials: its table, and a digest in each record, so that a damaged one is never taken for a trial."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILE = "trials.sqlite3"
"""Its name in the folder of a comparison."""
PATIENCE = 60.0
"""Seconds to wait for another process that is writing; it is done in milliseconds."""
COLUMNS = ("key", "what", "trial", "digest")
TABLE = "CREATE TABLE trials (key TEXT PRIMARY KEY, what TEXT NOT NULL, trial TEXT NOT NULL, digest TEXT NOT NULL)"

COMPLAINTS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises at a damaged file, and Python where SQLite's own words quote that."""
Record = tuple[str, str, str, str]
"""A trial's key, what it was, how it went, and the digest of these three."""


def record(key: str, what: dict[str, Any], trial: dict[str, Any]) -> Record:
    """A trial as it is kept under its key."""
    told, came = json.dumps(what), json.dumps(trial)
    return key, told, came, _digest(key.encode(), told.encode(), came.encode())


def connected(path: Path, mode: str, **named: Any) -> sqlite3.Connection:
    """A connection whose text comes as bytes: what is damaged may be no UTF-8. mode: of SQLite's URIs, "rw", "rwc", "ro"."""
    connection: sqlite3.Connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE, **named
    )
    connection.text_factory = bytes
    return connection


def has_table(connection: sqlite3.Connection) -> bool:
    """Whether the trials' table is there. Raises sqlite3.DatabaseError where anything else is."""
    tables = {_text(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables - {"trials"}:
        raise sqlite3.DatabaseError(f"it has other tables: {', '.join(sorted(tables))}")
    columns = {_text(column[1]) for column in connection.execute("PRAGMA table_info(trials)")}
    if columns and columns != set(COLUMNS):
        raise sqlite3.DatabaseError("another version of thalweg made it")
    return bool(tables)


def refuse_damage(connection: sqlite3.Connection, check: str = "integrity_check") -> None:
    """Raises sqlite3.DatabaseError where SQLite itself finds the file damaged, not only what a record says."""
    found = _text(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])
    if found != "ok":
        raise sqlite3.DatabaseError(f"the file is damaged: {' '.join(found.split())}")


def scan(connection: sqlite3.Connection, damaged: Callable[[int], None]) -> Iterator[Record]:
    """All records that are as they were written, in their order; damaged(rowid): called for every other one."""
    seen: set[str] = set()
    rows = connection.execute(f"SELECT rowid, {', '.join(COLUMNS)} FROM trials NOT INDEXED ORDER BY rowid")
    for rowid, *row in rows:
        found = sound(*row)
        if found is None or found[0] in seen:
            damaged(rowid)
        else:
            seen.add(found[0])
            yield found


def sound(key: Any, what: Any, trial: Any, digest: Any) -> Record | None:
    """A record as text, or None where it is not what was written."""
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
