"""The engines by name: this machine's processes, loky's, dask's; each is an Executor, and a user's own may stand in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from thalweg.commands.refusal import Refusal
from thalweg.lab.workers import begin, in_this_process, processes, single_threaded

NAMES = ("processes", "loky", "dask")
CONNECT = 10
"""Seconds in which a cluster's scheduler must answer."""


@dataclass(frozen=True)
class Engine:
    """What runs jobs (an Executor, or a function that makes one again when it is broken), and how many at once."""

    executor: Executor | Callable[[], Executor]
    jobs: int


@contextmanager
def engine(name: str, jobs: int, cluster: str | None = None, *, isolated: bool = False) -> Iterator[Engine]:
    """The engine of this name, or the dask cluster whose scheduler has this address.

    isolated: whether code of the user's is run, which must never happen in this process; otherwise one job is done here.
    Raises Refusal where what it needs is not installed or does not answer.
    """
    if cluster is not None or name == "dask":
        with _dask(jobs, cluster) as found:
            yield found
    elif jobs == 1 and not isolated and name == "processes":
        with in_this_process() as here:
            yield Engine(here, 1)
    else:
        with processes(jobs, _loky if name == "loky" else None) as executor:
            yield Engine(executor, jobs)


def _loky(memory: Any) -> Executor:
    from joblib.externals.loky import ProcessPoolExecutor  # scikit-learn brings joblib along

    pool: Executor = ProcessPoolExecutor(1, initializer=begin)  # what it pickles can hold no shared memory
    return pool


class Cluster(Executor):
    """Jobs on a dask cluster, each waited for in a thread.

    dask's own executor never ends the future of a job whose result was lost on its way here, and whose second run failed.
    """

    def __init__(self, client: Any, jobs: int) -> None:
        self._client, self._threads = client, ThreadPoolExecutor(jobs)

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        return self._threads.submit(self._client.submit(fn, *arguments, pure=False, **named).result)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


@contextmanager
def _on(client: Any, jobs: int) -> Iterator[Engine]:
    executor = Cluster(client, jobs)
    try:
        yield Engine(executor, jobs)
    finally:  # a job that still runs ends with its client, which is closed after this
        executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _dask(jobs: int, address: str | None) -> Iterator[Engine]:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise Refusal("dask is not installed; write pip install 'thalweg[cluster]'") from error
    if address is not None:
        with _answering(Client, address) as client:
            threads = sum(client.nthreads().values())
            with _on(client, max(1, 2 * threads)) as found:  # the second half waits for who is free first
                yield found
        return
    # the sweep itself tries again, and then finds out which trial it was
    with single_threaded(), dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        cluster = LocalCluster(jobs, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=logging.CRITICAL)
        with cluster, Client(cluster) as client, _on(client, jobs) as found:
            yield found


@contextmanager
def _answering(client_of: Callable[..., Any], address: str) -> Iterator[Any]:
    try:
        client = client_of(address, timeout=CONNECT)
    except (OSError, ValueError) as error:
        raise Refusal(f"--cluster {address}: no dask scheduler answers there; wanted for example tcp://host:8786") from error
    with client:
        yield client
