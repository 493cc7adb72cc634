"""Capture of output printed by a user's code: it stays off the screen, and its last lines are shown with a failure."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterator
from typing import Any

KEPT = 2000
"""The number of last bytes kept, so that printing at every step does not fill memory."""
LINES, WIDTH = 3, 100
"""The number of lines shown, and of characters of each."""

_outside: Any = None
"""Shared memory that the parent reads after this process has ended; None without one."""
_now: Tail | None = None
"""The output of the current work."""


class Tail(io.TextIOBase):
    """A stream that keeps the end of its text, also in shared memory, which outlives the process."""

    def __init__(self, outside: Any = None) -> None:
        self.data, self.outside = b"", outside
        self._show()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.data = (self.data + text.encode(errors="replace"))[-KEPT:]
        self._show()
        return len(text)

    def _show(self) -> None:
        if self.outside is not None:
            self.outside.raw = self.data.ljust(KEPT, b"\0")


def shared() -> Any:
    """Shared memory to hand to a spawned process, from which its output can be read."""
    from multiprocessing import get_context

    return get_context("spawn").RawArray("c", KEPT)


def read(memory: Any) -> str:
    """The text in shared memory."""
    return "" if memory is None else bytes(memory.raw).rstrip(b"\0").decode(errors="replace")


def attach(memory: Any) -> None:
    """Copy this process's captured output into `memory` from now on."""
    global _outside
    _outside = memory


@contextlib.contextmanager
def caught() -> Iterator[None]:
    """Context manager: capture what Python prints."""
    global _now
    _now = Tail(_outside)
    try:
        with contextlib.redirect_stdout(_now), contextlib.redirect_stderr(_now):
            yield
    finally:
        _now = None


def reset() -> None:
    """Discard the captured output: what follows belongs to other work."""
    if _now is not None:
        _now.data = b""
        _now.write("")


def annotate(why: str) -> str:
    """The reason of a failure, with the last captured lines."""
    return with_tail(why, "" if _now is None else _now.data.decode(errors="replace"))


def with_tail(why: str, text: str) -> str:
    """The reason of a failure with the last lines of a text, on one line without control characters."""
    cut = (line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in map(_plain, text.split("\n")) if line)
    last = [line for line, _ in itertools.groupby(cut)][-LINES:]  # lanes often print the same line
    return f"{why}; it printed last: {' / '.join(last)}" if last else why


def _plain(line: str) -> str:
    """The final state of a line on a terminal, for example of a progress bar."""
    return "".join(filter(str.isprintable, line.rstrip("\r").rpartition("\r")[2].expandtabs(4))).strip()
