"""Who runs the trials: this process, or several beside it that leave Ctrl-C to it and go when it goes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import parent_process
from typing import Any

from threadpoolctl import threadpool_limits

from thalweg.lab.refusal import Refusal
from thalweg.lab.running.output_capture import attach, read, shared, with_tail
from thalweg.lab.running.process import Alone, OneProcess

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ALONE = (*THREADS, "PYTHONSAFEPATH")
Make = Callable[[Any], Alone]
"""Makes an executor of one process, given memory (`output_capture.shared`) that `begin` may hand to that."""


UNGUARDED = (
    "a process for trials ended before it could do anything; in a script, what starts them must stand under "
    'if __name__ == "__main__":, as each of them imports the script'
)


class Died(BrokenExecutor):
    """The process with a job in it ended: in words, its exit code if known, after how many seconds, and what it printed."""

    def __init__(self, how: str, code: int | None, seconds: float, printed: str = "") -> None:
        super().__init__(how)
        self.how, self.code, self.seconds, self.printed = how, code, seconds, printed

    def is_over(self, limit: float) -> bool:
        """Whether the watchdog ended it, after `limit` seconds and with exit code 1."""
        return self.code in (None, 1) and self.seconds >= limit

    def in_words(self, limit: float) -> str:
        """What became of the job, with its last words."""
        return with_tail(f"it hung: no result in {limit:g} s" if self.is_over(limit) else self.how, self.printed)


class NotStarted(Refusal):
    """Processes end before they can do anything, so that nothing can be said of a job."""


class Here(Executor):
    """Does each job at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*arguments, **named))
        except Exception as error:
            done.set_exception(error)
        return done


class Processes(Executor):
    """Jobs in so many processes, every one by itself: the death of one (Died) costs no other's work."""

    def __init__(self, jobs: int, make: Make | None = None) -> None:
        self._make = make or _standard
        self._each: dict[int, tuple[Alone, Any]] = {}
        self._killed = False
        self._lock = threading.Lock()
        self.seconds_to_start = 0.0
        """What it took until the first process was ready to work; 0 before that."""
        with suppress(ImportError):  # Windows has none
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # where a thread of ours starts it, it lets Ctrl-C through again in that thread
        self._threads = ThreadPoolExecutor(jobs, initializer=_never_interrupted)

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        return self._threads.submit(self._watch, fn, arguments, named)

    def _watch(self, fn: Callable[..., Any], arguments: Any, named: Any) -> Any:
        """Hand a job to this thread's process, and wait for it."""
        processes: list[Any] = []
        begun, (alone, memory) = time.monotonic(), self._mine()
        try:
            try:
                alone.submit(ready, *filter(callable, (fn, *arguments))).result()  # it may have to be started first
            except BrokenExecutor as error:
                if not self.seconds_to_start:
                    raise NotStarted(UNGUARDED) from error
                raise
            if not self.seconds_to_start:
                self.seconds_to_start = time.monotonic() - begun
            processes, begun = alone.processes, time.monotonic()
            return alone.submit(fn, *arguments, **named).result()
        except BrokenExecutor as error:
            seconds = time.monotonic() - begun
            with self._lock:
                self._each.pop(threading.get_ident(), None)
            alone.shutdown()
            raise _died(processes, seconds, read(memory)) from error

    def _mine(self) -> tuple[Alone, Any]:
        with self._lock:
            if self._killed:
                raise Died("it was not begun", None, 0.0)
            found = self._each.get(threading.get_ident())
            if found is None:
                memory = shared()
                found = self._each[threading.get_ident()] = (self._make(memory), memory)
            return found

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for alone, _ in list(self._each.values()):
            alone.shutdown(wait)

    def kill(self) -> None:
        """End all processes, whatever they are doing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._killed = True
            for process in [process for alone, _ in self._each.values() for process in alone.processes]:
                with suppress(ProcessLookupError):
                    process.kill()


@contextmanager
def processes(jobs: int, make: Make | None = None) -> Iterator[Processes]:
    """Processes that are gone when the block is left: at once if by an exception."""
    with single_threaded():
        executor = Processes(jobs, make)
        try:
            yield executor
        except BaseException:
            executor.kill()
            raise
        executor.shutdown()


@contextmanager
def in_this_process() -> Iterator[Here]:
    with threadpool_limits(1):
        yield Here()


def _standard(memory: Any) -> Alone:
    return OneProcess(begin, memory)


def _died(ended: list[Any], seconds: float, printed: str) -> Died:
    """How a pool's process came to its end."""
    for process in ended:
        process.join(5)
    code = next((process.exitcode for process in ended), None)
    if code is None:
        return Died("its process ended", None, seconds, printed)
    if code < 0:
        return Died(f"its process was ended by {signal.Signals(-code).name}", code, seconds, printed)
    return Died(f"it ended its process with exit code {code}", code, seconds, printed)


def ready(*functions: Callable[..., Any]) -> None:
    """In a process that is to run these: have their modules, which were imported for them to arrive here."""


def _never_interrupted() -> None:
    """In this thread: no Ctrl-C arrives, nor in a process begun from it, from its first moment on."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


@contextmanager
def single_threaded() -> Iterator[None]:
    """Processes begun within it do linear algebra in one thread each, and import nothing from the working folder."""
    before = {name: os.environ.get(name) for name in ALONE}
    os.environ.update(dict.fromkeys(ALONE, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def begin(memory: Any = None) -> None:
    """What a process with trials in it does first: leaves Ctrl-C and the terminal to its parent, and goes when that goes.

    memory: where it tells its parent what it prints, see `output_capture`.
    """
    attach(memory)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
    threading.Thread(target=_follow, args=(parent_process(), os.getppid()), daemon=True).start()


def _follow(parent: Any, number: int) -> None:
    """End this process when its parent has ended: that closes no queue which its workers hold open themselves."""
    try:
        parent.join()
    except Exception:  # loky's processes have no parent, or one that cannot be waited for
        while os.getppid() == number:
            time.sleep(1)
    os._exit(1)
