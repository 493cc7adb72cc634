"""How far a comparison is, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from thalweg.lab.comparing.compare import Contest, Phase


class ComparisonProgress:
    """A bar where somebody watches, plain lines elsewhere."""

    def __init__(self, console: Console, contests: Sequence[Contest]) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.console, self.task = console, self.bar.add_task("starting", total=sum(contest.trials for contest in contests))
        self.one = len(contests) == 1
        self.running: dict[tuple[str, str], None] = {}

    def __enter__(self) -> ComparisonProgress:
        self.bar.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.bar.stop()

    def report(self, phase: Phase, more: int) -> None:
        """So many more trials of a phase are done."""
        self.bar.advance(self.task, more)
        name = phase.entrant.label if self.one else f"{phase.entrant.label} on {phase.contest.problem.name}"
        self.running[name, phase.title] = None
        if not phase.left:
            del self.running[name, phase.title]
            if not self.console.is_terminal:
                self.console.print(f"{phase.title} done: {name}", markup=False, highlight=False)
        now = ", ".join(f"{title} {name}" for name, title in list(self.running)[:2])
        self.bar.update(self.task, description=now or "done")

    def say(self, text: str) -> None:
        self.bar.update(self.task, description=text)
        if not self.console.is_terminal:
            self.tell(text)

    def tell(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, markup=False, highlight=False)
