"""Executors of trials: this process, or child processes that ignore Ctrl-C and end with their parent."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import parent_process
from typing import Any

from threadpoolctl import threadpool_limits

from thalweg.lab.refusal import Ending
from thalweg.lab.running import devices as own
from thalweg.lab.running.output_capture import attach, read, shared, with_tail
from thalweg.lab.running.process import Alone, OneProcess

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ALONE = (*THREADS, "PYTHONSAFEPATH")
Make = Callable[[Any, Mapping[str, str]], Alone]
"""Makes an executor of one process, given shared memory (`output_capture.shared`) to pass to `begin`, and its environment
variables."""


UNGUARDED = (
    "a process for trials ended before it could do anything; in a script, what starts them must stand under "
    'if __name__ == "__main__":, as each of them imports the script'
)


class Died(BrokenExecutor):
    """The process of a job died: a description, the exit code if known, the seconds, and the output."""

    def __init__(self, how: str, code: int | None, seconds: float, printed: str = "") -> None:
        super().__init__(how)
        self.how, self.code, self.seconds, self.printed = how, code, seconds, printed

    def is_over(self, limit: float) -> bool:
        """Whether the watchdog ended it: after `limit` seconds with exit code 1."""
        return self.code in (None, 1) and self.seconds >= limit

    def in_words(self, limit: float) -> str:
        """The outcome of the job, with its last output."""
        return with_tail(f"it hung: no result in {limit:g} s" if self.is_over(limit) else self.how, self.printed)


class NotStarted(Ending):
    """Raised if processes die before they start, so that no job is at fault."""


class Here(Executor):
    """An Executor that runs each job immediately in this process."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*arguments, **named))
        except Exception as error:
            done.set_exception(error)
        return done


class Processes(Executor):
    """An Executor of separate processes: the death of one (Died) does not affect the others' jobs.

    devices: the device of each process, if it is to see that one alone.
    """

    def __init__(self, jobs: int, make: Make | None = None, devices: Sequence[str] = ()) -> None:
        self._make, self._devices, self._places = make or _standard, devices, dict[int, int]()
        self._each: dict[int, tuple[Alone, Any]] = {}
        self._killed = False
        self._lock = threading.Lock()
        self.seconds_to_start = 0.0
        """Seconds until the first process was ready; 0 before that."""
        with suppress(ImportError):  # not available on Windows
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # starting it from a thread unblocks Ctrl-C in that thread
        self._threads = ThreadPoolExecutor(jobs, initializer=_never_interrupted)

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        return self._threads.submit(self._watch, fn, arguments, named)

    def _watch(self, fn: Callable[..., Any], arguments: Any, named: Any) -> Any:
        """Run a job in this thread's process and wait for it."""
        processes: list[Any] = []
        begun, (alone, memory) = time.monotonic(), self._mine()
        try:
            try:
                alone.submit(ready, *filter(callable, (fn, *arguments))).result()  # may start the process
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
                memory, place = shared(), self._places.setdefault(threading.get_ident(), len(self._places))
                made = self._make(memory, own.environment(self._devices, place))
                found = self._each[threading.get_ident()] = (made, memory)
            return found

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for alone, _ in list(self._each.values()):
            alone.shutdown(wait)

    def kill(self) -> None:
        """Kill all processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._killed = True
            for process in [process for alone, _ in self._each.values() for process in alone.processes]:
                with suppress(ProcessLookupError):
                    process.kill()


@contextmanager
def processes(jobs: int, make: Make | None = None, devices: Sequence[str] = ()) -> Iterator[Processes]:
    """Context manager: processes that end with the block, and are killed after an exception. devices: as for `Processes`."""
    with single_threaded():
        executor = Processes(jobs, make, devices)
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


def _standard(memory: Any, environment: Mapping[str, str]) -> Alone:
    with _environment(environment):  # a process has it from its first moment on, as it imports the user's script
        return OneProcess(begin, memory)


def _died(ended: list[Any], seconds: float, printed: str) -> Died:
    """Describe the death of a pool's process."""
    for process in ended:
        process.join(5)
    code = next((process.exitcode for process in ended), None)
    if code is None:
        return Died("its process ended", None, seconds, printed)
    if code < 0:
        return Died(f"its process was ended by {signal.Signals(-code).name}", code, seconds, printed)
    return Died(f"it ended its process with exit code {code}", code, seconds, printed)


def ready(*functions: Callable[..., Any]) -> None:
    """A no-op job: unpickling it imports the modules that trials need."""


def _never_interrupted() -> None:
    """Block Ctrl-C in this thread, and in processes started from it from their first moment on."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


@contextmanager
def single_threaded() -> Iterator[None]:
    """Context manager: processes started inside use one BLAS thread and import nothing from the working folder."""
    with _environment(dict.fromkeys(ALONE, "1")):
        yield


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """Context manager: environment variables for processes started inside."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def begin(memory: Any = None) -> None:
    """Initialise a worker process: ignore Ctrl-C and the terminal, and end with the parent.

    memory: shared memory for its output; see `output_capture`.
    """
    attach(memory)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
    threading.Thread(target=_follow, args=(parent_process(), os.getppid()), daemon=True).start()


def _follow(parent: Any, number: int) -> None:
    """End this process when its parent has ended. Queues do not show this, as workers hold them open themselves."""
    try:
        parent.join()
    except Exception:  # loky's processes have no parent, or one that cannot be joined
        while os.getppid() == number:
            time.sleep(1)
    os._exit(1)
