"""Carry out a comparison: compile kernels, time steps, run trials, write results and report."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path

from thalweg.lab.api.hours import Clock, with_
from thalweg.lab.api.options import Options, device_of_each, jobs
from thalweg.lab.api.watch import Watch
from thalweg.lab.comparing import slow_rules, warmup
from thalweg.lab.comparing.baselines import baselines, kept_baselines
from thalweg.lab.comparing.contest import Contest, by_problem
from thalweg.lab.comparing.forecast import forecast, humanize
from thalweg.lab.comparing.run import run
from thalweg.lab.comparing.step_cost import kept_step_costs, remembered_step_costs
from thalweg.lab.comparing.unfinished import Part, finished_part
from thalweg.lab.refusal import Refusal, Stopped
from thalweg.lab.report import report, suite_report
from thalweg.lab.report.results import results
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.suite import combine
from thalweg.lab.running.executors import Engine, engine
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.running.workers import Processes, in_this_process
from thalweg.lab.store.export import refresh_parquet
from thalweg.lab.store.records import FILE
from thalweg.lab.store.store import Store, dropped
from thalweg.lab.training.function import TrainingFunction
from thalweg.values.atomic import atomic_write

REPORT = "report.html"
"""The report's file, in the folder of a comparison."""
Costs = list[dict[str, float | None]]
"""For each problem, the cost of a step by rule."""


def conduct(
    contests: Sequence[Contest], out: Path, options: Options, command: str, watch: Watch, clock: Clock | None = None
) -> Results | SuiteResults:
    """Run the comparison, write everything to `out`, and return the results.

    command: how to repeat the run. clock: the time that it may take, of which what is left at the end goes into more seeds.
    """
    suite = options.get("suite")
    if suite:
        contests = _with_fewer_trials_of_slow_rules(contests, out, watch)
    if options.get("report"):
        return _write_unfinished(contests, out, suite, command, watch)
    watch.expect(contests)
    if contests[0].settings.source.data is not None:
        watch.stage("fitting what does without a network")
        baselines(contests, out)
    try:
        contests, costs, ended, over = _run(contests, out, options, watch, clock)
    except KeyboardInterrupt as stop:
        with contextlib.suppress(Refusal):
            _write_unfinished(contests, out, suite, command, watch)
            raise Stopped(out / REPORT) from stop
        raise
    watch.now("writing the report")
    together = zip(by_problem(contests), costs, strict=True)
    each = [results(blocks, measured, command, over, beside=kept_baselines(blocks, out)) for blocks, measured in together]
    found = combine(suite, each, command) if suite else each[0]
    _write(found, out)
    warmup.learn(row=warmup.per_row(time.perf_counter() - ended, sum(len(one["rules"]) for one in each)))
    return found


def _write_unfinished(
    contests: Sequence[Contest], out: Path, suite: str | None, command: str, watch: Watch
) -> Results | SuiteResults:
    """Write the report of the finished trials. Raises Refusal if no optimizer has been judged."""
    kept = Store(out / FILE)
    try:
        part = finished_part(contests, kept)
    finally:
        kept.close()
    told = f"{part.finished:,} of {part.planned:,} trials are finished"
    if not part.contests:
        raise Refusal(f"{out}: there is nothing to report yet; {told}, and no optimizer has been judged")
    watch.line(told)
    caution = part.sentence if part.finished < part.planned else None
    each = [
        results(blocks, _kept_costs(blocks[0], out), command, caution, kept_baselines(blocks, out))
        for blocks in by_problem(part.contests)
    ]
    found = combine(suite, each, command) if suite else each[0]
    _write(found, out)
    return found


def _kept_costs(contest: Contest, out: Path) -> dict[str, float | None]:
    if isinstance(contest.problem, TrainingFunction):
        return {}
    return kept_step_costs(contest.problem, [candidate.rule for candidate in contest.candidates if candidate.compared], out)


def _write(found: Results | SuiteResults, out: Path) -> None:
    """Write results and report."""
    with _writing(out):
        with atomic_write(out / "results.json") as file:
            file.write(json.dumps(found, allow_nan=False))  # json.dump does not use the C encoder
        if "suite" in found:
            report.write(found, out / REPORT, suite_report.render)
        else:
            report.write(found, out / REPORT, report.render)


