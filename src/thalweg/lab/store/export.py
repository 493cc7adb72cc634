"""All trials as one Parquet file, for analysis with other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from thalweg.lab.store.store import Store
from thalweg.values.atomic import atomic_write


def refresh_parquet(kept: Store, path: Path) -> None:
    """Run `write_parquet` if the file has fewer rows than the store, to which records are only added."""
    from pyarrow import parquet

    try:
        rows = parquet.read_metadata(path).num_rows
    except (OSError, ValueError):  # missing, or not written by us
        rows = -1
    if rows != kept.count():
        write_parquet(kept, path)


def write_parquet(kept: Store, path: Path) -> int:
    """Write a row for each trial in the store: a column for each part of its identity, then its results.

    Curves are lists of float64 (with NaN and infinities). Values other than numbers, texts and lists of numbers are JSON. A
    column that older trials lack is null. Returns the number of rows. The file is written atomically.
    """
    import pyarrow
    from pyarrow import parquet

    rows = [{**trial, "block": 0, "until": 0, **what} for what, trial in kept.everything()]
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pyarrow.table({name: [_plain(row.get(name)) for row in rows] for name in names})
    with atomic_write(path, "wb") as file:
        parquet.write_table(table, file, compression="zstd")
    return len(rows)


def _plain(value: Any) -> Any:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value
