"""`thalweg lab bank`: measure every rule on every problem, for `thalweg advise`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from thalweg.commands.comparison_progress import ComparisonProgress
from thalweg.commands.screen import Screen, say_first
from thalweg.commands.types import PLACE, Many, Real
from thalweg.lab.api.bank import NAME, Asked, make
from thalweg.lab.refusal import plain, writable

MOST = 1000


@click.command("bank")
@click.option("--suite", default="full", show_default=True, help="The problems: full, small or tiny.")
@click.option("--rules", default="all", show_default=True, metavar="A,B,C", help="The optimizers, separated by commas, or all.")
@click.option("--budget", type=Many(1, MOST), default=8, show_default=True, help="Learning rates tried for each optimizer.")
@click.option("--seeds", type=Many(1, MOST), default=5, show_default=True, help="Fresh seeds on which each is judged.")
@click.option("--share", type=Real(0.001, 100), default=1.0, show_default=True,
              help="The share of each problem's usual steps that a trial runs.")  # fmt: skip
@click.option("--jobs", type=Many(1, MOST), help="Number of parallel processes.  [default: one per core]")
@click.option("--report", is_flag=True, help="Run nothing: distil the problems that the same command has finished so far.")
@click.option("--out", type=PLACE, default=Path("thalweg-results/bank"), show_default=True, help="Folder for trials and bank.")
def bank_command(**given: Any) -> None:
    """Measure every optimizer on every problem, and distil the results into a small file.

    `thalweg advise --bank FILE` then advises by it. The full bank takes hours: the first line says how many. Trials are
    stored, problem by problem, and the bank of the finished problems is written after each: stop it at any time, and the
    same command goes on.
    """
    out = writable(given.pop("out"))
    decides = [word for name in ("suite", "rules", "budget", "seeds", "share") for word in (f"--{name}", str(given[name]))]
    command = plain(shlex.join(["thalweg", "lab", "bank", *decides]))  # where it is written and by how many decides nothing
    say_first("Measuring optimizers for the bank; where it stands is said at the end.")
    try:
        with ComparisonProgress(Screen(stderr=True)) as progress:
            bank = make(Asked(**given), out, command, progress)
    except KeyboardInterrupt:
        click.echo("Stopped. The finished trials are kept; the same command goes on from here.", err=True)
        sys.exit(130)
    click.echo(plain(f"{len(bank.rules)} optimizers on {len(bank.problems)} problems, {len(bank.rows):,} rows"))
    click.echo(plain(f"Bank   {out / NAME}"))
