"""Turns the events of a comparison into progress reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thalweg.lab.api.progress import Progress
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.comparing.phases import Phase


def _silent(progress: Progress) -> None:
    """The default callback: does nothing."""


@dataclass
class Watch:
    """Counts trials and calls the progress callback."""

    callback: Callable[[Progress], None] = _silent
    done: int = 0
    total: int | None = None
    several: bool = False
    running: dict[tuple[str, str], None] = field(default_factory=dict)

    def expect(self, contests: Sequence[Contest]) -> None:
        """Set the number of planned trials."""
        self.done, self.running = 0, {}
        self.total, self.several = sum(contest.trials for contest in contests), len(contests) > 1

    def line(self, text: str) -> None:
        """Report a line worth keeping."""
        self.callback(Progress(text, "line", self.done, self.total))

    def stage(self, text: str) -> None:
        """Report the beginning of a stage."""
        self.callback(Progress(text, "stage", self.done, self.total))

    def now(self, text: str) -> None:
        """Report the current activity."""
        self.callback(Progress(text, "now", self.done, self.total))

    def report(self, phase: Phase, more: int) -> None:
        """Report that `more` trials of a phase are done."""
        self.done += more
        name = f"{phase.candidate.label} on {phase.contest.title}" if self.several else phase.candidate.label
        self.running[name, phase.title] = None
        if not phase.left:
            del self.running[name, phase.title]
            self.stage(f"{phase.title} done: {name}")
        self.runs()

    def runs(self) -> None:
        """Report what is running."""
        self.now(", ".join(f"{title} {name}" for name, title in list(self.running)[:2]) or "done")
