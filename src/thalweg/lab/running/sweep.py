"""The sweep: run chunks of trials on any `concurrent.futures.Executor` and store each once."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol

from thalweg.lab.refusal import Ending, Refusal
from thalweg.lab.running.guard import Answer, here, in_a_line, with_watchdog
from thalweg.lab.running.workers import Died, Here, Processes, processes

TIMEOUT = 900.0
"""Time limit of a chunk in seconds. Chunks are planned to take a few."""
TRIES = 2
"""Attempts of a whole chunk. If its process dies each time, its trials run one by one."""
DEATHS = 3
"""The number of trials of a row that may end their process, run one by one, before the rest is abandoned."""
NO_MORE = ("NoWorkers", "NoWorkerError", "FutureCancelledError", "CancelledError")
"""Exceptions for workers that do not restart (ours and dask's) and for a lost scheduler (dask's)."""

Spec = Any
"""The specification of a trial, opaque to the sweep."""
Pairs = Sequence[tuple[Spec, Any]]


class Keeper(Protocol):
    """The store of finished trials."""

    def add(self, pairs: Pairs) -> None:
        """Store results permanently: those determined by the spec. Raises TypeError or ValueError for an invalid result."""

    def note(self, pairs: Pairs) -> None:
        """Store results for this process only: failures caused by time, memory or a dying machine."""


@dataclass(frozen=True, eq=False)
class WorkItem:
    """A chunk of trials: work(*arguments, specs) returns a result for each of `specs`, in order.

    work is a module-level function and the arguments are picklable. `of` is for the caller, who gets the chunk back. `row`
    is the rule and problem: a row that hangs once, or only ends its processes, is not tried again.
    """

    of: Any
    row: str
    work: Callable[..., Sequence[Any]]
    arguments: tuple[Any, ...]
    specs: tuple[Spec, ...]
    tries: int = 0
    alone: bool = False


@dataclass(frozen=True)
class Finished:
    """A chunk whose trials are in the store. failure: the reason if all its trials failed."""

    portion: WorkItem
    failure: str | None


def sweep(
    waiting: deque[WorkItem],
    executor: Executor | Callable[[], Executor],
    jobs: int,
    kept: Keeper,
    failed: Callable[[Spec, str], Any],
    timeout: float = TIMEOUT,
    devices: Sequence[str] = (),
) -> Iterator[Finished]:
    """Run the waiting chunks, at most `jobs` at a time, and yield each when its results are in the store.

    The caller may append to `waiting` during the iteration. failed(spec, why) makes the result of a trial without one: its
    chunk raised, hung for `timeout` seconds, or its process died every time. Other chunks are unaffected. If `executor` is
    a function that makes one, a broken executor is replaced. devices: those of the executor's processes, if each has one.
    Raises Refusal if the store cannot be written, or if a given executor accepts no more work.
    """
    with ExitStack() as stack:
        yield from _Sweep(waiting, executor, jobs, kept, failed, timeout, devices, stack).run()


@dataclass
class _Sweep:
    waiting: deque[WorkItem]
    given: Executor | Callable[[], Executor]
    jobs: int
    kept: Keeper
    failed: Callable[[Spec, str], Any]
    timeout: float
    devices: Sequence[str]
    stack: ExitStack

    def __post_init__(self) -> None:
        self.running: dict[Future[Answer], tuple[WorkItem, float]] = {}
        self.hopeless: dict[str, str] = {}
        self.deaths: Counter[str] = Counter()
        self.fruitful: set[str] = set()
        self.executor = self.given if isinstance(self.given, Executor) else self.given()
        self.own: Executor | None = self.executor if isinstance(self.executor, Processes | Here) else None

    def run(self) -> Iterator[Finished]:
        while self.waiting or self.running:
            while self.waiting and len(self.running) < self.jobs:
                portion = self.waiting.popleft()
                if portion.row in self.hopeless:
                    yield self._fail(portion, f"not run: {self.hopeless[portion.row]}")
                else:
                    self._begin(portion)
            if not self.running:
                continue
            for job in wait(self.running, return_when=FIRST_COMPLETED).done:
                portion, begun = self.running.pop(job)
                finished = self._end(job, portion, time.monotonic() - begun)
                if finished is not None:
                    yield finished

    def _begin(self, portion: WorkItem) -> None:
        executor = self._one_by_one() if portion.alone else self.executor
        job = (with_watchdog, here(), self.timeout, portion.work, *portion.arguments, portion.specs)
        try:
            running = executor.submit(*job)
        except BrokenExecutor as error:
            if isinstance(self.given, Executor):
                raise _no_more(error) from error
            self.executor = self.given()
            running = self.executor.submit(*job)
        self.running[running] = (portion, time.monotonic())

    def _one_by_one(self) -> Executor:
        """Whether each job has its own process, so that a death identifies the job."""
        if self.own is None:
            self.own = self.stack.enter_context(processes(1, devices=self.devices))
        return self.own

    def _end(self, job: Future[Answer], portion: WorkItem, seconds: float) -> Finished | None:
        """Store a chunk's results, or queue it again."""
        error = job.exception()
        if error is None:
            return self._put_away(portion, job.result())
        if isinstance(error, Ending):
            raise error
        if type(error).__name__ in NO_MORE:
            raise _no_more(error) from error
        if not _process_died(error):
            return self._fail(portion, in_a_line(error))
        died = error if isinstance(error, Died) else Died(in_a_line(error), None, seconds)
        why = died.in_words(self.timeout)
        if died.is_over(self.timeout):
            self.hopeless[portion.row] = why
            return self._fail(portion, why)
        if portion.alone:
            return self._bury(portion, why)
        self._again(replace(portion, tries=portion.tries + 1))
        return None

    def _bury(self, portion: WorkItem, why: str) -> Finished:
        """Record the failure of a trial that ended its process while it ran alone."""
        self.deaths[portion.row] += 1
        if self.deaths[portion.row] == DEATHS and portion.row not in self.fruitful:
            self.hopeless[portion.row] = why
        return self._fail(portion, why)

    def _again(self, portion: WorkItem) -> None:
        """Queue a chunk again: whole, or trial by trial after TRIES attempts."""
        if portion.tries < TRIES and not self.deaths[portion.row]:
            self.waiting.appendleft(portion)
        else:
            self.waiting.extendleft(replace(portion, specs=(one,), alone=True) for one in reversed(portion.specs))

    def _put_away(self, portion: WorkItem, answer: Answer) -> Finished:
        why = answer.failure or _nonsense(portion, answer.results)
        if why is not None:
            return self._fail(portion, why)
        try:
            self.kept.add(list(zip(portion.specs, answer.results, strict=True)))
        except (TypeError, ValueError) as error:  # not a storable result
            return self._fail(portion, in_a_line(error))
        self.fruitful.add(portion.row)
        return Finished(portion, None)

    def _fail(self, portion: WorkItem, why: str) -> Finished:
        self.kept.note([(spec, self.failed(spec, why)) for spec in portion.specs])
        return Finished(portion, why)


def _process_died(error: BaseException) -> bool:
    """Whether the error means that the process died; dask and Ray have their own exceptions for it."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker", "WorkerCrashedError")


def _nonsense(portion: WorkItem, results: Any) -> str | None:
    if isinstance(results, list | tuple) and len(results) == len(portion.specs):
        return None
    what = f"a list of {len(results)}" if isinstance(results, list | tuple) else type(results).__name__
    return f"{len(portion.specs)} trials were wanted, and what came back is {what}"


def _no_more(error: BaseException) -> Refusal:
    why = in_a_line(error)
    return Refusal(f"the executor takes no more work ({why}); what is finished is kept, and the same command goes on from here")
