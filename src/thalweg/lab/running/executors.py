"""The engines by name: processes of this machine, loky or dask. Each is an Executor, as is a user's own."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from thalweg.lab.refusal import Refusal
from thalweg.lab.running import devices as own
from thalweg.lab.running.process import LOOK
from thalweg.lab.running.workers import begin, in_this_process, processes, single_threaded

NAMES = ("processes", "loky", "dask")
CONNECT = 10
"""Time limit in seconds for a cluster's scheduler to answer, and for a local worker not yet known to be dead."""
NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Dask starts the dashboard's server regardless, so it gets a free port on this machine only."""
WORKERLESS = 120
"""Seconds that a job waits for a dask worker. Workers are restarted, which may fail."""
ASK = 5.0
"""Interval in seconds at which a waiting job checks that the cluster has workers."""


class NoWorkers(Exception):
    """Raised if a cluster has had no worker for longer than the wait limit."""


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Engine:
    """An Executor, or a function that makes a new one when it breaks, and the number of parallel jobs.

    devices: the device of each of its processes, if each sees one alone.
    """

    executor: Executor | Callable[[], Executor]
    jobs: int
    devices: Sequence[str] = ()


@contextmanager
def engine(
    name: str,
    jobs: int,
    cluster: str | None = None,
    *,
    isolated: bool = False,
    patience: float | None = None,
    devices: Sequence[str] = (),
) -> Iterator[Engine]:
    """Context manager: the engine of this name, or the dask cluster with this scheduler address.

    isolated: whether jobs run code of the user's, which must not run in this process; otherwise jobs=1 runs here.
    patience: seconds to wait for a cluster without workers, by default WORKERLESS. devices: the device of each process here.
    Raises Refusal if a package is not installed or the scheduler does not answer.
    """
    if cluster is not None or name == "dask":
        with _dask(jobs, cluster, WORKERLESS if patience is None else patience, devices) as found:
            yield found
    elif jobs == 1 and not isolated and name == "processes":
        with in_this_process() as here:
            yield Engine(here, 1)
    else:
        with processes(jobs, Loky if name == "loky" else None, devices) as executor:
            yield Engine(executor, jobs, devices)


class Loky:
    """loky's pool of one process. Like the standard pool it would hang after some deaths; see `process.OneProcess`."""

    def __init__(self, memory: Any, environment: Mapping[str, str]) -> None:
        from joblib.externals.loky import ProcessPoolExecutor  # joblib is a dependency of scikit-learn

        # its pickles cannot contain shared memory
        self._pool = ProcessPoolExecutor(1, initializer=begin_loky, env=dict(environment))

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
        """The process died before a result: send an empty one, so that loky notices the death."""
        self._pool._result_queue._writer.send_bytes(b"")

    def _leave_the_pipe(self) -> None:
        """The process died in the middle of a result: close the pipe's last writing end."""
        results = self._pool._result_queue
        os.dup2(results._reader.fileno(), results._writer.fileno())  # loky closes both ends itself

    def shutdown(self, wait: bool = True) -> None:
        self._pool.shutdown(wait)


def begin_loky() -> None:
    """Initialise a worker process of loky, which otherwise takes a framework that a first job imports for a leak of memory, and
    ends the process after each job.
    """
    from joblib.externals.loky import process_executor

    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
    begin()


class Cluster(Executor):
    """Jobs on a dask cluster, with a waiting thread for each.

    dask's own executor never completes the future of a job whose result was lost in transit and whose second run failed.
    A job without a worker waits for `patience` seconds, with a message, and then raises NoWorkers.
    """

    def __init__(self, client: Any, jobs: int, patience: float) -> None:
        self._client, self._threads, self._patience = client, ThreadPoolExecutor(jobs), patience
        self._alone: float | None = None  # start of the time without workers

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        return self._threads.submit(self._result, self._client.submit(fn, *arguments, pure=False, **named))

    def _result(self, job: Any) -> Any:
        while True:
            try:
                return job.result(timeout=min(ASK, self._patience))
            except TimeoutError:
                if job.done():  # the job itself raised it
                    raise
                self._look()

    def _look(self) -> None:
        """Raises NoWorkers if there has been no worker for too long."""
        try:
            there = bool(self._client.nthreads())
        except Exception:  # a lost scheduler ends the job anyway
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
def _on(client: Any, jobs: int, patience: float, devices: Sequence[str] = ()) -> Iterator[Engine]:
    executor = Cluster(client, jobs, patience)
    try:
        yield Engine(executor, jobs, devices)
    finally:  # running jobs end with their client, which is closed next
        executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _dask(jobs: int, address: str | None, patience: float, devices: Sequence[str]) -> Iterator[Engine]:
    try:
        import dask
        from distributed import Client, LocalCluster, Nanny
    except ImportError as error:
        raise Refusal("dask is not installed; write pip install 'thalweg[cluster]'") from error
    if address is not None:
        with _silent("distributed"), _answering(Client, address) as client:
            threads = sum(client.nthreads().values())
            with _on(client, max(1, 2 * threads), patience) as found:  # the second half waits for the first free worker
                yield found
        return

    def worker(*arguments: Any, name: int, **options: Any) -> Any:
        return Nanny(*arguments, name=name, env=own.environment(devices, name), **options)

    settings = {
        "distributed.scheduler.allowed-failures": 0,  # the sweep itself retries, and then finds the responsible trial
        "distributed.scheduler.no-workers-timeout": patience,
        "distributed.comm.timeouts.connect": CONNECT,
    }
    with single_threaded(), dask.config.set(settings):
        cluster = LocalCluster(
            n_workers=jobs, threads_per_worker=1, processes=True, scheduler_kwargs=NO_DASHBOARD, silence_logs=logging.CRITICAL,
            memory_limit=None,  # a worker near its memory limit would pause, possibly for ever
            worker_class=worker,
        )  # fmt: skip
        with cluster, Client(cluster) as client, _on(client, jobs, patience, devices) as found:
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
    """Silence a library's log: errors are reported in our own messages."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
