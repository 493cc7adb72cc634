"""`thalweg compare`: train, tune, rank, report."""

from __future__ import annotations

import contextlib
import shlex
import sys
from typing import Any

import click

from thalweg import lab
from thalweg.commands.comparison_progress import ComparisonProgress
from thalweg.commands.screen import Screen, say_first
from thalweg.commands.types import PLACE, Many, Seconds
from thalweg.lab import problems
from thalweg.lab.plain import plain
from thalweg.lab.running.executors import NAMES
from thalweg.lab.running.output_capture import Tail

MOST = 1_000_000
"""Trials of a comparison on one problem; more settings or seeds cannot be asked for."""
WIDTH = 160  # columns of the table where nobody watches


@click.command("compare")
@click.option("--problem", help="A problem of the lab's, or a Python file with one of yours; digits unless told.")
@click.option("--suite", help="Several problems at once, and what they come to together: small, tiny.")
@click.option("--data", type=PLACE, help="Your own data: a .csv, .parquet or .npz file (npz: keys x and y).")
@click.option("--target", help="The column to predict, for csv and parquet.")
@click.option(
    "--task", type=click.Choice(["classification", "regression"]), help="What to do with the target, if not as it looks."
)
@click.option("--rules", metavar="A,B,C", help="The optimizers to compare, or all.  [default: twenty well-known ones]")
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
    metavar="A,B",
    help="How the rate changes: constant, linear, cosine, wsd (warm-up, stable, decay); of several, each trial draws one.",
)
@click.option("--seeds", type=Many(1, MOST), help="Fresh seeds on which each winner is judged.  [default: 15]")
@click.option("--steps", type=Many(1, 1_000_000_000), help="Steps of each trial.  [default: the problem's]")
@click.option("--batch-size", type=Many(1, 1_000_000_000), help="Samples in a mini-batch.  [default: the problem's]")
@click.option("--out", type=PLACE, help="Folder for the trials and the report.  [default: thalweg-results/PROBLEM]")
@click.option("--jobs", type=Many(1, 1000), help="Processes at once.  [default: one a core]")
@click.option("--engine", type=click.Choice(NAMES), default="processes", help="Who runs the trials.  [default: processes]")
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
    screen = sys.stdout  # what a file of the user's prints meanwhile is no result
    command = plain(shlex.join(["thalweg", *sys.argv[1:]]))
    try:
        where = given["suite"] or given["data"] or given["problem"] or "digits"
        say_first(f"Comparing optimizers on {where}; the answer stands at the end.")
        with contextlib.redirect_stdout(Tail()), ComparisonProgress(Screen(stderr=True)) as progress:
            found = lab.compare(**given, progress=progress, command=command)
    except KeyboardInterrupt:
        click.echo("Stopped. The finished trials are kept; the same command goes on from here.", err=True)
        sys.exit(130)
    wide = Screen(file=screen, width=None if screen.isatty() else WIDTH)
    table, answer = found.tables(wide.width)
    wide.print(table)
    wide.print()
    wide.print(answer)
    wide.print(f"\nReport   {found.report}", markup=False, highlight=False, soft_wrap=True)
    wide.print(f"Again    {command}", markup=False, highlight=False, soft_wrap=True)
    if found.failure:
        raise click.ClickException(found.failure)


def _list_problems() -> None:
    for name in problems.names():
        click.echo(f"{name:22} {problems.about(name)}")
