"""`thalweg lab merge`: join the trial stores of several machines."""

from __future__ import annotations

from pathlib import Path

import click

from thalweg.commands.lazy import attribute
from thalweg.commands.types import PLACE
from thalweg.lab.refusal import plain, writable
from thalweg.lab.store.records import FILE


@click.command("merge")
@click.argument("sources", nargs=-1, required=True, type=PLACE)
@click.option("--out", required=True, type=PLACE, help="Folder for the merged trials. It may already hold some.")
def merge_command(sources: tuple[Path, ...], out: Path) -> None:
    """Merge the trials in SOURCES, result folders of `thalweg compare`, into one folder.

    `thalweg compare --out` with that folder then finds all of them. A trial that is in several folders counts once. If
    its copies differ, the first is kept and the number of such trials is reported.
    """
    writable(out)
    merge = attribute("thalweg.lab.store.merge:merge")  # imports SciPy
    for source, joined in zip(sources, merge(sources, out), strict=True):
        click.echo(plain(f"{source}: {joined.added} trials added, {joined.alike} were there already"))
        if joined.damaged:
            click.echo(f"{source}: {joined.damaged} damaged records are left out; they can be run again", err=True)
        if joined.differ:
            click.echo(
                f"{source}: {joined.differ} trials came out differently though they claim to be the same (for example "
                f"{joined.example}); the first ones are kept. Machines may round differently: do not mix them in one comparison",
                err=True,
            )
    click.echo(plain(f"Trials: {out / FILE}"))