def _with_fewer_trials_of_slow_rules(contests: Sequence[Contest], out: Path, watch: Watch) -> list[Contest]:
    """The same contests, with fewer trials for rules with slow steps."""
    new = slow_rules.unknown(contests, out)
    if new:
        _compile(contests, watch)
        watch.line(f"timing {new} steps: about {humanize(new * slow_rules.EACH)}")
    found = []
    for contest in contests:
        watch.now(f"timing a step of each rule on {contest.problem.name}")
        mine, rules = contest.settings, contest.settings.source.load_rules()
        each = slow_rules.budgets(contest.problem, [rules[name] for name in mine.rules], mine.budget, mine.batch_size, out)
        found.append(Contest.of(mine, contest.problem, rules, each))
    return found


def _compile(contests: Sequence[Contest], watch: Watch) -> None:
    """Compile the kernels that are not in this machine's cache, after a line with the expected time."""
    if kernels := warmup.missing(contests):
        seconds = humanize(warmup.compile_seconds(len(kernels)))
        watch.line(f"compiling {len(kernels)} kernel{'s' if len(kernels) > 1 else ''}, once on this machine: about {seconds}")
        warmup.compile_all(kernels, watch.stage)


def _run(
    contests: Sequence[Contest], out: Path, options: Options, watch: Watch, clock: Clock | None
) -> tuple[Sequence[Contest], Costs, float, str | None]:
    """Run all trials. Returns the contests, the step costs on each problem, the time at which the last trial ended, and what is
    said if there was not enough time.
    """
    kept, over = Store(out / FILE), None
    if kept.dropped:
        watch.line(dropped(kept.path, kept.dropped))
    try:
        with _engine(contests, options) as by:
            if clock is not None:
                contests = _planned(contests, clock, kept, by, watch)
            whole = run(contests, kept, watch.report, by, functools.partial(_before, contests, by, watch, clock), clock)
            if clock is not None:
                contests, whole = (contests, True) if whole else _with_fewer(contests, clock, kept, by, watch)
                contests, over = _extended(contests, clock, kept, by, watch) if whole else _cut(contests, clock, kept, watch)
            if isinstance(by.executor, Processes) and by.executor.seconds_to_start:
                warmup.learn(process=by.executor.seconds_to_start)
        ended = time.perf_counter()
        with _writing(out):
            costs = [_step_costs(blocks[0], out, watch) for blocks in by_problem(contests)]
            watch.stage("writing the trials")
            refresh_parquet(kept, out / "trials.parquet")
    finally:
        kept.close()
    return contests, costs, ended, over


def _planned(contests: Sequence[Contest], clock: Clock, kept: Store, by: Engine, watch: Watch) -> Sequence[Contest]:
    """Run each rule once, as the pilot ran only one, and plan anew if that costs more or less. Returns the blocks to run."""
    stops = contests[0].settings.pilot and contests[0].settings.pilot.stops
    clock.resume(contests[0], sum((stops or 1.0) if "until" in what else 1.0 for what, _ in kept.everything()))
    first = clock.first(contests[0])
    if first is None:
        return contests
    watch.expect([first])
    run([first], kept, watch.report, by, pace=clock)
    started = by.executor.seconds_to_start if isinstance(by.executor, Processes) else 0.0
    before = clock.sentence(contests[0])
    found = clock.refitted(contests[0], started)
    if (now := clock.sentence(found)) != before:
        watch.line(f"each rule has run once, and a run takes about {humanize(clock.price * clock.jobs)}: {now}")
    contests = found.in_blocks()
    watch.expect(contests)
    return contests


def _with_fewer(
    contests: Sequence[Contest], clock: Clock, kept: Store, by: Engine, watch: Watch
) -> tuple[Sequence[Contest], bool]:
    """Run smaller contests, each with what time is left, as a stage costs more than was planned; if none fits, as much of the
    last one as there is time for. Returns the blocks of the last one, and whether all of it is done.
    """
    whole = False
    while not whole and not clock.last:
        found = clock.fewer(contests[0])
        if found is not None:
            watch.line(f"runs have become slower, and take about {humanize(clock.price * clock.jobs)}: {clock.sentence(found)}")
        clock.last = found is None
        contests = (found or with_(contests[0])).in_blocks()
        watch.expect(contests)
        whole = run(contests, kept, watch.report, by, functools.partial(_stage, contests, clock), clock)
    return contests, whole


