"""Around the work of one portion, in the process that does it: a limit in time, what was printed, whatever was raised."""

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

from thalweg.lab.running import output_capture

_ALONE = threading.Lock()
"""The watch and the standard streams are one a process: where a worker has several threads, they take turns."""


@dataclass(frozen=True)
class Answer:
    """What came of a portion: results, or why there are none."""

    results: Any
    failure: str | None = None


def here() -> str:
    """This process among all processes on all machines."""
    return f"{platform.node()}/{os.getpid()}"


def with_watchdog(caller: str, timeout: float, work: Callable[..., Any], *arguments: Any) -> Answer:
    """work(*arguments) as an Answer, done by another process than the caller's.

    After `timeout` seconds the process ends itself, also where Python's lock is held and never given back: whoever
    watches the process sees it die, on one machine or many. In the caller's own process (or a thread of it) none of
    that can be had, and the work is done as it is.
    """
    if caller == here():
        return Answer(work(*arguments))
    with _ALONE, threadpool_limits(1), _limited(timeout), output_capture.caught():
        try:
            return Answer(work(*arguments))
        except BaseException as error:  # the user's code may raise anything, KeyboardInterrupt too
            return Answer(None, output_capture.annotate(in_a_line(error)))


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """End this process, exit code 1, after so many seconds. By Python's watchdog: the alarm is taken, see `user_file`."""
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def in_a_line(error: BaseException) -> str:
    """What went wrong, without what follows on further lines."""
    try:
        first = str(error).strip().partition("\n")[0]
    except Exception:  # the user's code may raise what cannot even be told
        first = ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
