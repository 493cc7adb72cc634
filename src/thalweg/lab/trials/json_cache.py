"""A JSON cache of measured numbers, in the cache folder or beside the trials."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from thalweg.values import own_files
from thalweg.values.atomic import atomic_write


@contextmanager
def json_cache(path: Path, cached: bool = False) -> Iterator[dict[str, float]]:
    """Context manager: the numbers of the JSON file by name. Changes are written at the end, if possible.

    cached: whether the file is in the cache folder, where only files owned by the user are trusted. Invalid JSON and entries
    other than non-negative numbers are ignored and measured again.
    """
    known = _numbers(own_files.read if cached else _read, path)
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


def _numbers(read: Callable[[Path], bytes | None], path: Path) -> dict[str, float]:
    try:
        found = json.loads(read(path) or b"{}")
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if type(value) in (int, float) and 0 <= value < math.inf}
