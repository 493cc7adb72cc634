"""A JSON cache of what was measured or planned, in the cache folder or beside the trials."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
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

    An entry decides what is run, so each carries a digest, as a stored trial does. A damaged one, and a file that is no such
    JSON, is told in a RuntimeWarning, ignored and made again.

    cached: whether the file is in the cache folder, where only files owned by the user are trusted. fits: whether an entry is
    one that this program writes.
    """
    known, damaged = _entries(own_files.read if cached else _read, path, fits)
    if damaged:
        warnings.warn(f"thalweg: {path} is damaged; {damaged} made anew", RuntimeWarning, stacklevel=3)
    before = dict(known)
    yield known
    if damaged or known != before:
        text = json.dumps({name: [value, _digest(name, value)] for name, value in known.items()})
        if cached:
            own_files.write(path, text.encode())
            return
        with suppress(OSError), atomic_write(path) as file:
            file.write(text)


def _digest(name: str, value: Any) -> str:
    return hashlib.sha256(json.dumps([name, value]).encode()).hexdigest()[:16]


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _entries(read: Callable[[Path], bytes | None], path: Path, fits: Callable[[Any], bool]) -> tuple[dict[str, Any], str]:
    """The sound entries, and in words what is not sound, or nothing."""
    try:
        content = read(path)
        found = json.loads(content or b"{}")
    except OSError:
        return {}, ""
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return {}, "what stood there is"
    sound = {
        name: entry[0]
        for name, entry in found.items()
        if isinstance(entry, list) and len(entry) == 2 and entry[1] == _digest(name, entry[0]) and fits(entry[0])
    }
    lost = sum(name not in sound and not fits(entry) for name, entry in found.items())  # earlier versions kept no digest
    return sound, f"{lost} of its {len(found)} entries {'is' if lost == 1 else 'are'}" if lost else ""
