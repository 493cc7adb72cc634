"""What code of the user's prints while it is tried: kept from the screen, and its last lines told where it failed."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterator
from typing import Any

KEPT = 2000
"""Bytes of printed text that are kept, the last ones: whoever prints at every step fills no memory."""
LINES, WIDTH = 3, 100
"""So many of its lines are told, and so many characters of each."""

_outside: Any = None
"""Memory that the parent of this process reads when it has ended; None where nobody does."""
_now: Tail | None = None
"""What the work in hand has printed."""


class Tail(io.TextIOBase):
    """A stream that keeps the end of what is written, outside the process too, where it outlives that."""

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
    """Memory for a process begun with `spawn`, which it is handed as it begins: what it printed can be read there."""
    from multiprocessing import get_context

    return get_context("spawn").RawArray("c", KEPT)


def read(memory: Any) -> str:
    """The text in shared memory."""
    return "" if memory is None else bytes(memory.raw).rstrip(b"\0").decode(errors="replace")


def attach(memory: Any) -> None:
    """Attach memory: from now on what is caught in this process is in it too."""
    global _outside
    _outside = memory


@contextlib.contextmanager
def caught() -> Iterator[None]:
    """Within it, what Python prints stays off the screen."""
    global _now
    _now = Tail(_outside)
    try:
        with contextlib.redirect_stdout(_now), contextlib.redirect_stderr(_now):
            yield
    finally:
        _now = None


def reset() -> None:
    """Drop what has been caught so far: what comes now is another's."""
    if _now is not None:
        _now.data = b""
        _now.write("")


def annotate(why: str) -> str:
    """Why something failed, with the last lines that were caught until then."""
    return with_tail(why, "" if _now is None else _now.data.decode(errors="replace"))


def with_tail(why: str, text: str) -> str:
    """Why something failed, with the last lines of a text, in one line without a terminal's control characters."""
    cut = (line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in map(_plain, text.split("\n")) if line)
    last = [line for line, _ in itertools.groupby(cut)][-LINES:]  # many lanes print the same
    return f"{why}; it printed last: {' / '.join(last)}" if last else why


def _plain(line: str) -> str:
    """What a terminal shows of it in the end: of a progress bar its last state."""
    return "".join(filter(str.isprintable, line.rstrip("\r").rpartition("\r")[2].expandtabs(4))).strip()
