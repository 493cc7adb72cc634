"""`thalweg curves`: training loss and score by epoch of a few optimizers, in one picture."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from thalweg import lab
from thalweg.commands.compare import MOST, WIDTH
from thalweg.commands.comparison_progress import ComparisonProgress
from thalweg.commands.screen import Screen, say_first
from thalweg.commands.types import PLACE, Many
from thalweg.lab.refusal import plain
from thalweg.lab.running.output_capture import Tail

RULES = "sgd,momentum,rmsprop,adam"
BUDGET, SEEDS = 8, 8
SUFFIXES = (".png", ".svg", ".pdf")


@click.command("curves")
@click.argument("problem", default="digits")
@click.option("--rules", default=RULES, show_default=True, metavar="A,B,C", help="The optimizers, separated by commas.")
@click.option("--my-rule", type=PLACE, multiple=True, help="Also the rules in this Python file. May be repeated.")
@click.option("--data", type=PLACE, help="Train on your own data instead: a .csv, .parquet or .npz file (npz: keys x and y).")
@click.option("--target", help="The column of --data to predict (csv and parquet).")
@click.option("--steps", type=Many(1, 1_000_000_000), help="Steps of a run.  [default: the problem's]")
@click.option("--batch-size", type=Many(1, 1_000_000_000), help="Samples per mini-batch.  [default: the problem's]")
@click.option(
    "--budget",
    type=Many(1, MOST),
    default=BUDGET,
    show_default=True,
    help="Learning rates tried for each optimizer, of which the best is drawn.",
)
@click.option("--seeds", type=Many(1, MOST), default=SEEDS, show_default=True, help="Runs of each optimizer that are drawn.")
@click.option("--jobs", type=Many(1, 1000), help="Number of parallel processes.  [default: one per core]")
@click.option("--out", type=PLACE, metavar="FILE", help="Output file: .png, .svg or .pdf.  [default: curves-PROBLEM.png]")
def curves_command(**given: Any) -> None:
    """Draw loss and accuracy by epoch of SGD, momentum, RMSprop and Adam, in one picture.

    PROBLEM is one of `thalweg compare --problems`, or a Python file that defines one. Each optimizer runs at the best of
    equally many learning rates in its own range, on several fresh seeds: the line is the median, the band the middle half. The
    trials and a report go into the folder thalweg-results/PROBLEM-curves.
    """
    problem = given.pop("problem")
    name = Path(given["data"] or problem).stem
    target = picture(Path(given.pop("out") or f"curves-{name}.png"))
    where = {} if given["data"] else {"problem": problem}
    command = plain(shlex.join(["thalweg", *sys.argv[1:]]))
    say_first(f"Training on {name}; the picture follows.")
    screen = sys.stdout  # anything the user's file prints is kept out of the results
    with contextlib.redirect_stdout(Tail()), ComparisonProgress(Screen(stderr=True)) as progress:
        found = lab.compare(
            **{**given, **where}, out=Path("thalweg-results") / f"{name}-curves", progress=progress, command=command
        )
    if found.failure:
        raise click.ClickException(found.failure)
    try:
        found.draw(target)
    except OSError as error:
        raise click.ClickException(f"--out {target} cannot be written: {error.strerror}") from None
    wide = Screen(file=screen, width=None if screen.isatty() else WIDTH)
    wide.print(found.tables(wide.width)[0])
    wide.print(f"\nwritten to {target}", markup=False, highlight=False, soft_wrap=True)


def picture(path: Path) -> Path:
    """Return the path of a picture to draw. Raises ClickException if it cannot become one."""
    if path.suffix.lower() not in SUFFIXES:
        raise click.ClickException(f"--out {path}: the file's name must end in .png, .svg or .pdf")
    if not path.parent.is_dir():
        raise click.ClickException(f"--out {path} cannot be written: there is no folder {path.parent}")
    return path
