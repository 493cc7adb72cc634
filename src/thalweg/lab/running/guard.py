"""Guards of one chunk of work in its worker process: time limit, captured output, exceptions."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import platform
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from thalweg.lab.refusal import Ending
from thalweg.lab.running import output_capture

_ALONE = threading.Lock()
"""There is one watchdog and one set of standard streams per process, so threads of a worker take turns."""


@dataclass(frozen=True)
class Answer:
    """The outcome of a chunk: results, or the reason why there are none."""

    results: Any
    failure: str | None = None


class InWords(Exception):
    """An error whose message says all: what kind of exception it is adds nothing."""


def here() -> str:
    """An identifier of this process, unique over machines."""
    return f"{platform.node()}/{os.getpid()}"


def with_watchdog(caller: str, timeout: float, work: Callable[..., Any], *arguments: Any) -> Answer:
    """Run work(*arguments) in a process other than the caller's and return an Answer.

    After `timeout` seconds the process ends itself, even if code holds Python's lock for ever. The parent or the cluster
    then sees it die. In the caller's own process (or a thread of it) this is impossible, and the work runs unguarded.
    """
    if caller == here():
        return Answer(work(*arguments))
    with _ALONE, threadpool_limits(1), _limited(timeout), output_capture.caught():
        try:
            return Answer(work(*arguments))
        except Ending:
            raise
        except BaseException as error:  # the user's code may raise anything, including KeyboardInterrupt
            return Answer(None, output_capture.annotate(in_a_line(error)))


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """End this process with exit code 1 after `seconds`, by faulthandler: the alarm signal is used in `user_file`."""
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def in_a_line(error: BaseException) -> str:
    """The first line of an error's message."""
    try:
        first = str(error).strip().partition("\n")[0]
    except Exception:  # the user's exception may fail to convert to text
        first = ""
    if isinstance(error, InWords):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
