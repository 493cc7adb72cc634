"""Numbers that were measured once and are kept, in the cache folder or beside the trials."""

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
    """What the JSON file has, by name; what is changed in it meanwhile is written at the end, where that can be.

    cached: whether it lies in the cache folder, where only the user's own files are taken. What is no JSON, or no numbers
    from 0 on by name, is left out: it is measured anew.
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
