"""Who runs the trials: this process, or several beside it that leave Ctrl-C to it and go when it goes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

from threadpoolctl import threadpool_limits

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


Submit = Callable[..., Future[Any]]
"""Hand over a job: a function of a module, as processes are told by name, and its arguments."""


@contextmanager
def workers(jobs: int, prepare: Callable[..., None], *arguments: Any) -> Iterator[Submit]:
    """So many processes with one thread each; for one job, this process. prepare(*arguments) comes first in each."""
    if jobs == 1:
        prepare(*arguments)
        with threadpool_limits(1):
            yield _here
        return
    with _environment(dict.fromkeys(THREADS, "1")):
        executor = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start, initargs=(prepare, *arguments))

        def submit(job: Callable[..., Any], *arguments: Any) -> Future[Any]:
            with _undisturbed():
                return executor.submit(job, *arguments)

        try:
            yield submit
            executor.shutdown()
        except BaseException:
            processes = list((executor._processes or {}).values())
            executor.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            raise


def _here(job: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Do it at once."""
    done: Future[Any] = Future()
    done.set_result(job(*arguments))
    return done


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Within it, Ctrl-C waits; a process begun in it never sees one, from its first moment on."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start(prepare: Callable[..., None], *arguments: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:  # a killed parent closes no queue that its workers hold open themselves
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    prepare(*arguments)


def _follow(parent: Any) -> None:
    """End this process when its parent has ended."""
    parent.join()
    os._exit(1)
