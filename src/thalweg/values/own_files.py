"""Files of the cache folder: read only where they are the user's own and nobody else can write to them, and written so."""

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
    """The file's bytes; None where there is no such file, and, said once, where it may be another's."""
    if not is_own(path.parent):
        return None
    try:
        number = os.open(path, READING)
        with os.fdopen(number, "rb") as file:  # what is looked at is what is read
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode) or not _is_mine(path, status):
                return None
            return file.read()
    except OSError:
        return None


def write(path: Path, content: bytes) -> None:
    """Make the file anew, for this user alone; not where the folder may be another's, or takes nothing."""
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
    """Whether nobody but this user can put files into a folder, or another folder in its place; there may be none yet."""
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
    if not hasattr(os, "geteuid"):  # Windows keeps each user's files apart in another way
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