def _stage(contests: Sequence[Contest], clock: Clock, stored: Mapping[tuple[str, str], int]) -> None:
    """Tell the clock what is to run, as far as the store shows, unless it only waits for its end."""
    there = sum(stored.values()) / sum(contest.trials for contest in contests)
    clock.begin(math.nan if clock.last else sum(contest.cost for contest in contests) * (1 - there))


def _extended(
    contests: Sequence[Contest], clock: Clock, kept: Store, by: Engine, watch: Watch
) -> tuple[Sequence[Contest], str | None]:
    """Run the blocks of a contest with more seeds as long as there is time for more. Returns the last ones that were done."""
    clock.target = math.nan
    while (found := clock.extended(contests[0])) is not None:
        more = found.in_blocks()
        watch.line(f"there is time for {found.settings.seeds} judging seeds{' in each block' if len(more) > 1 else ''}")
        watch.expect(more)
        if not run(more, kept, watch.report, by, pace=clock):
            watch.line("there was less time than that: the seeds that not all optimizers have seen do not count")
            clock.end(contests[0])
            break
        contests = more
    return contests, None


def _cut(contests: Sequence[Contest], clock: Clock, kept: Store, watch: Watch) -> tuple[Sequence[Contest], str]:
    """What can be compared of a contest whose time was over: the optimizers that are judged, or all of them, untuned.

    Raises Refusal if nothing can.
    """
    plan, planned = contests[0], finished_part(contests, kept)
    part = planned if _rules(planned) >= min(2, len(plan.settings.rules)) else _untuned_part(plan, kept)
    if not part.contests:
        raise Refusal("the time was over before each optimizer had run once; give more --hours, or fewer --rules")
    over = clock.over(plan, planned, tuned=part is planned)
    watch.line(over)
    return part.contests, over


def _untuned_part(plan: Contest, kept: Store) -> Part:
    """What can be compared of the optimizers untuned: as many as possible, on as many seeds as all of these have seen."""
    some = (finished_part([with_(plan, budget=0, seeds=seeds, blocks=1)], kept) for seeds in range(plan.settings.seeds, 0, -1))
    return max(some, key=_rules)


def _rules(part: Part) -> int:
    return len(part.contests[0].settings.rules) if part.contests else 0


def _step_costs(contest: Contest, out: Path, watch: Watch) -> dict[str, float | None]:
    if isinstance(contest.problem, TrainingFunction):  # its parameters are its own
        return {}
    watch.stage(f"measuring the cost of a step on {contest.problem.name}")
    source, rules = contest.settings.source, contest.settings.source.load_rules()
    some = [rules[candidate.rule.name] for candidate in contest.candidates if candidate.compared and not candidate.failure]
    return remembered_step_costs(source, contest.problem, some, rules["sgd"], out)


@contextlib.contextmanager
def _engine(contests: Sequence[Contest], options: Options) -> Iterator[Engine]:
    """The engine that runs the trials."""
    by, many = options.get("engine") or "processes", jobs(options)
    if isinstance(by, Engine):
        yield by
    elif isinstance(by, Executor):
        yield Engine(by, many)
    else:
        if any(contest.settings.source.stays_here for contest in contests):
            with in_this_process() as here:
                yield Engine(here, 1)
            return
        isolated = any(contest.settings.source.holds_code for contest in contests)
        many = min(many, sum(contest.programs for contest in contests))  # starting a process takes a while
        each, wait = device_of_each(options, many), options.get("wait")
        with engine(by, many, options.get("cluster"), isolated=isolated, patience=wait, devices=each) as found:
            yield found


def _before(
    contests: Sequence[Contest], by: Engine, watch: Watch, clock: Clock | None, stored: Mapping[tuple[str, str], int]
) -> None:
    """Report the expected duration before the first trial."""
    if sum(stored.values()) < sum(contest.trials for contest in contests):
        _compile(contests, watch)
        if any(contest.settings.pilot is None for contest in contests):
            watch.stage("timing a step of each")
    watch.line(forecast(contests, stored, by).sentence(by.jobs))
    watch.runs()  # the trials begin
    if clock is not None:
        _stage(contests, clock, stored)


@contextlib.contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Context manager: turn an OSError while the results are written into a Refusal."""
    try:
        yield
    except OSError as error:
        why = error.strerror or in_a_line(error)
        raise Refusal(
            f"{out}: cannot write the report there ({why}); all trials are kept, and the same command writes it"
        ) from error
