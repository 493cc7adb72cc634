"""Atomic writes: a file appears whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Context manager: open a temporary file that takes its name once it is complete. After a failure, the old file stays.

    Raises FileNotFoundError, which names the folder, if that does not exist.
    """
    target = Path(path)
    if not target.parent.exists():
        raise FileNotFoundError(errno.ENOENT, f"{target.name} cannot be written: there is no folder", str(target.parent))
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with open(part, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
        with suppress(OSError):  # replace an empty folder of this name, as any file is replaced
            target.rmdir()
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
