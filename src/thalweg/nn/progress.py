"""A progress bar, on a terminal only, after two seconds, if rich is installed."""

import sys
import time
from types import TracebackType
from typing import Any, Self

PATIENCE = 2.0  # seconds


class Progress:
    """Context manager: `with Progress(epochs, wanted) as bar: bar.update(done, loss)`."""

    def __init__(self, total: int, wanted: bool) -> None:
        self._total = total
        self._wanted = wanted and sys.stderr.isatty()
        self._start = time.monotonic()
        self._bar: Any = None

    def update(self, done: int, loss: float) -> None:
        """Show the number of finished epochs and the last epoch's loss."""
        if self._wanted and self._bar is None and time.monotonic() - self._start > PATIENCE:
            self._open()
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=f"loss {loss:.4g}")

    def _open(self) -> None:
        try:
            from rich.console import Console
            from rich.progress import Progress as Bar
        except ImportError:
            self._wanted = False
            return
        self._bar = Bar(console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=self._total)
        self._bar.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
