"""Sharing a kernel's jobs between threads: Python's own, or those of an OpenMP runtime that a framework has loaded.

Kernels let other Python threads run, so Python's threads are enough. But where a framework's workers have just done a backward
pass they still spin, waiting for more, and threads of our own would fight with them for the cores; there the kernel runs in the
framework's team.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from thalweg.engines import native
from thalweg.engines.native import Step

PIECES = 8
"""Number of pieces of a thread's share, so that a slow core does not delay the others."""


class Pool(Protocol):
    """Threads that run a kernel's jobs."""

    worth: int
    """Elements of a step from which on sharing it pays."""

    def share(self, step: Step, addresses: int, numbers: int, jobs: int, total: int) -> None:
        """Run jobs 0 to `total`, each on one of the threads."""


def count() -> int:
    """Return the number of threads of a large step: NUMBA_NUM_THREADS if set, at most the cores available to us."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("NUMBA_NUM_THREADS", "")
    return max(1, min(cores, int(wanted))) if wanted.isdigit() else cores


class PythonThreads:
    """The standard pool's threads: two callers, a fork or another library's pool do no harm."""

    worth = 1 << 20

    def __init__(self) -> None:
        self._pools: dict[int, ThreadPoolExecutor] = {}
        os.register_at_fork(after_in_child=self._pools.clear)

    def share(self, step: Step, addresses: int, numbers: int, jobs: int, total: int) -> None:
        """Run jobs 0 to `total` on this thread and `count() - 1` others."""
        threads = count()
        if threads == 1:
            step(addresses, numbers, jobs, 0, total)
            return
        size = max(1, total // (threads * PIECES))
        pieces = itertools.count()

        def work() -> None:
            while (first := size * next(pieces)) < total:
                step(addresses, numbers, jobs, first, min(first + size, total))

        if threads not in self._pools:
            self._pools[threads] = ThreadPoolExecutor(threads - 1, thread_name_prefix="thalweg")
        others = [self._pools[threads].submit(work) for _ in range(threads - 1)]
        work()
        for other in others:
            if not other.cancel():  # one that has not begun has nothing left to do
                other.result()


PYTHON = PythonThreads()
PROCESS = os.getpid()
"""The process that imported this; a fork of it has none of an OpenMP runtime's threads."""

TEAM = """
define void @team(i64* %work) {
  %step.at = bitcast i64* %work to i64 (i64, i64, i64, i64, i64)**
  %step = load i64 (i64, i64, i64, i64, i64)*, i64 (i64, i64, i64, i64, i64)** %step.at
  %addresses.at = getelementptr i64, i64* %work, i64 1
  %addresses = load i64, i64* %addresses.at
  %numbers.at = getelementptr i64, i64* %work, i64 2
  %numbers = load i64, i64* %numbers.at
  %jobs.at = getelementptr i64, i64* %work, i64 3
  %jobs = load i64, i64* %jobs.at
  %total.at = getelementptr i64, i64* %work, i64 4
  %total = load i64, i64* %total.at
  %size.at = getelementptr i64, i64* %work, i64 5
  %size = load i64, i64* %size.at
  %next = getelementptr i64, i64* %work, i64 6
  br label %look
look:
  %first = atomicrmw add i64* %next, i64 %size monotonic
  %some = icmp slt i64 %first, %total
  br i1 %some, label %run, label %done
run:
  %end = add i64 %first, %size
  %within = icmp slt i64 %end, %total
  %last = select i1 %within, i64 %end, i64 %total
  %returned = call i64 %step(i64 %addresses, i64 %numbers, i64 %jobs, i64 %first, i64 %last)
  br label %look
done:
  ret void
}
"""
"""What each thread of a team does: take the next piece of the jobs until there is none. work: the step, its four arguments, the
size of a piece, and where the next one begins."""


class Team:
    """The threads of the OpenMP runtime that a library was linked with: as many as that library's own operations take."""

    worth = 1 << 16

    def __init__(self, runtime: ctypes.CDLL) -> None:
        self._parallel, self.count = runtime.GOMP_parallel, runtime.omp_get_max_threads
        self._parallel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
        self._body = native.loaded("team", TEAM)

    def share(self, step: Step, addresses: int, numbers: int, jobs: int, total: int) -> None:
        """Run jobs 0 to `total` in a parallel region."""
        threads = self.count()
        if threads == 1:
            step(addresses, numbers, jobs, 0, total)
        elif os.getpid() != PROCESS:  # the runtime's threads do not survive a fork, and it would wait for them
            PYTHON.share(step, addresses, numbers, jobs, total)
        else:
            size = max(1, total // (threads * PIECES))
            at = ctypes.cast(step, ctypes.c_void_p).value  # type: ignore[arg-type]
            work = np.array([at, addresses, numbers, jobs, total, size, 0], np.int64)
            self._parallel(self._body, work.ctypes.data, threads, 0)


@functools.cache
def team_of(library: str) -> Pool:
    """The team of the OpenMP runtime that a loaded shared library is linked with; Python's threads where there is none.

    The runtime must have GNU's entry point, as LLVM's and Intel's runtimes for Linux have.
    """
    try:
        runtime = ctypes.CDLL(library, os.RTLD_NOLOAD | os.RTLD_LAZY)
        return Team(runtime)
    except (OSError, AttributeError):
        return PYTHON
