"""`thalweg lab bank`: run every rule on every problem, and distil what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from thalweg.lab.api import plan
from thalweg.lab.api.options import Options
from thalweg.lab.api.progress import Progress
from thalweg.lab.api.watch import Watch
from thalweg.lab.bank.distil import distilled, joined
from thalweg.lab.bank.table import Bank, write
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.comparing.forecast import forecast
from thalweg.lab.comparing.run import run
from thalweg.lab.comparing.unfinished import finished_part
from thalweg.lab.protocol import suites
from thalweg.lab.refusal import Refusal, writable
from thalweg.lab.report.results import results
from thalweg.lab.running.executors import cores, engine
from thalweg.lab.store.records import FILE
from thalweg.lab.store.store import Store, dropped
from thalweg.lab.trials.trials import gradient_seconds
from thalweg.lab.user.source import Source
from thalweg.methods import rules as catalogue

NAME = "bank.json"
"""The file, in the folder of the trials."""


@dataclass(frozen=True)
class Asked:
    """What a bank is made of. share: the share of each problem's usual steps that a trial runs. report: whether to run nothing,
    and to take the problems that are finished."""

    suite: str = "full"
    rules: str | Sequence[str] = plan.ALL
    budget: int = suites.BUDGET
    seeds: int = suites.SEEDS
    share: float = 1.0
    jobs: int | None = None
    report: bool = False


def make(asked: Asked, out: Path, command: str, progress: Callable[[Progress], None] | None = None) -> Bank:
    """Run what is missing, problem by problem, the cheapest first, and write the bank of the finished ones after each.

    It is `lab.compare` with a suite, but that every rule has the whole budget, and that no report is written. Trials are
    stored in the folder `out`, so the same call goes on where it was stopped. Raises Refusal if nothing is finished.
    """
    watch = Watch(progress or (lambda progress: None))
    contests = _contests(asked, watch.line)
    kept = Store(writable(out) / FILE)
    if kept.dropped:
        watch.line(dropped(kept.path, kept.dropped))
    banks: list[Bank] = []
    try:
        left = []
        for contest in contests:
            whole = _finished(contest, kept)
            if whole is None:
                left.append(contest)
            else:
                banks.append(_distilled(whole, asked, command))
        _write(banks, out)
        if not asked.report:
            _run(left, kept, asked, watch, lambda contest: _add(banks, _distilled(contest, asked, command), out))
    finally:
        kept.close()
    if not banks:
        raise Refusal(f"{out}: no problem is finished yet; the same command without --report goes on")
    return joined(banks)


def _contests(asked: Asked, tell: Callable[[str], None]) -> list[Contest]:
    """A contest for each problem whose data are here, the cheapest first."""
    found = []
    for name in suites.suite(asked.suite):
        source = Source(name)
        try:
            usual = source.see_problem().steps
        except Refusal as refusal:
            tell(f"{name} is left out: {refusal.message}")
            continue
        options: Options = {"budget": asked.budget, "seeds": asked.seeds, "steps": max(1, round(asked.share * usual))}
        found.append(plan.contest(source, {**options, "suite": asked.suite, "rules": asked.rules}, lambda text: None))
    return sorted(found, key=lambda contest: contest.settings.steps * gradient_seconds(contest.problem))


def _finished(contest: Contest, kept: Store) -> Contest | None:
    """The contest with its trials, if the store has all of them."""
    part = finished_part([contest], kept)
    return part.contests[0] if part.contests and part.finished == part.planned else None


def _run(contests: Sequence[Contest], kept: Store, asked: Asked, watch: Watch, ended: Callable[[Contest], None]) -> None:
    jobs = asked.jobs or cores()
    watch.expect(contests)
    with threadpool_limits(1), engine("processes", jobs) as by:
        if contests:
            watch.stage("timing a step of each")
            watch.line(forecast(contests, {}, by).sentence(jobs))
        for contest in contests:
            run([contest], kept, watch.report, by)
            ended(contest)
            watch.line(f"{contest.problem.name} is finished")


def _distilled(contest: Contest, asked: Asked, command: str) -> Bank:
    return distilled(results([contest], {}, command), catalogue, asked.share, command)


def _add(banks: list[Bank], bank: Bank, out: Path) -> None:
    banks.append(bank)
    _write(banks, out)


def _write(banks: Sequence[Bank], out: Path) -> None:
    if not banks:
        return
    try:
        write(joined(banks), out / NAME)
    except OSError as error:
        raise Refusal(f"{out}: cannot write the bank there ({error.strerror}); all trials are kept") from error
