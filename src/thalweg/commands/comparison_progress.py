"""How far a comparison is, for whoever waits for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from thalweg.commands.heartbeat import Heartbeat


class Contest(Protocol):
    """A comparison on one problem."""

    @property
    def trials(self) -> int:
        """How many it has."""

    @property
    def problem(self) -> Any: ...


class Phase(Protocol):
    """The tuning or the judging of one optimizer in one contest."""

    @property
    def title(self) -> str: ...
    @property
    def left(self) -> int:
        """Trials that are still to be run."""

    @property
    def entrant(self) -> Any: ...
    @property
    def contest(self) -> Contest: ...


class ComparisonProgress:
    """A bar where somebody watches; elsewhere plain lines, and one at least every few seconds."""

    def __init__(self, console: Console, contests: Sequence[Contest]) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.total, self.done, self.now = sum(contest.trials for contest in contests), 0, "starting"
        self.console, self.task = console, self.bar.add_task(self.now, total=self.total)
        self.one = len(contests) == 1
        self.running: dict[tuple[str, str], None] = {}
        self.begun = time.monotonic()
        self.heart = Heartbeat(self._beat)
        self.open = ExitStack()

    def __enter__(self) -> ComparisonProgress:
        self.open.enter_context(self.bar if self.console.is_terminal else self.heart)
        return self

    def __exit__(self, *error: Any) -> None:
        self.open.close()

    def report(self, phase: Phase, more: int) -> None:
        """So many more trials of a phase are done."""
        self.done += more
        self.bar.advance(self.task, more)
        name = phase.entrant.label if self.one else f"{phase.entrant.label} on {phase.contest.problem.name}"
        self.running[name, phase.title] = None
        if not phase.left:
            del self.running[name, phase.title]
            if not self.console.is_terminal:
                self.tell(f"{phase.title} done: {name}")
        self._turn(", ".join(f"{title} {name}" for name, title in list(self.running)[:2]) or "done")

    def say(self, text: str) -> None:
        """What is being done now."""
        self._turn(text)
        if not self.console.is_terminal:
            self.tell(text)

    def tell(self, text: str) -> None:
        """A line that stays."""
        self.heart.touch()
        self.console.print(text, markup=False, highlight=False)

    def _turn(self, text: str) -> None:
        self.now = text
        self.bar.update(self.task, description=text)

    def _beat(self) -> None:
        seconds = time.monotonic() - self.begun
        self.tell(f"{self.now}; {self.done:,} of {self.total:,} trials, {seconds:.0f} s so far")
