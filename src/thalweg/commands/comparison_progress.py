"""Progress of a comparison, on the error stream."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from thalweg.commands.heartbeat import Heartbeat
from thalweg.lab.api.progress import Progress


class ComparisonProgress:
    """A progress bar on a terminal; plain lines elsewhere, at least one every few seconds."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        self.bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.now, self.done = "starting", 0
        self.total: int | None = None
        self.console, self.task = console, self.bar.add_task(self.now, total=None)
        self.begun = time.monotonic()
        self.heart = Heartbeat(self._beat)
        self.open = ExitStack()

    def __enter__(self) -> ComparisonProgress:
        self.open.enter_context(self.bar if self.console.is_terminal else self.heart)
        return self

    def __exit__(self, *error: Any) -> None:
        self.open.close()

    def __call__(self, progress: Progress) -> None:
        """Show the progress. Permanent lines stay on the screen; without a terminal each stage prints a line."""
        self.done, self.total = progress.done, progress.total
        if progress.kind == "line" or (progress.kind == "stage" and not self.console.is_terminal):
            self._tell(progress.text)
        if progress.kind != "line":
            self.now = progress.text
        self.bar.update(self.task, completed=self.done, total=self.total, description=self.now)

    def _tell(self, text: str) -> None:
        self.heart.touch()
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _beat(self) -> None:
        counted = "" if self.total is None else f"; {self.done:,} of {self.total:,} trials"
        self._tell(f"{self.now}{counted}, {time.monotonic() - self.begun:.0f} s so far")
