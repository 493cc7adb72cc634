"""Sharing a kernel's jobs between threads: the standard pool's, so two callers, a fork or another library's pool do no harm.

A kernel lets other Python threads run, so Python's own threads are enough, and nothing of ours has to survive a fork.
"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

from thalweg.engines.native import Step

PIECES = 8
"""Into how many pieces a thread's share is cut, so that a slow core holds nobody up."""

_pools: dict[int, ThreadPoolExecutor] = {}
os.register_at_fork(after_in_child=_pools.clear)


def count() -> int:
    """How many threads a large step takes: NUMBA_NUM_THREADS where it is set, and never more cores than we may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("NUMBA_NUM_THREADS", "")
    return max(1, min(cores, int(wanted))) if wanted.isdigit() else cores


def share(step: Step, addresses: int, numbers: int, jobs: int, total: int, threads: int) -> None:
    """Run jobs 0 to `total` on this thread and `threads - 1` others."""
    if threads == 1:
        step(addresses, numbers, jobs, 0, total)
        return
    size = max(1, total // (threads * PIECES))
    pieces = itertools.count()

    def work() -> None:
        while (first := size * next(pieces)) < total:
            step(addresses, numbers, jobs, first, min(first + size, total))

    if threads not in _pools:
        _pools[threads] = ThreadPoolExecutor(threads - 1, thread_name_prefix="thalweg")
    others = [_pools[threads].submit(work) for _ in range(threads - 1)]
    work()
    for other in others:
        if not other.cancel():  # one that has not begun has nothing left to do
            other.result()
