"""Numbers that were measured once and are kept beside the trials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from thalweg.whole import written_whole


@contextmanager
def remembered(path: Path) -> Iterator[dict[str, float]]:
    """What the JSON file has, by name; what is changed in it meanwhile is written at the end. One that is no JSON has nothing."""
    known: dict[str, float] = {}
    with suppress(FileNotFoundError, ValueError):
        known = json.loads(path.read_text())
    before = dict(known)
    yield known
    if known != before:
        with written_whole(path) as file:
            json.dump(known, file)
