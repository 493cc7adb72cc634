"""`thalweg compare`: train, tune, rank, report."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from thalweg.commands.comparison_progress import ComparisonProgress
from thalweg.commands.heartbeat import stage
from thalweg.commands.screen import Screen, say, say_first
from thalweg.commands.types import PLACE, Many, Seconds
from thalweg.lab.plain import plain
from thalweg.lab.refusal import Refusal
from thalweg.lab.running.engines import NAMES
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.running.printed import Tail
from thalweg.values.atomic import written_whole

if TYPE_CHECKING:
    from thalweg.lab.comparing.compare import Contest
    from thalweg.lab.running.engines import Engine
    from thalweg.lab.user.source import Source

ALL = "all"
"""As --rules: every rule of the catalogue."""
MOST = 1_000_000
"""Trials of a comparison on one problem: all are planned in advance."""
WIDTH = 160  # columns of the table where nobody watches


@click.command("compare")
@click.option("--problem", help="A problem of the lab's, or a Python file with one of yours; digits unless told.")
@click.option("--suite", help="Several problems at once, and what they come to together: small, tiny.")
@click.option("--data", type=PLACE, help="Your own data: a .csv, .parquet or .npz file (npz: keys x and y).")
@click.option("--target", help="The column to predict, for csv and parquet.")
@click.option(
    "--task", type=click.Choice(["classification", "regression"]), help="What to do with the target, if not as it looks."
)
@click.option("--rules", "names", metavar="A,B,C", help="The optimizers to compare, or all.  [default: twenty well-known ones]")
@click.option(
    "--my-rule",
    type=PLACE,
    multiple=True,
    help="A Python file with rules of your own, which join the race; may be given again.",
)
@click.option("--budget", type=Many(1, MOST), help="Learning rates tried for each optimizer.  [default: 12]")
@click.option(
    "--tune",
    type=click.Choice(["lr", "all"]),
    default="lr",
    show_default=True,
    help="What is tuned: the learning rate, or every hyper-parameter that is a number.",
)
@click.option(
    "--search",
    type=click.Choice(["quasi-random", "optuna"]),
    default="quasi-random",
    show_default=True,
    help="How settings are chosen: spread in advance, or proposed by Optuna, which tunes unequally.",
)
@click.option(
    "--schedule",
    default="constant",
    show_default=True,
    callback=lambda context, option, value: _schedules(value),
    metavar="A,B",
    help="How the rate changes: constant, linear, cosine, wsd (warm-up, stable, decay); of several, each trial draws one.",
)
@click.option("--seeds", type=Many(1, MOST), help="Fresh seeds on which each winner is judged.  [default: 15]")
@click.option("--steps", type=Many(1, 1_000_000_000), help="Steps of each trial.  [default: the problem's]")
@click.option("--batch-size", type=Many(1, 1_000_000_000), help="Samples in a mini-batch.  [default: the problem's]")
@click.option("--out", type=PLACE, help="Folder for the trials and the report.  [default: thalweg-results/PROBLEM]")
@click.option("--jobs", type=Many(1, 1000), help="Processes at once.  [default: one a core]")
@click.option(
    "--engine", "engine_name", type=click.Choice(NAMES), default="processes", help="Who runs the trials.  [default: processes]"
)
@click.option("--cluster", metavar="tcp://HOST:8786", help="A running dask scheduler; its workers run the trials.")
@click.option("--wait", type=Seconds(1, 1_000_000), help="Seconds to wait while a cluster has no worker.  [default: 120]")
@click.option("--timeout", type=Seconds(1, 1_000_000), help="Seconds until a portion of trials counts as hung.  [default: 900]")
@click.option(
    "--lanes", type=click.Choice(["numpy", "jax"]), default="numpy", help="What runs trials side by side.  [default: numpy]"
)
@click.option("--problems", is_flag=True, help="List the lab's problems, and stop.")
def compare_command(**given: Any) -> None:
    """Compare optimizers fairly on a problem, and say which one to use.

    Each gets the same number of trials from its own range of learning rates, is tuned on validation data, and is judged
    on test data with fresh seeds. Finished trials are kept: the same command goes on where it was stopped.
    """
    if given.pop("problems"):
        _list_problems()
        return
    if given["suite"] and (given["problem"] or given["data"]):
        raise Refusal("--suite names its problems itself; leave --problem and --data out")
    if given["problem"] and given["data"]:
        raise Refusal("--problem and --data are two answers to one question; give one of them")
    if given["data"] is None and (given["target"] or given["task"]):
        raise Refusal("--target and --task speak of your own data; give it with --data")
    out = sys.stdout
    try:
        where = given["suite"] or given["data"] or given["problem"] or "digits"
        say_first(f"Comparing optimizers on {where}; the answer stands at the end.")
        with contextlib.redirect_stdout(Tail()):  # what a user's file prints is no result
            _compare(given, out)
    except KeyboardInterrupt:
        click.echo("Stopped. The finished trials are kept; the same command goes on from here.", err=True)
        sys.exit(130)


def _schedules(given: str) -> tuple[str, ...]:
    from thalweg.form.hyper import nearest
    from thalweg.lab.protocol.protocol import SCHEDULES

    names = tuple(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))
    for name in names:
        if name not in SCHEDULES:
            raise Refusal(f"no schedule is called '{name}'; there are {', '.join(SCHEDULES)}{nearest(name, SCHEDULES)}")
    if not names:
        raise Refusal("--schedule names none; write for example --schedule cosine")
    return names


def _list_problems() -> None:
    from thalweg.lab import problems

    for name in problems.names():
        click.echo(f"{name:22} {problems.about(name)}")


def _compare(given: dict[str, Any], screen: TextIO) -> None:
    from thalweg.lab.protocol.suites import suite
    from thalweg.lab.report import report, suite_report
    from thalweg.lab.report.results import results
    from thalweg.lab.report.suite import together
    from thalweg.lab.report.table import answered, suite_table, table
    from thalweg.lab.user import first_look
    from thalweg.lab.user.source import Source

    names = suite(given["suite"]) if given["suite"] else (given["problem"],)
    own, lost = first_look.rules(given["my_rule"]) if given["my_rule"] else ((), ())
    for name, why in lost:
        say(f"{name} is not run: {why}")
    contests = [_contest(Source(name, given["data"], given["target"], given["task"], own, lost), given) for name in names]
    out = _writable(given["out"] or Path("thalweg-results") / (given["suite"] or contests[0].problem.name))
    if given["suite"]:
        contests = _with_dear_rules(contests, out)
    costs, ended = _run(contests, out, given)
    command = plain(shlex.join(["thalweg", *sys.argv[1:]]))
    with stage(Screen(stderr=True), "writing the report"):
        each = [results(contest, measured, command) for contest, measured in zip(contests, costs, strict=True)]
        found = together(given["suite"], each, command) if given["suite"] else each[0]
        with _writing(out):
            with written_whole(out / "results.json") as file:
                file.write(json.dumps(found, allow_nan=False))  # json.dump does not use its encoder in C
            report.write(found, out / "report.html", suite_report.render if given["suite"] else None)
    _learn_report(time.perf_counter() - ended, found)
    wide = Screen(file=screen, width=None if screen.isatty() else WIDTH)
    wide.print((suite_table if given["suite"] else table)(found, wide.width))
    wide.print()
    wide.print(answered(found["answer"], wide.width))
    wide.print(f"\nReport   {out / 'report.html'}", markup=False, highlight=False, soft_wrap=True)
    wide.print(f"Again    {command}", markup=False, highlight=False, soft_wrap=True)
    rows = [row for one in each for row in one["rules"]]
    if rows and all(row["failed"] for row in rows):
        raise click.ClickException(f"every optimizer failed; {rows[0]['name']}: {rows[0]['note']}")


def _contest(source: Source, given: dict[str, Any]) -> Contest:
    """What is compared on one problem, and how."""
    from thalweg.core.compose import refuses_vectors
    from thalweg.lab.comparing.compare import Contest, Settings
    from thalweg.lab.protocol import protocol, suites
    from thalweg.lab.running.sweep import TIMEOUT
    from thalweg.lab.trials.configured import has_matrices

    rules = source.load_rules()
    problem = source.see_problem()
    usual = suites if given["suite"] else protocol
    own = [name for name, rule in rules.items() if not rule.ours]
    chosen = _chosen(given["names"], rules) or (*protocol.RULES, *own)
    unfit = [] if has_matrices(problem) else [name for name in chosen if refuses_vectors(rules[name]())]
    if unfit:
        told = f"{problem.name} has no matrices, and {', '.join(unfit)} {'take' if len(unfit) > 1 else 'takes'} nothing else"
        chosen = tuple(name for name in chosen if name not in unfit)
        if not chosen or (given["names"] != ALL and not given["suite"]):
            raise Refusal(f"{told}; leave {'them' if len(unfit) > 1 else 'it'} out, or compare on a problem with a network")
        say(f"{told}: left out there")
    trials = len(chosen) * ((given["budget"] or usual.BUDGET) * protocol.TUNING_SEEDS + 2 * (given["seeds"] or usual.SEEDS))
    if trials > MOST:
        raise Refusal(
            f"that would be {trials:,} trials, and {MOST:,} are the most; lower --budget or --seeds, or name fewer --rules"
        )
    settings = Settings(
        source, chosen, given["budget"] or usual.BUDGET, given["seeds"] or usual.SEEDS, given["steps"] or problem.steps,
        min(given["batch_size"] or problem.batch_size, problem.train_size) if problem.train_size else 0,
        given["tune"], given["schedule"], given["timeout"] or TIMEOUT, given["lanes"], given["search"],
    )  # fmt: skip
    return Contest.of(settings, problem, rules)


def _with_dear_rules(contests: Sequence[Contest], out: Path) -> list[Contest]:
    """The same, with fewer trials for rules whose steps are dear."""
    from thalweg.lab.comparing import dear
    from thalweg.lab.comparing.compare import Contest
    from thalweg.lab.comparing.forecast import words

    console, found = Screen(stderr=True), []
    new = dear.unknown(contests, out)
    with stage(console, "timing") as update:
        if new:
            _compile(contests, lambda text: console.print(text, markup=False, highlight=False), update)
            console.print(f"timing {new} steps: about {words(new * dear.EACH)}", highlight=False)
        for contest in contests:
            update(f"timing a step of each rule on {contest.problem.name}")
            mine, rules = contest.settings, contest.settings.source.load_rules()
            each = dear.budgets(contest.problem, [rules[name] for name in mine.rules], mine.budget, mine.batch_size, out)
            found.append(Contest.of(mine, contest.problem, rules, each))
    return found


def _compile(contests: Sequence[Contest], tell: Callable[[str], None], report: Callable[[str], None]) -> None:
    """The kernels that were never compiled on this machine; how long it will take is told first."""
    from thalweg.lab.comparing import beforehand
    from thalweg.lab.comparing.forecast import words

    if kernels := beforehand.missing(contests):
        seconds = words(beforehand.compile_seconds(len(kernels)))
        tell(f"compiling {len(kernels)} kernel{'s' if len(kernels) > 1 else ''}, once on this machine: about {seconds}")
        beforehand.compile_all(kernels, report)


def _learn_report(seconds: float, found: dict[str, Any]) -> None:
    """What was taken for step costs and the report, for the next forecast."""
    from thalweg.lab.comparing.beforehand import learn, per_row

    learn(row=per_row(seconds, sum(len(each["rules"]) for each in found.get("problems", [found]))))


def _run(contests: Sequence[Contest], out: Path, given: dict[str, Any]) -> tuple[list[dict[str, float | None]], float]:
    """All trials; afterwards what a step costs, on each problem, and when (on the clock) the last trial had ended."""
    from thalweg.lab.comparing.beforehand import learn
    from thalweg.lab.comparing.compare import run
    from thalweg.lab.comparing.step_cost import remembered_step_costs
    from thalweg.lab.running.engines import engine
    from thalweg.lab.running.workers import Processes
    from thalweg.lab.store.export import refresh_parquet
    from thalweg.lab.store.records import FILE
    from thalweg.lab.store.store import Store, dropped

    isolated = any(contest.settings.source.holds_code for contest in contests)
    jobs = min(given["jobs"] or _cores(), sum(contest.programs for contest in contests))  # a process takes a while to begin
    kept = Store(out / FILE)
    if kept.dropped:
        say(dropped(kept.path, kept.dropped))
    costs = []
    ended = time.perf_counter()
    try:
        with ComparisonProgress(Screen(stderr=True), contests) as progress:
            with engine(given["engine_name"], jobs, given["cluster"], isolated=isolated, patience=given["wait"]) as by:
                told = functools.partial(_tell, progress, contests, by)
                run(contests, kept, progress.report, by, told)
                if isinstance(by.executor, Processes) and by.executor.seconds_to_start:
                    learn(process=by.executor.seconds_to_start)
            ended = time.perf_counter()
            with _writing(out):
                for contest in contests:
                    progress.say(f"measuring the cost of a step on {contest.problem.name}")
                    source, rules = contest.settings.source, contest.settings.source.load_rules()
                    some = [rules[entrant.rule.name] for entrant in contest.entrants if entrant.compared and not entrant.failure]
                    costs.append(remembered_step_costs(source, contest.problem, some, rules["sgd"], out))
                progress.say("writing the trials")
                refresh_parquet(kept, out / "trials.parquet")
    finally:
        kept.close()
    return costs, ended


def _tell(progress: ComparisonProgress, contests: Sequence[Contest], by: Engine, stored: Mapping[tuple[str, str], int]) -> None:
    """How long it will take, before it begins."""
    from thalweg.lab.comparing.forecast import forecast

    if sum(stored.values()) < sum(contest.trials for contest in contests):
        _compile(contests, progress.tell, progress.say)
        progress.say("timing a step of each")
    progress.tell(forecast(contests, stored, by).sentence(by.jobs))


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chosen(names: str | None, rules: dict[str, Any]) -> tuple[str, ...] | None:
    """The rules that were named, and the user's own; None where none were named."""
    from thalweg.methods import rules as catalogue

    if names is None:
        return None
    if names == ALL:
        return tuple(rules)
    chosen: list[str] = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        try:
            rule = rules[name] if name in rules else catalogue[name]
        except KeyError as error:
            raise Refusal(str(error.args[0])) from error
        chosen.append(rule.name)
    own = [name for name in rules if name not in catalogue]
    if not chosen:
        raise Refusal("--rules names no optimizer; write for example --rules sgd,momentum,adam")
    return tuple(dict.fromkeys(chosen + own))


def _writable(out: Path) -> Path:
    """The output folder, made if need be and tried out. Raises Refusal where nothing can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise Refusal(f"{out}: cannot write there ({error.strerror}); choose another folder with --out") from error
    return out


@contextlib.contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Raises Refusal where what is made of the trials cannot be written."""
    try:
        yield
    except OSError as error:
        why = error.strerror or in_a_line(error)
        raise Refusal(
            f"{out}: cannot write the report there ({why}); all trials are kept, and the same command writes it"
        ) from error
