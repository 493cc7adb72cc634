"""Execute a user's Python file, with a time limit."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from thalweg.lab.refusal import Refusal
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.user import neighbours

PATIENCE = 60.0
"""Time limit in seconds of one call of a user's function."""


def run(path: Path, what: str, patience: float | None = None) -> ModuleType:
    """Execute a Python file and return its module. Raises Refusal, which calls the file `what`, if it fails.

    The file is executed as a Python program. patience: seconds that it may take, by default PATIENCE.
    """
    refuse_missing(path)
    name = f"thalweg_user_{path.stem}"
    while name in sys.modules and sys.modules[name].__file__ != str(path):  # may be a file of the same name from another folder
        name += "_"
    loader = _AsItIs(name, os.path.abspath(path)) if path.suffix == ".py" else None
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if loader is None or spec is None or spec.loader is None:
        raise Refusal(f"{path}: {what} is Python, in a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # inspect finds the source through it
    neighbours.find_beside(path)
    before = set(sys.modules)
    try:
        with with_alarm(patience):
            spec.loader.exec_module(module)
        neighbours.note(path, sys.modules.keys() - before)
    except (KeyboardInterrupt, Refusal):
        raise
    except BaseException as error:
        raise refusal(path, error) from error
    return module


class _AsItIs(SourceFileLoader):
    """A loader that neither reads nor writes bytecode.

    Python's would be of the text before, where a file was written again within a second and is as long as it was.
    """

    def path_stats(self, path: Any) -> Any:
        raise OSError


def refuse_missing(path: Path) -> None:
    """Raises Refusal if there is no such file."""
    if "\0" in str(path) or not path.is_file():
        raise Refusal(f"{path}: there is no such file")


@contextlib.contextmanager
def with_alarm(patience: float | None = None) -> Iterator[None]:
    """Context manager: raise TimeoutError after `patience` seconds, by default PATIENCE, in the main thread on systems with
    signals. It cannot interrupt a library call that never returns.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    seconds = PATIENCE if patience is None else patience

    def ring(*_: Any) -> None:
        raise TimeoutError(f"one call took more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def refusal(path: Path, error: BaseException) -> Refusal:
    """A Refusal with the error and its line in the file."""
    own = os.path.abspath(path)
    if isinstance(error, SyntaxError):
        file = error.filename if error.filename and os.path.abspath(error.filename) != own else path
        return Refusal(f"{file}{f', line {error.lineno}' if error.lineno else ''}: syntax error, {error.msg}")
    tracebacks = [e.__traceback__ for e in (error, error.__cause__) if e is not None]
    lines = [frame.lineno for found in tracebacks for frame in traceback.extract_tb(found) if frame.filename == own]
    return Refusal(f"{path}{f', line {lines[-1]}' if lines else ''}: {in_a_line(error)}")
