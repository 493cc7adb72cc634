"""Numbers that were measured once and are kept beside the trials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thalweg.whole import written_whole


@contextmanager
def remembered(path: Path) -> Iterator[dict[str, float]]:
    """What the JSON file has, by name; what is added to it meanwhile is written at the end."""
    known: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    before = len(known)
    yield known
    if len(known) > before:
        with written_whole(path) as file:
            json.dump(known, file)
