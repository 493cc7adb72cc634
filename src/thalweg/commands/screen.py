"""What reaches a terminal or a pipe: no control characters of others', no letters that it cannot take, no end in a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.segment import Segment

import thalweg
from thalweg.commands.lazy import Lazy
from thalweg.lab.plain import plain
from thalweg.lab.refusal import Refusal


class Screen(Console):
    """rich's console, on which only rich itself steers the terminal."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return super()._render_buffer(part if part.control else part._replace(text=plain(part.text)) for part in buffer)

    def on_broken_pipe(self) -> None:
        """Told to the program: rich would end it, and looks for a stream that `compare` has put aside."""
        raise BrokenPipeError


def say(text: str) -> None:
    """A line on the error stream."""
    click.echo(plain(text), err=True)


def say_first(text: str) -> None:
    """What is about to be done, at once, for whoever reads a pipe: what does it takes seconds to import alone."""
    if not sys.stdout.isatty():
        click.echo(plain(text))
        sys.stdout.flush()


class Program(Lazy):
    """The command line as a whole. Whatever it is called with, and wherever its output goes, it ends without a traceback."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **named: Any) -> Any:
        if not standalone_mode:
            return self._run(arguments, named)
        prepare()
        with contextlib.suppress(OSError):  # nobody reads what is said of that
            sys.exit(self._ended(arguments, named))
        sys.exit(1)

    def _run(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        run: Any = super().main
        return run(*arguments, standalone_mode=False, **named)

    def _ended(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> int:
        """The exit code."""
        try:
            if sys.flags.optimize > 1:
                raise Refusal("Python runs without docstrings (-OO), in which papers and help stand; run it with -O at most")
            code = self._run(arguments, named)
            sys.stdout.flush()
            return code if isinstance(code, int) else 0
        except click.ClickException as error:
            setattr(error, "message", plain(str(error.message or "")))  # noqa: B010  (final, says its type)
            error.show()
            return error.exit_code
        except click.Abort:
            click.echo("Aborted!", err=True)
            return 1
        except BrokenPipeError:  # whoever reads has enough
            _to_nowhere(sys.stdout)
            return 1
        except OSError as error:
            _to_nowhere(sys.stdout)
            say(f"Error: {error.filename or 'the output'}: {error.strerror or error}")
            return 1

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """As a program of its own, which ends when it has ended: whatever a user's file has left running."""
        leave_the_working_folder()
        try:
            return self.main(*arguments, **named)
        except SystemExit as end:
            if any(name.startswith("thalweg_user_") for name in sys.modules):
                _end(end.code)
            raise


def prepare() -> None:
    """Have three streams, of which none raises at a letter that it cannot show."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # else the next file opened, the trials perhaps, would take its place
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def leave_the_working_folder() -> None:
    """Import nothing from it, here or in processes begun here, unless thalweg itself lies there."""
    here = os.getcwd() if os.path.isdir(os.curdir) else ""
    home = os.path.dirname(os.path.dirname(os.path.abspath(thalweg.__file__)))
    if sys.path and sys.path[0] in ("", here) and home != here:
        del sys.path[0]


def _end(code: Any) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _to_nowhere(stream: Any) -> None:
    """What is still to be written there is dropped, and Python says nothing of that as it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
