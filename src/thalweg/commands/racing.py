"""The work of `thalweg race`, in a module of its own: importing it takes a second or two."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from thalweg.commands.heartbeat import Heartbeat
from thalweg.commands.race_arguments import Asked, chosen, in_colour
from thalweg.commands.screen import Screen
from thalweg.lab.race import animation, page, picture
from thalweg.lab.race.isolated import isolated
from thalweg.lab.race.run import OwnRules, Race, here, race
from thalweg.lab.race.table import table
from thalweg.lab.refusal import Refusal, plain
from thalweg.lab.running.output_capture import Tail
from thalweg.lab.user.source import OwnFiles

PATIENCE = 2.0  # seconds, before a progress bar appears
WIDTH = 160  # columns of the table when the output is no terminal


def race_and_write(asked: Asked) -> None:
    """Race, write the file, print the table."""
    with contextlib.redirect_stdout(Tail()):  # anything a user's file prints is kept out of the results
        found = _race(asked)
    console = Screen(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(table(found))
    console.print(f"written to {asked.target}", soft_wrap=True, markup=False)


def _race(asked: Asked) -> Race:
    files = OwnFiles.of(asked.my_rule)
    own = files.rules
    names = chosen(asked.names, own)
    show = in_colour(asked.show, names)
    told: dict[str, Any] = {"steps": asked.steps, "start": asked.start, "lr": asked.lr, "seed": asked.seed}
    runner = isolated(files.readable, dict(files.lost), asked.steps) if own else contextlib.nullcontext(here)
    with runner as run, _Progress() as progress:
        found = race(asked.surface, names, **told, own=OwnRules(own, run), advance=progress.task("racing", len(names)))
        found = dataclasses.replace(found, show=show)
        _write(found, asked, progress)
    return found


def _write(found: Race, asked: Asked, progress: _Progress) -> None:
    """Write the file atomically."""
    target = asked.target
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix.lower())
    os.close(handle)
    os.chmod(name, 0o666 & ~_umask())
    part = Path(name)
    try:
        _draw(found, asked, part, progress)
        os.replace(part, target)
    except OSError as problem:
        raise Refusal(f"--out {target} cannot be written: {problem.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def _draw(found: Race, asked: Asked, path: Path, progress: _Progress) -> None:
    if path.suffix == ".png":
        picture.write_png(found, path, asked.error)
    elif path.suffix == ".gif":
        animation.write_gif(found, path, asked.error, progress.task("drawing", min(found.steps + 1, animation.FRAMES)))
    else:
        command = plain(shlex.join(["thalweg", *sys.argv[1:]]))
        page.write_page(found, path, asked.error, command, progress.task("recording", len(found.walks)))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class _Progress:
    """Progress on the error stream: on a terminal a bar after two seconds, in a pipe a heartbeat."""

    def __init__(self) -> None:
        self.console = Screen(stderr=True)
        self.begun = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=self.console, transient=True)
        self.heart = Heartbeat(self._beat)
        self.open = contextlib.ExitStack()

    def task(self, words: str, total: int) -> Any:
        """A function to call when one of `total` parts is done."""
        return functools.partial(self._advance, self.bar.add_task(words, total=total))

    def _advance(self, task: TaskID) -> None:
        self.bar.advance(task)
        if self.console.is_terminal and not self.bar.live.is_started and time.monotonic() - self.begun > PATIENCE:
            self.open.enter_context(self.bar)

    def _beat(self) -> None:
        for task in self.bar.tasks[-1:]:
            self.console.print(f"{task.description}: {task.completed:.0f} of {task.total:.0f}", markup=False, highlight=False)

    def __enter__(self) -> Self:
        if not self.console.is_terminal:
            self.open.enter_context(self.heart)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.open.close()
