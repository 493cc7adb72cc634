"""The sweep over its engines: nothing lost, nothing twice, and what goes wrong costs its own row only."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, wait_for

from lab.running import sweep_work as work
from thalweg.lab.refusal import Refusal
from thalweg.lab.running.executors import NO_DASHBOARD, Engine, engine
from thalweg.lab.running.sweep import Finished, WorkItem, sweep
from thalweg.lab.running.workers import Here, processes


class Kept:
    """A store that counts."""

    def __init__(self) -> None:
        self.results: dict[int, Any] = {}
        self.failures: dict[int, str] = {}
        self.times: Counter[int] = Counter()

    def add(self, pairs: Any) -> None:
        for what, result in pairs:
            self.results[what["n"]] = result
            self.times[what["n"]] += 1

    def note(self, pairs: Any) -> None:
        for what, why in pairs:
            self.failures[what["n"]] = why
            self.times[what["n"]] += 1


def failed(what: dict[str, Any], why: str) -> str:
    return why


def portion(row: str, job: Callable[..., Any], numbers: Sequence[int], *arguments: Any) -> WorkItem:
    return WorkItem(None, row, job, arguments, tuple({"n": n} for n in numbers))


def swept(by: Engine, portions: Sequence[WorkItem], timeout: float = PATIENCE) -> tuple[Kept, list[Finished]]:
    kept = Kept()
    done = list(sweep(deque(portions), by.executor, by.jobs, kept, failed, timeout))
    wanted = [what["n"] for some in portions for what in some.specs]
    assert kept.times == Counter(wanted), "each once, and no other"
    assert sum(len(one.portion.specs) for one in done) == len(wanted)
    return kept, done


def good(start: int = 100, portions: int = 4) -> list[WorkItem]:
    return [portion("good", work.squares, range(start + 10 * i, start + 10 * i + 3)) for i in range(portions)]


@pytest.fixture(scope="module")
def two() -> Iterator[Engine]:
    with engine("processes", 2) as found:
        yield found


def spoilt(kept: Kept) -> dict[int, str]:
    """What failed, all else having its result."""
    assert all(result == n**2 for n, result in kept.results.items())
    return kept.failures


@pytest.mark.parametrize("job", [work.exits_at_3, work.is_killed_at_3])
def test_a_trial_that_ends_its_process_fails_alone(two: Engine, job: Any) -> None:
    kept, _ = swept(two, [portion("bad", job, range(6)), *good()])
    says = "it ended its process with exit code 7" if job is work.exits_at_3 else "its process was ended by SIGSEGV"
    assert spoilt(kept) == {3: says}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("job", [work.dies_amid_its_result, work.leaves_a_process_behind])
@pytest.mark.parametrize("name", ["processes", "loky"])
def test_a_death_that_no_pipe_tells_of_is_seen(name: str, job: Any) -> None:
    """Nobody closes the pipe of a result; ended by itself, the next one too, and whoever waits for it at the end."""
    with engine(name, 1, isolated=True) as by:
        kept, _ = swept(by, [portion("bad", job, [3]), *good(portions=1)])
    assert spoilt(kept) == {3: "it ended its process with exit code 7"}


@pytest.mark.parametrize(
    ("job", "says"),
    [(work.leaves, "SystemExit: 4"), (work.interrupts, "KeyboardInterrupt"),
     (work.says_nothing, "3 trials were wanted, and what came back is NoneType"),
     (work.one_too_few, "3 trials were wanted, and what came back is a list of 2")],
)  # fmt: skip
def test_what_gives_no_results_fails_in_a_line(two: Engine, job: Any, says: str) -> None:
    kept, _ = swept(two, [portion("bad", job, range(3)), *good()])
    assert spoilt(kept) == dict.fromkeys(range(3), says)


def test_what_cannot_be_sent_back_fails(two: Engine) -> None:
    kept, _ = swept(two, [portion("bad", work.not_to_be_sent, range(2)), *good()])
    assert set(spoilt(kept)) == {0, 1}
    assert all("pickle" in why or "local object" in why for why in kept.failures.values())  # as of Python 3.13


@pytest.mark.slow
def test_what_hangs_is_given_up_and_its_row_not_tried_again(two: Engine) -> None:
    kept, _ = swept(two, [*(portion("bad", work.hangs, [n]) for n in range(5)), *good()], timeout=3)
    assert spoilt(kept).keys() == set(range(5))
    hung = "it hung: no result in 3 s"
    assert Counter(kept.failures.values()) == {hung: 2, f"not run: {hung}": 3}, "two at a time"


def test_a_row_that_only_ever_ends_its_processes_is_left_alone_in_the_end(two: Engine) -> None:
    kept, _ = swept(two, [portion("bad", work.always_exits, range(6)), *good()])
    how = "it ended its process with exit code 7"
    assert [kept.failures[n] for n in (0, 1, 2, 5)] == [how, how, how, f"not run: {how}"]
    assert spoilt(kept).keys() == set(range(6)), "one or two more were at work already"


def test_what_is_printed_is_caught_and_its_end_told_where_it_failed(two: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    bad = [portion(job.__name__, job, [n]) for n, job in enumerate((work.prints_and_raises, work.prints_and_exits))]
    kept, _ = swept(two, [portion("loud", work.prints, [2]), *bad])
    slow, _ = swept(two, [portion("slow", work.prints_and_hangs, [3])], timeout=1)
    assert kept.results == {2: 4}
    assert kept.failures[0] == "ValueError: enough; it printed last: here I am / and here"
    long = f"{300 * 'long '}"[:99]
    assert kept.failures[1] == f"it ended its process with exit code 7; it printed last: line 99999 / 20 %|##  | / {long}…"
    assert slow.failures == {3: "it hung: no result in 1 s; it printed last: in a moment"}
    assert capfd.readouterr() == ("", "")


def test_a_process_that_dies_once_is_forgiven(two: Engine, tmp_path: Path) -> None:
    kept, _ = swept(two, [portion("unlucky", work.dies_once, range(3), str(tmp_path)), *good()])
    assert spoilt(kept) == {}


def test_portions_may_follow_from_others() -> None:
    waiting, kept = deque(good(portions=1)), Kept()
    for done in sweep(waiting, Here(), 1, kept, failed):
        if done.portion.row == "good":
            waiting.append(portion("next", work.squares, [1, 2]))
    assert len(kept.results) == 5


def test_in_the_callers_own_threads_nothing_is_ended() -> None:
    with ThreadPoolExecutor(2) as executor:
        kept, _ = swept(Engine(executor, 2), [portion("bad", work.leaves, [1]), portion("slow", time_over, [2]), *good()], 0.05)
    assert spoilt(kept) == {1: "SystemExit: 4"}


def time_over(wanted: Sequence[dict[str, Any]]) -> list[int]:
    time.sleep(0.2)
    return work.squares(wanted)


def pool() -> Executor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


def test_a_broken_pool_of_the_users_is_replaced_where_it_can_be() -> None:
    kept, _ = swept(Engine(pool, 2), [portion("bad", work.exits_at_3, range(5)), *good()])
    assert set(spoilt(kept)) == {3}
    with pool() as one, pytest.raises(Refusal, match=r"takes no more work \(BrokenProcessPool.*what is finished is kept"):
        swept(Engine(one, 2), [portion("bad", work.exits_at_3, range(5)), *good()])


def kill_one_at_work(notes: Path) -> threading.Thread:
    """SIGKILL for the first worker that is at work, a moment later."""

    def kill() -> None:
        os.kill(int(wait_for(lambda: next(notes.iterdir(), None)).name), signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("name", ["processes", *(pytest.param(name, marks=pytest.mark.slow) for name in ("loky", "dask"))])
def test_a_killed_worker_loses_nothing(name: str, tmp_path: Path) -> None:
    if name == "dask":
        pytest.importorskip("distributed")
    portions = [portion("slow", work.slow_squares, range(3 * i, 3 * i + 3), 0.4, str(tmp_path)) for i in range(8)]
    killer = kill_one_at_work(tmp_path)
    with engine(name, 2) as by:
        kept, _ = swept(by, portions)
    killer.join(PATIENCE)
    assert spoilt(kept) == {}
    assert len(list(tmp_path.iterdir())) >= 2, "a process that lives has done its work"


SETTINGS = {"distributed.scheduler.allowed-failures": 1, "distributed.scheduler.no-workers-timeout": 120}


@pytest.mark.slow
def test_a_cluster_by_its_address(tmp_path: Path) -> None:
    """Two workers of a running cluster, one killed at work, and a trial that ends any process it is run in."""
    distributed, dask = pytest.importorskip("distributed"), pytest.importorskip("dask")
    slow = [portion("slow", work.slow_squares, range(10 * i, 10 * i + 3), 0.3, str(tmp_path)) for i in range(1, 7)]
    given: dict[str, Any] = {"threads_per_worker": 1, "processes": True, "scheduler_kwargs": NO_DASHBOARD, "silence_logs": 50}
    with dask.config.set(SETTINGS), distributed.LocalCluster(n_workers=2, **given) as cluster:
        killer = kill_one_at_work(tmp_path)
        with engine("processes", 1, cluster.scheduler_address) as by:
            kept, _ = swept(by, [*slow, portion("bad", work.later_exits_at_3, range(2, 5))])
        killer.join(PATIENCE)
    assert set(spoilt(kept)) == {3}


@pytest.mark.slow
def test_a_result_that_is_lost_on_its_way_fails_in_the_end(tmp_path: Path) -> None:
    """dask runs the job again where a worker died before its result was fetched; that second run fails."""
    pytest.importorskip("distributed")
    with engine("dask", 2) as by:
        kept, _ = swept(by, [portion("bad", work.is_lost_on_its_way, [3], str(tmp_path)), *good()])
    assert spoilt(kept) == {3: "it ended its process with exit code 7"}


@pytest.mark.slow
def test_workers_that_do_not_start_again_stop_it_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("thalweg.lab.running.executors.WORKERLESS", 1)

    async def nothing(_: Any) -> None:
        pass

    with engine("dask", 1), engine("dask", 1) as by:  # beside another comparison's cluster, whose ports are its own
        monkeypatch.setattr(distributed.Nanny, "instantiate", nothing)
        with pytest.raises(Refusal, match=r"takes no more work \(NoWorkerError.*what is finished is kept"):
            swept(by, [portion("bad", work.always_exits, [3]), *good()])


def test_a_cluster_that_goes_away_stops_it_in_a_sentence(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    slow = [portion("slow", work.slow_squares, range(3 * i, 3 * i + 3), 0.5, str(tmp_path)) for i in range(8)]
    with distributed.LocalCluster(n_workers=1, processes=False, scheduler_kwargs=NO_DASHBOARD, silence_logs=50) as cluster:

        def close() -> None:
            wait_for(lambda: any(tmp_path.iterdir()))
            cluster.close()

        closer = threading.Thread(target=close, daemon=True)
        closer.start()
        with (
            pytest.raises(Refusal, match=r"takes no more work \(.*Cancelled.*what is finished is kept"),
            engine("processes", 1, cluster.scheduler_address) as by,
        ):
            swept(by, slow)
        closer.join(PATIENCE)


@pytest.mark.parametrize("jobs", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_dask_has_as_many_workers_as_jobs(jobs: int) -> None:
    distributed = pytest.importorskip("distributed")
    with engine("dask", jobs):
        assert len(distributed.get_client().nthreads()) == jobs


def test_a_cluster_without_workers_is_waited_for_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("thalweg.lab.running.executors.ASK", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, processes=False, scheduler_kwargs=NO_DASHBOARD, silence_logs=50) as cluster,
        pytest.raises(Refusal, match=r"takes no more work \(NoWorkers: the cluster has had no worker for 0.5 seconds"),
        engine("processes", 1, cluster.scheduler_address, patience=0.5) as by,
    ):
        swept(by, good())
    assert capsys.readouterr().err.count("the cluster has no worker: waiting 0.5 seconds for one") == 1


def test_a_cluster_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("thalweg.lab.running.executors.CONNECT", 0.5)
    with (
        pytest.raises(Refusal, match=r"--cluster tcp://127.0.0.1:9: no dask scheduler answers"),
        engine("dask", 1, "tcp://127.0.0.1:9"),
    ):
        pass


def test_leaving_by_an_exception_ends_the_workers(tmp_path: Path) -> None:
    with suppress(KeyError), processes(1) as executor:
        job = executor.submit(work.slow_squares, 2 * PATIENCE, str(tmp_path), ())
        wait_for(lambda: any(tmp_path.iterdir()))
        raise KeyError
    (pid,) = (int(note.name) for note in tmp_path.iterdir())
    wait_for(lambda: not is_alive(pid))
    assert isinstance(job.exception(PATIENCE), BrokenExecutor)
    with pytest.raises(BrokenExecutor):  # as a thread that was about to begin one would
        executor._watch(work.squares, ((),), {})


def is_alive(pid: int) -> bool:
    """A zombie has no command line."""
    with suppress(OSError):
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    return False
