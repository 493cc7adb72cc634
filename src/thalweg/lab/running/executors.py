"""The engines by name: this machine's processes, loky's, dask's; each is an Executor, and a user's own may stand in."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from thalweg.lab.refusal import Refusal
from thalweg.lab.running.process import LOOK
from thalweg.lab.running.workers import begin, in_this_process, processes, single_threaded

NAMES = ("processes", "loky", "dask")
CONNECT = 10
"""Seconds in which a cluster's scheduler must answer, and a worker of ours that dask does not know yet to be dead."""
NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Its server is there all the same: at a port that no other comparison has, and for this machine alone."""
WORKERLESS = 120
"""Seconds that a job waits while none of dask's workers is there: they are started again, but not where that fails."""
ASK = 5.0
"""Seconds after which a job that has no result yet asks whether the cluster has workers."""


class NoWorkers(Exception):
    """A cluster whose workers are gone, and none came for as long as was to be waited."""


@dataclass(frozen=True)
class Engine:
    """What runs jobs (an Executor, or a function that makes one again when it is broken), and how many at once."""

    executor: Executor | Callable[[], Executor]
    jobs: int


@contextmanager
def engine(
    name: str, jobs: int, cluster: str | None = None, *, isolated: bool = False, patience: float | None = None
) -> Iterator[Engine]:
    """The engine of this name, or the dask cluster whose scheduler has this address.

    isolated: whether code of the user's is run, which must never happen in this process; otherwise one job is done here.
    patience: seconds to wait while a cluster has no worker, WORKERLESS unless given.
    Raises Refusal where what it needs is not installed or does not answer.
    """
    if cluster is not None or name == "dask":
        with _dask(jobs, cluster, WORKERLESS if patience is None else patience) as found:
            yield found
    elif jobs == 1 and not isolated and name == "processes":
        with in_this_process() as here:
            yield Engine(here, 1)
    else:
        with processes(jobs, Loky if name == "loky" else None) as executor:
            yield Engine(executor, jobs)


class Loky:
    """loky's pool of one process. Like the standard one it would wait for ever at some deaths, see `process.OneProcess`."""

    def __init__(self, memory: Any) -> None:
        from joblib.externals.loky import ProcessPoolExecutor  # scikit-learn brings joblib along

        self._pool = ProcessPoolExecutor(1, initializer=begin)  # what it pickles can hold no shared memory

    @property
    def processes(self) -> list[Any]:
        return list((self._pool._processes or {}).values())

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        job: Future[Any] = self._pool.submit(fn, *arguments, **named)
        tell = iter((self._send_nothing, self._leave_the_pipe))
        while not wait([job], LOOK).done:
            if self.processes and not any(process.is_alive() for process in self.processes):
                next(tell, bool)()
        return job

    def _send_nothing(self) -> None:
        """No result at all: loky then finds that its process is dead."""
        self._pool._result_queue._writer.send_bytes(b"")

    def _leave_the_pipe(self) -> None:
        """Half a result, and nobody who could write the rest: that is the pipe's end."""
        results = self._pool._result_queue
        os.dup2(results._reader.fileno(), results._writer.fileno())  # loky closes both itself

    def shutdown(self, wait: bool = True) -> None:
        self._pool.shutdown(wait)


class Cluster(Executor):
    """Jobs on a dask cluster, each waited for in a thread.

    dask's own executor never ends the future of a job whose result was lost on its way here, and whose second run failed.
    A job for which no worker is there waits for so many seconds of `patience`, and says so; then it raises NoWorkers.
    """

    def __init__(self, client: Any, jobs: int, patience: float) -> None:
        self._client, self._threads, self._patience = client, ThreadPoolExecutor(jobs), patience
        self._alone: float | None = None  # since when

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        return self._threads.submit(self._result, self._client.submit(fn, *arguments, pure=False, **named))

    def _result(self, job: Any) -> Any:
        while True:
            try:
                return job.result(timeout=min(ASK, self._patience))
            except TimeoutError:
                if job.done():  # it is the job's own
                    raise
                self._look()

    def _look(self) -> None:
        """Raises NoWorkers where none has been there for too long."""
        try:
            there = bool(self._client.nthreads())
        except Exception:  # a scheduler that is gone ends the job itself
            return
        if there:
            self._alone = None
        elif self._alone is None:
            self._alone = time.monotonic()
            click.echo(f"the cluster has no worker: waiting {self._patience:g} seconds for one", err=True)
        elif time.monotonic() - self._alone > self._patience:
            raise NoWorkers(f"the cluster has had no worker for {self._patience:g} seconds")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


@contextmanager
def _on(client: Any, jobs: int, patience: float) -> Iterator[Engine]:
    executor = Cluster(client, jobs, patience)
    try:
        yield Engine(executor, jobs)
    finally:  # a job that still runs ends with its client, which is closed after this
        executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _dask(jobs: int, address: str | None, patience: float) -> Iterator[Engine]:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise Refusal("dask is not installed; write pip install 'thalweg[cluster]'") from error
    if address is not None:
        with _silent("distributed"), _answering(Client, address) as client:
            threads = sum(client.nthreads().values())
            with _on(client, max(1, 2 * threads), patience) as found:  # the second half waits for who is free first
                yield found
        return
    settings = {
        "distributed.scheduler.allowed-failures": 0,  # the sweep itself tries again, and then finds out which trial it was
        "distributed.scheduler.no-workers-timeout": patience,
        "distributed.comm.timeouts.connect": CONNECT,
    }
    with single_threaded(), dask.config.set(settings):
        cluster = LocalCluster(
            n_workers=jobs, threads_per_worker=1, processes=True, scheduler_kwargs=NO_DASHBOARD, silence_logs=logging.CRITICAL,
            memory_limit=None,  # a worker near its limit would begin no other job, for ever if that is what it needs
        )  # fmt: skip
        with cluster, Client(cluster) as client, _on(client, jobs, patience) as found:
            yield found


@contextmanager
def _answering(client_of: Callable[..., Any], address: str) -> Iterator[Any]:
    try:
        client = client_of(address, timeout=CONNECT)
    except (OSError, ValueError) as error:
        raise Refusal(f"--cluster {address}: no dask scheduler answers there; wanted for example tcp://host:8786") from error
    with client:
        yield client


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """A library's own log, left out: what goes wrong is said in a sentence of ours."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
