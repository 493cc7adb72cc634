"""The sweep: portions of trials, over any `concurrent.futures.Executor`, put away one by one, none lost and none twice."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol

from thalweg.lab.refusal import Refusal
from thalweg.lab.running.guard import Answer, here, in_a_line, with_watchdog
from thalweg.lab.running.workers import Died, Here, NotStarted, Processes, processes

TIMEOUT = 900.0
"""Seconds that a portion may take. It is planned to take a few."""
TRIES = 2
"""So often is a portion handed over whole; if its process died each time, its trials go one by one."""
DEATHS = 3
"""So many trials of a row may end their processes, one by one; if none gave a result, its others are not tried."""
NO_MORE = ("NoWorkers", "NoWorkerError", "FutureCancelledError", "CancelledError")
"""Our and dask's words for workers none of which starts again, and dask's for a scheduler that is gone."""

Spec = Any
"""What a trial is; the sweep hands it through."""
Pairs = Sequence[tuple[Spec, Any]]


class Keeper(Protocol):
    """Where finished trials go."""

    def add(self, pairs: Pairs) -> None:
        """For ever: what follows from the spec alone. Raises TypeError or ValueError for what is no result."""

    def note(self, pairs: Pairs) -> None:
        """For this process only: what time, memory or a dying machine had a part in."""


@dataclass(frozen=True, eq=False)
class WorkItem:
    """Trials for one program: work(*arguments, specs) gives a result for each of `specs`, in its order.

    work is a function of a module and arguments can be pickled, as processes are told of both by name and by value. `of` is
    for the caller, who gets the portion back. `row` says whose trials they are: a row that hangs once, or only
    ever ends its processes, is not tried again.
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
    """A portion whose trials are in the store. failure: why it has no results but failed trials."""

    portion: WorkItem
    failure: str | None


def sweep(
    waiting: deque[WorkItem],
    executor: Executor | Callable[[], Executor],
    jobs: int,
    kept: Keeper,
    failed: Callable[[Spec, str], Any],
    timeout: float = TIMEOUT,
) -> Iterator[Finished]:
    """Run the waiting portions, at most `jobs` at a time, and yield each when its results are in the store.

    More may be appended to `waiting` while this is iterated. failed(spec, why) makes the result of a trial that has
    none: its portion raised, hung for `timeout` seconds, or its process died every time. That costs no other portion
    anything. Where the executor is given as a function that makes one, a broken one is replaced. Raises Refusal where
    the store cannot be written, or an executor given as it is takes no more work.
    """
    with ExitStack() as stack:
        yield from _Sweep(waiting, executor, jobs, kept, failed, timeout, stack).run()


@dataclass
class _Sweep:
    waiting: deque[WorkItem]
    given: Executor | Callable[[], Executor]
    jobs: int
    kept: Keeper
    failed: Callable[[Spec, str], Any]
    timeout: float
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
        """Processes of our own, whose deaths say whose fault they are."""
        if self.own is None:
            self.own = self.stack.enter_context(processes(1))
        return self.own

    def _end(self, job: Future[Answer], portion: WorkItem, seconds: float) -> Finished | None:
        """Put a portion's results away, or line it up again."""
        error = job.exception()
        if error is None:
            return self._put_away(portion, job.result())
        if isinstance(error, NotStarted):
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
        """A trial that ended its process when nothing else was in it."""
        self.deaths[portion.row] += 1
        if self.deaths[portion.row] == DEATHS and portion.row not in self.fruitful:
            self.hopeless[portion.row] = why
        return self._fail(portion, why)

    def _again(self, portion: WorkItem) -> None:
        """Whole, or trial by trial once it has been tried often enough."""
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
        except (TypeError, ValueError) as error:  # no result that can be kept
            return self._fail(portion, in_a_line(error))
        self.fruitful.add(portion.row)
        return Finished(portion, None)

    def _fail(self, portion: WorkItem, why: str) -> Finished:
        self.kept.note([(spec, self.failed(spec, why)) for spec in portion.specs])
        return Finished(portion, why)


def _process_died(error: BaseException) -> bool:
    """Whether it was not the work that failed but the process it was in; dask and Ray have words of their own for that."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker", "WorkerCrashedError")


def _nonsense(portion: WorkItem, results: Any) -> str | None:
    if isinstance(results, list | tuple) and len(results) == len(portion.specs):
        return None
    what = f"a list of {len(results)}" if isinstance(results, list | tuple) else type(results).__name__
    return f"{len(portion.specs)} trials were wanted, and what came back is {what}"


def _no_more(error: BaseException) -> Refusal:
    why = in_a_line(error)
    return Refusal(f"the executor takes no more work ({why}); what is finished is kept, and the same command goes on from here")
