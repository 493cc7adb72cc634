"""`thalweg compare`: train, tune, rank, report."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from thalweg import lab
from thalweg.commands.comparison_progress import ComparisonProgress
from thalweg.commands.screen import Screen, began, say_first
from thalweg.commands.types import PLACE, Hours, Many, Real, Seconds
from thalweg.lab import problems
from thalweg.lab.refusal import Stopped, plain
from thalweg.lab.running.executors import NAMES
from thalweg.lab.running.output_capture import Tail

MOST = 1_000_000
"""The largest number of trials on one problem, and so of settings or seeds."""
WIDTH = 160  # columns of the table when the output is no terminal


@click.command("compare")
@click.option(
    "--train",
    metavar="FILE[:FUNCTION]",
    help="Compare on a training function of your own: a Python file, and the function's name if it is not train.",
)
@click.option("--hours", type=Hours(0.001, 10_000), help="Time for a training function: settings and seeds are those that fit.")
@click.option(
    "--better",
    type=click.Choice(["higher", "lower"]),
    help="Which scores of the training function are better.  [default: higher]",
)
@click.option("--problem", help=f"A built-in problem, or a Python file that defines one.  [default: {problems.USUAL}]")
@click.option("--suite", help="Run a suite of problems (small, full, tiny) and aggregate the results.")
@click.option(
    "--data",
    type=PLACE,
    help="Train on your own data: a file with a table (.csv, .tsv, .txt, .parquet) or with arrays x and y (.npz).",
)
@click.option("--target", help="The column of --data to predict, if it is a table.")
@click.option("--ignore", metavar="COLUMN", multiple=True, help="Leave out this column of --data. May be repeated.")
@click.option("--strict", is_flag=True, help="Refuse --data with anything doubtful, instead of repairing it and saying how.")
@click.option(
    "--task",
    type=click.Choice(["classification", "regression"]),
    help="The task, if it cannot be inferred from the target column.",
)
@click.option(
    "--rules", metavar="A,B,C", help="The optimizers to compare, separated by commas, or all.  [default: twenty well-known ones]"
)
@click.option(
    "--my-rule",
    type=PLACE,
    metavar="FILE[:NAME]",
    multiple=True,
    help="Also compare the rules in this Python file, or the one of this name. May be repeated.",
)
@click.option("--budget", type=Many(1, MOST), help="Learning rates tried for each optimizer; 8 in a suite.  [default: 12]")
@click.option(
    "--blocks",
    type=Many(1, 1000),
    help="Repeat the comparison in so many blocks, such as 8, each tuned anew on another split, so that verdicts include how "
    "these vary.  [default: 1]",
)
@click.option(
    "--tune",
    type=click.Choice(["lr", "all"]),
    default="lr",
    show_default=True,
    help="Tune the learning rate alone, or every numeric hyper-parameter.",
)
@click.option(
    "--search",
    type=click.Choice(["quasi-random", "optuna"]),
    default="quasi-random",
    show_default=True,
    help="Search method: settings spread in advance, or proposed by Optuna (adaptive, so tuning is unequal).",
)
@click.option(
    "--ranges",
    type=click.Choice(["declared", "measured"]),
    default="declared",
    show_default=True,
    help="Ranges of learning rates: each optimizer's own, or moved to where the bank's best rates on other data surely are.",
)
@click.option(
    "--early-stopping",
    type=click.Choice(["halving", "none"]),
    help="Of a training function: stop the worse half of each optimizer's first tuning runs after an eighth of the steps, or "
    "none.  [default: halving with --hours, otherwise none]",
)
@click.option(
    "--schedule",
    default="constant",
    show_default=True,
    metavar="A,B",
    help="Learning-rate schedule: constant, linear, cosine, wsd (warm-up, stable, decay). If several, each trial draws one.",
)
@click.option(
    "--seeds",
    type=Many(1, MOST),
    help="Fresh seeds on which each tuned optimizer is judged; 5 in a suite, 2 in each of several blocks.  [default: 15]",
)
@click.option(
    "--margin",
    type=Real(0),
    help="Difference of scores that does not matter; of shares, percentage points.  [default: what the test data cannot show]",
)
@click.option("--steps", type=Many(1, 1_000_000_000), help="Steps per trial.  [default: the problem's]")
@click.option("--batch-size", type=Many(1, 1_000_000_000), help="Samples per mini-batch.  [default: the problem's]")
@click.option(
    "--log", metavar="A,B", help="Also log the results: tensorboard, mlflow, or both, where their libraries are installed."
)
@click.option("--out", type=PLACE, help="Folder for trials, results and report.  [default: thalweg-results/PROBLEM]")
@click.option("--jobs", type=Many(1, 1000), help="Number of parallel processes.  [default: one per core, or per device]")
@click.option(
    "--devices",
    metavar="A,B",
    help="Devices of a training function's trials, such as cuda:0,cuda:1: one trial at a time on each.  [default: all see all]",
)
@click.option(
    "--engine", type=click.Choice(NAMES), default="processes", help="Executor that runs the trials.  [default: processes]"
)
@click.option("--cluster", metavar="tcp://HOST:8786", help="Address of a running dask scheduler, whose workers run the trials.")
@click.option("--wait", type=Seconds(1, 1_000_000), help="Seconds to wait for a cluster without workers.  [default: 120]")
@click.option(
    "--timeout", type=Seconds(1, 1_000_000), help="Seconds after which a chunk of trials counts as hung.  [default: 900]"
)
@click.option(
    "--lanes",
    type=click.Choice(["numpy", "jax"]),
    default="numpy",
    help="Backend that runs trials as lanes of one program.  [default: numpy]",
)
@click.option(
    "--report", is_flag=True, help="Run nothing: report the trials that the same command has finished so far, in the same folder."
)
@click.option("--problems", is_flag=True, help="List the built-in problems and exit.")
def compare_command(**given: Any) -> None:
    """Compare optimizers fairly on a problem and recommend one.

    Each optimizer gets the same number of tuning trials within its own range of learning rates, is tuned on validation
    data, and is judged on test data with fresh seeds. Finished trials are stored: the same command resumes after a stop.
    """
    if given.pop("problems"):
        _list_problems()
        return
    screen = sys.stdout  # anything the user's file prints is kept out of the results
    command = plain(shlex.join(["thalweg", *sys.argv[1:]]))
    try:
        where = given["train"] or given["suite"] or given["data"] or given["problem"] or problems.USUAL
        say_first(f"Comparing optimizers on {where}; the answer stands at the end.")
        with contextlib.redirect_stdout(Tail()), ComparisonProgress(Screen(stderr=True)) as progress:
            found = lab.compare(**given, progress=progress, command=command, begun=began())
    except KeyboardInterrupt as stop:
        click.echo("Stopped. The finished trials are kept; the same command goes on from here.", err=True)
        if isinstance(stop, Stopped):
            click.echo(f"Report of what is finished   {stop.report}", err=True)
        sys.exit(130)
    wide = Screen(file=screen, width=None if screen.isatty() else WIDTH)
    table, answer = found.tables(wide.width)
    wide.print(table)
    wide.print()
    wide.print(answer)
    report = found.report
    with contextlib.suppress(ValueError):
        report = report.relative_to(Path.cwd())
    wide.print(f"\nReport   {report}", markup=False, highlight=False, soft_wrap=True)
    wide.print(f"Again    {command}", markup=False, highlight=False, soft_wrap=True)
    if found.failure:
        raise click.ClickException(found.failure)


def _list_problems() -> None:
    for name in problems.names():
        click.echo(f"{name:22} {problems.about(name)}")
