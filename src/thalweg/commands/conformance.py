"""`thalweg conformance`: which library's X is which paper's X."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich import box
from rich.table import Table
from rich.text import Text

from thalweg.commands.heartbeat import stage
from thalweg.commands.screen import Screen, say_first
from thalweg.commands.types import PLACE
from thalweg.dialects.conformance import page
from thalweg.dialects.conformance.measure import Library, Line, installed, library, measured
from thalweg.dialects.method import LIBRARIES, dialect, plain
from thalweg.form.hyper import nearest
from thalweg.lab.refusal import Refusal

WIDTH = 200  # columns when the output is no terminal


@click.command("conformance")
@click.argument("libraries", nargs=-1, metavar="[LIBRARY]...")
@click.option("--only", metavar="A,B,C", help="Compare only the optimizers of these names, in any library.")
@click.option("--html", type=PLACE, metavar="FILE", help="Also write the table as a page of HTML.")
@click.option("--json", "as_json", type=PLACE, metavar="FILE", help="Also write the table as JSON, in full precision.")
@click.option("--markdown", type=PLACE, metavar="FILE",
              help="Also write the table as Markdown; into a page with its marks, between them.")  # fmt: skip
def conformance_command(
    libraries: tuple[str, ...], only: str | None, html: Path | None, as_json: Path | None, markdown: Path | None
) -> None:
    """Compare the optimizers of other libraries with the papers' rules, and with what thalweg.dialect says of them.

    LIBRARY is torch, optax, keras, tf1, chainer, mlx, timm, pytorch_optimizer or heavyball. Without one, all that are installed
    here are compared; nothing is installed. Exits with code 1 if an optimizer computes something else than the rows here say.
    """
    names = chosen(libraries)
    wanted = among(only)
    for asked in filter(None, (html, as_json, markdown)):
        if not asked.absolute().parent.is_dir():
            raise Refusal(f"{asked}: there is no folder {asked.absolute().parent}")
    say_first(f"Comparing {', '.join(names)}. The table follows.")
    screen, lines = Screen(width=None if sys.stdout.isatty() else WIDTH, highlight=False), []
    for one in imported(names, screen):
        notes = Screen(stderr=True)
        with stage(notes, f"comparing {one.dialect.library}"):
            found = measured(one, wanted)
        lines += found
        if found:
            screen.print(table(f"{one.dialect.library} {one.version}", found))
    if not lines:
        raise Refusal(f"none of {', '.join(names)} has an optimizer of these names" if only else "nothing could be compared")
    screen.print(page.summary(lines), markup=False, soft_wrap=True)
    told = markdown.read_text("utf-8") if markdown is not None and markdown.exists() else ""
    texts = ((html, page.html), (as_json, page.as_json), (markdown, lambda lines: page.between(told, lines)))
    for path, text in texts:
        if path is not None:
            page.write(path, text(lines))
            screen.print(f"Written: {path}", markup=False, soft_wrap=True)
    if wrong := [f"{line.library}.{line.name}" for line in lines if line.verdict in ("open", "failed")]:
        raise click.ClickException(f"not as the rows here say: {', '.join(dict.fromkeys(wrong))}")


def _of_one(name: str) -> str:
    """What to write for the name of an optimizer."""
    known = {plain(each) for library in LIBRARIES for each in dialect(library)}
    return f"; of one optimizer: thalweg conformance --only {name}" if plain(name) in known else ""


def chosen(libraries: tuple[str, ...]) -> list[str]:
    """The libraries to compare. Raises Refusal for one that has no table or is not installed, and if none is."""
    names = [name.lower().replace("-", "_") for name in libraries]
    for said, name in zip(libraries, names, strict=True):
        if name not in LIBRARIES:
            raise Refusal(
                f"there is no table of {said!r}; there are {', '.join(LIBRARIES)}{nearest(name, LIBRARIES) or _of_one(name)}"
            )
        if not installed(name):
            raise Refusal(
                f"{name} is not installed here; this command compares what is, and installs nothing. What was measured is "
                "in docs/conformance.md"
            )
    found = list(dict.fromkeys(names)) or [name for name in LIBRARIES if installed(name)]
    if not found:
        raise Refusal(f"none of {', '.join(LIBRARIES)} is installed here; this command compares what is, and installs nothing")
    return found


def among(only: str | None) -> Callable[[str], bool]:
    """Whether an optimizer's name is among those of --only."""
    names = {plain(name.strip()) for name in (only or "").split(",")}
    return lambda name: only is None or plain(name) in names or plain(name.rpartition(".")[2]) in names


def imported(names: list[str], screen: Screen) -> Iterator[Library]:
    """Import the libraries one after the other; for one that cannot be imported print why."""
    for name in names:
        try:
            found = library(name)
        except Exception as error:
            screen.print(f"{name} cannot be imported: {type(error).__name__}: {error}", markup=False, soft_wrap=True)
        else:
            yield found


def table(title: str, lines: list[Line]) -> Table:
    """The rich table of a library."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=Text(title), title_justify="left")
    for name, side in zip(page.HEAD, ("left", "left", "right", "right", "left"), strict=True):
        made.add_column(name, justify=side)  # type: ignore[arg-type]
    for line in lines:
        made.add_row(*(Text(cell) for cell in page.cells(line)))
    return made
