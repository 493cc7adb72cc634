"""Files of the cache folder, read and written only where no other user can write."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import tempfile
import warnings
from pathlib import Path

READING = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def read(path: Path) -> bytes | None:
    """Return the file's bytes; None if there is no such file or, with one warning, if another user could have written it."""
    if not is_own(path.parent):
        return None
    try:
        number = os.open(path, READING)
        with os.fdopen(number, "rb") as file:  # check and read the same open file
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode) or not _is_mine(path, status):
                return None
            return file.read()
    except OSError:
        return None


def write(path: Path, content: bytes) -> None:
    """Write the file anew, for this user only; do nothing if another user can write to the folder, or it is read-only."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_own(path.parent):
            return
        number, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(content)
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise


def is_own(folder: Path) -> bool:
    """Whether only this user can create files in a folder or replace it; it may not exist yet."""
    for place in (folder, folder.parent):
        try:
            status = os.stat(place)
        except OSError:
            continue
        if place == folder and not _is_mine(folder, status):
            return False
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX and hasattr(os, "geteuid"):
            _tell(place, "everybody can write to it")
            return False
    return True


def _is_mine(path: Path, status: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):  # Windows separates users' files by other means
        return True
    if status.st_uid != os.geteuid():
        _tell(path, "it belongs to another user")
        return False
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        _tell(path, "others can write to it")
        return False
    return True


@functools.cache
def _tell(path: Path, why: str) -> None:
    warnings.warn(
        f"thalweg: nothing is taken from {path}, for {why}; what would be there is made anew. Let THALWEG_CACHE name a folder "
        "that only you can write to",
        RuntimeWarning,
        stacklevel=2,
    )
