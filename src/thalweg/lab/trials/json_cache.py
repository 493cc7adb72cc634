"""A JSON cache of what was measured or planned, in the cache folder or beside the trials."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from thalweg.values import own_files
from thalweg.values.atomic import atomic_write


def is_number(value: Any) -> bool:
    """Whether it is a finite number from 0 on, as measured seconds are."""
    return type(value) in (int, float) and 0 <= value < math.inf


@contextmanager
def json_cache(path: Path, cached: bool = False, fits: Callable[[Any], bool] = is_number) -> Iterator[dict[str, Any]]:
    """Context manager: the entries of the JSON file by name. Changes are written at the end, if possible.

    cached: whether the file is in the cache folder, where only files owned by the user are trusted. fits: whether an entry is
    one that this program writes. Others, and invalid JSON, are ignored and made again.
    """
    known = _entries(own_files.read if cached else _read, path, fits)
    before = dict(known)
    yield known
    if known != before:
        text = json.dumps(known)
        if cached:
            own_files.write(path, text.encode())
            return
        with suppress(OSError), atomic_write(path) as file:
            file.write(text)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _entries(read: Callable[[Path], bytes | None], path: Path, fits: Callable[[Any], bool]) -> dict[str, Any]:
    try:
        found = json.loads(read(path) or b"{}")
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if fits(value)} if isinstance(found, dict) else {}
