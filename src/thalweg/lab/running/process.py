"""A child process that runs jobs in turn, received and answered through a pipe."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from multiprocessing.util import Finalize
from typing import Any, Protocol

LOOK, GOES = 0.25, 5.0
"""Seconds between checks that a process is alive, and until a process that should exit is killed."""


class Alone(Protocol):
    """An Executor of one process."""

    @property
    def processes(self) -> list[Any]:
        """The process, once it has been started."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Run a job. If the process dies, the error is BrokenExecutor, whatever it has started or was sending."""

    def shutdown(self, wait: bool = True) -> None: ...


class OneProcess:
    """An Executor of one process that runs one job at a time, inside `submit`.

    The standard pool hangs if its process dies while sending a result larger than the pipe's buffer, since the pool itself
    holds the pipe's other end open, and if a process started by a job survives, which holds the sentinel open. The
    finalizers of its semaphores can run at any time and may deadlock.

    begin(*arguments) runs first in the process.
    """

    def __init__(self, begin: Callable[..., None], *arguments: Any) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, begin, arguments))
        self._process.start()
        theirs.close()
        Finalize(self, self._pipe.close, exitpriority=0)  # otherwise Python waits at exit for idle processes

    @property
    def processes(self) -> list[Any]:
        return [self._process]

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            result, error = ForkingPickler.loads(self._told(_packed((fn, arguments, named))))
        except Exception as what:  # it died, or an object could not be pickled
            result, error = None, what
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)
        return done

    def _told(self, job: bytes) -> bytes:
        try:
            self._pipe.send_bytes(job)
            while not self._pipe.poll(LOOK):
                if not self._process.is_alive() and not self._pipe.poll():
                    raise EOFError
            return self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise BrokenExecutor("its process ended") from error

    def shutdown(self, wait: bool = True) -> None:
        self._pipe.close()
        if wait:
            self._process.join(GOES)
            self._process.kill()  # a job may have left running threads


def _packed(x: Any) -> bytes:
    """An object as bytes of its own: multiprocessing gives a view of a BytesIO, which Python 3.12.1 crashes on, and later ones
    complain of, when an exception's frames hold it (CPython issue 111049)."""
    return bytes(ForkingPickler.dumps(x))


def _serve(pipe: Connection, begin: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    begin(*arguments)
    with suppress(EOFError, OSError):  # the parent asks for no more
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(job: bytes) -> bytes:
    """The result of a job, or its exception, in picklable form."""
    try:
        fn, arguments, named = ForkingPickler.loads(job)
        return _packed((fn(*arguments, **named), None))
    except BaseException as error:
        try:
            return _packed((None, error))
        except Exception:
            return _packed((None, RuntimeError(type(error).__name__)))
