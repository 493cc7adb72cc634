"""One process beside this one that does jobs in turn, told of them and telling their results through a pipe."""

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
"""Seconds between two looks at whether a process lives, and until one that should end by itself is killed."""


class Alone(Protocol):
    """An Executor of one process."""

    @property
    def processes(self) -> list[Any]:
        """That process, once it has been started."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Do a job. The death of the process is BrokenExecutor, whatever the job has begun or was about to send."""

    def shutdown(self, wait: bool = True) -> None: ...


class OneProcess:
    """A process that is handed a job when it has done the one before, all of it while `submit` waits.

    The standard pool waits for ever where its process dies amid a result longer than a pipe holds, for it keeps the other
    end open itself, and where what a job has begun lives on, which keeps open what would tell of the death. Its
    semaphores, cleaned up amid whatever Python is doing, take a lock that may be taken.

    begin(*arguments): what the process does first.
    """

    def __init__(self, begin: Callable[..., None], *arguments: Any) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, begin, arguments))
        self._process.start()
        theirs.close()
        Finalize(self, self._pipe.close, exitpriority=0)  # Python waits, at its end, for processes that wait for a job

    @property
    def processes(self) -> list[Any]:
        return [self._process]

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            result, error = ForkingPickler.loads(self._told(ForkingPickler.dumps((fn, arguments, named))))
        except Exception as what:  # it ended, or what was sent either way cannot be
            result, error = None, what
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)
        return done

    def _told(self, job: Any) -> bytes:
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
            self._process.kill()  # its job may have left threads that go on


def _serve(pipe: Connection, begin: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    begin(*arguments)
    with suppress(EOFError, OSError):  # no more is wanted
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(job: bytes) -> Any:
    """The result, or what was raised instead, to be sent."""
    try:
        fn, arguments, named = ForkingPickler.loads(job)
        return ForkingPickler.dumps((fn(*arguments, **named), None))
    except BaseException as error:
        try:
            return ForkingPickler.dumps((None, error))
        except Exception:
            return ForkingPickler.dumps((None, RuntimeError(type(error).__name__)))
