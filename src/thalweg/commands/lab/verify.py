"""`thalweg lab verify`: check the lab against known results."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich import box
from rich.table import Table
from rich.text import Text

from thalweg.commands.heartbeat import stage
from thalweg.commands.screen import Screen, say_first
from thalweg.commands.types import PLACE
from thalweg.lab.refusal import Refusal, writable
from thalweg.lab.verify import page
from thalweg.lab.verify.check import Check
from thalweg.lab.verify.run import CHECKS, run


@click.command("verify")
@click.option("--quick", is_flag=True, help="Run smaller versions of the checks: seconds instead of minutes.")
@click.option(
    "--only",
    metavar="A,B",
    help="Run these checks only: algoperf, momentum, heavy_tails, controls, early_stopping, untuned, advice.",
)
@click.option(
    "--out",
    type=PLACE,
    default=Path("thalweg-results/verify"),
    show_default=True,
    help="Folder for verify.html, verify.md and verify.json.",
)
def verify_command(quick: bool, only: str | None, out: Path) -> None:
    """Check the lab against published results, closed forms and its own guarantees.

    Prints found and expected values side by side and writes verify.html, verify.md and verify.json. Exits with code 1 if
    a check fails.
    """
    names = [name.strip() for name in only.split(",")] if only else list(CHECKS)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise Refusal(f"--only: there is no check '{unknown[0]}'; there are {', '.join(CHECKS)}")
    writable(out)  # fail before minutes of work
    say_first(f"Checking the lab: {', '.join(names)}. The results follow.")
    notes, wide = Screen(stderr=True), Screen(width=None if sys.stdout.isatty() else 160)
    with stage(notes, "checking") as update:

        def say(text: str) -> None:
            update(text)
            if not notes.is_terminal:
                notes.print(text, markup=False, highlight=False, soft_wrap=True)

        checks = []
        for check in run(names, quick, say):
            wide.print(_table(check))
            wide.print(check.conclusion, "\n", markup=False, highlight=False, soft_wrap=True)
            checks.append(check)
    page.write(checks, quick, out)
    failed = [check.name for check in checks if not check.holds]
    wide.print(f"Page: {out / 'verify.html'}", markup=False, highlight=False, soft_wrap=True)
    if failed:
        raise click.ClickException(f"failed: {', '.join(failed)}")


def _table(check: Check) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=check.title, title_justify="left")
    for title, side in (
        ("what", "left"),
        ("found", "right"),
        ("expected", "right"),
        ("difference", "right"),
        ("", "left"),
        ("remark", "left"),
    ):
        made.add_column(title, justify=side)  # type: ignore[arg-type]
    for line in check.lines:
        made.add_row(*(Text(cell) for cell in page.cells(line)))
    return made
