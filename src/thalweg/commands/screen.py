"""Output to a terminal or a pipe: without foreign control characters, unencodable letters or tracebacks."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.segment import Segment

import thalweg
from thalweg.commands.lazy import Lazy
from thalweg.lab.refusal import Refusal, plain, working_folder


class Screen(Console):
    """A rich console that strips control characters from the text it prints."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return super()._render_buffer(part if part.control else part._replace(text=plain(part.text)) for part in buffer)

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError for `Program`: rich itself would exit, and `compare` has redirected the stream it checks."""
        raise BrokenPipeError


def say(text: str) -> None:
    """Print a line on the error stream."""
    click.echo(plain(text), err=True)


def say_first(text: str) -> None:
    """Announce the work at once when the output is a pipe: the imports alone take seconds."""
    if not sys.stdout.isatty():
        click.echo(plain(text))
        sys.stdout.flush()


_begun = [time.perf_counter()]


def began() -> float:
    """The moment, of `time.perf_counter`, at which the command began, before its imports."""
    return _begun[0]


class Program(Lazy):
    """The whole command line. Ends without a traceback whatever its arguments and wherever its output goes."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **named: Any) -> Any:
        if not standalone_mode:
            return self._run(arguments, named)
        prepare()
        with contextlib.suppress(OSError):  # nothing reads the error stream
            sys.exit(self._ended(arguments, named))
        sys.exit(1)

    def _run(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        run: Any = super().main
        return run(*arguments, standalone_mode=False, **named)

    def _ended(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> int:
        """Run the command and return its exit code."""
        try:
            if sys.flags.optimize > 1:
                raise Refusal("Python runs without docstrings (-OO), in which papers and help stand; run it with -O at most")
            working_folder()
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
        except BrokenPipeError:  # the reader has closed the pipe
            _to_nowhere(sys.stdout)
            return 1
        except OSError as error:
            _to_nowhere(sys.stdout)
            say(f"Error: {error.filename or 'the output'}: {error.strerror or error}")
            return 1

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run as a program and exit at the end, even if a user's file has left threads running."""
        _begun[0] = time.perf_counter()
        leave_the_working_folder()
        try:
            return self.main(*arguments, **named)
        except SystemExit as end:
            if any(name.startswith("thalweg_user_") for name in sys.modules):
                _end(end.code)
            raise


def prepare() -> None:
    """Make sure that all three standard streams exist and replace letters that they cannot encode."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # otherwise the next file opened, perhaps the store, would get its descriptor
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def leave_the_working_folder() -> None:
    """Remove the working folder from the import path, here and in child processes, unless thalweg itself is there."""
    here = ""
    with contextlib.suppress(OSError):  # it may have been deleted
        here = os.getcwd()
    home = os.path.dirname(os.path.dirname(os.path.abspath(thalweg.__file__)))
    if sys.path and sys.path[0] in ("", here) and home != here:
        del sys.path[0]


def _end(code: Any) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _to_nowhere(stream: Any) -> None:
    """Discard pending output, so that Python reports no error at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
