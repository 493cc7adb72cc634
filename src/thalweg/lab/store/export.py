"""All trials as one Parquet file, for whoever wants to look at them with other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from thalweg.lab.store.store import Store
from thalweg.values.atomic import atomic_write


def refresh_parquet(kept: Store, path: Path) -> None:
    """`write_parquet` where the file lacks trials: as records are only ever added, it does if it has fewer rows."""
    from pyarrow import parquet

    try:
        rows = parquet.read_metadata(path).num_rows
    except (OSError, ValueError):  # none there, or none of ours
        rows = -1
    if rows != kept.count():
        write_parquet(kept, path)


def write_parquet(kept: Store, path: Path) -> int:
    """A row for each trial in the store: what it was, a column for each part of its identity, then how it went.

    Curves are lists of float64 (NaN and infinities are kept); what is neither number, text nor list of numbers is JSON
    text. A column that older trials lack is null there. Returns the number of rows. The file appears whole or not at all.
    """
    import pyarrow
    from pyarrow import parquet

    rows = [{**trial, **what} for what, trial in kept.everything()]
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pyarrow.table({name: [_plain(row.get(name)) for row in rows] for name in names})
    with atomic_write(path, "wb") as file:
        parquet.write_table(table, file, compression="zstd")
    return len(rows)


def _plain(value: Any) -> Any:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value
