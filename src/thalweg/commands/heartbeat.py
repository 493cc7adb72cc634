"""Heartbeat for output into a pipe: a line whenever nothing else was printed for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console

EVERY = 10.0
"""Seconds of silence before a heartbeat line."""


class Heartbeat:
    """Context manager: call `beat` from a background thread whenever EVERY seconds pass without a `touch`."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._every = EVERY
        self._touched = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def touch(self) -> None:
        """Restart the interval: something else was printed."""
        self._touched = time.monotonic()

    def _run(self) -> None:
        while not self._over.wait(max(0.0, self._touched + self._every - time.monotonic())):
            if time.monotonic() < self._touched + self._every:
                continue
            try:
                self._beat()
            except (OSError, ValueError):  # the pipe is closed; the command itself meets the same error and ends
                return
            self.touch()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def stage(console: Console, text: str) -> Iterator[Callable[[str], None]]:
    """Show the current stage: a spinner on a terminal, else a heartbeat. Yields a function that changes the text."""
    if console.is_terminal:
        with console.status(text) as status:
            yield status.update
        return
    begun, now = time.monotonic(), [text]

    def beat() -> None:
        console.print(f"{now[0]}: {time.monotonic() - begun:.0f} s so far", markup=False, highlight=False, soft_wrap=True)

    with Heartbeat(beat) as heart:

        def update(text: str) -> None:
            now[0] = text
            heart.touch()

        yield update
