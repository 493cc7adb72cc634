"""`thalweg playground`: optimizers to play with, in a page that opens from disk."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from pathlib import Path

import click

from thalweg.commands.lazy import attribute
from thalweg.commands.race_arguments import named
from thalweg.commands.types import PLACE
from thalweg.lab.refusal import Refusal
from thalweg.lab.user.my_rule import place
from thalweg.lab.user.user_file import refuse_missing
from thalweg.rule import Rule


@click.command("playground")
@click.option("--rules", "names", metavar="A,B,C", help="The optimizers to choose from, separated by commas.  [default: all]")
@click.option("--my-rule", type=PLACE, metavar="FILE[:NAME]", multiple=True,
              help="Also the rules in this Python file, or the one of this name. May be repeated.")  # fmt: skip
@click.option("--out", type=PLACE, default="playground.html", show_default=True, metavar="FILE", help="Output file: .html.")
@click.option("--open", "opened", is_flag=True, help="Also open the page in the browser.")
def playground_command(names: str | None, my_rule: tuple[Path, ...], out: str, opened: bool) -> None:
    """Write a page in which optimizers walk on surfaces, with a slider for each hyper-parameter.

    The page is one file, needs no network and opens from disk. Its steps are printed from the rules themselves, in JavaScript; so
    are those of --my-rule, as far as JavaScript has their words.
    """
    path = Path(out)
    if path.suffix.lower() not in (".html", ".htm"):
        raise Refusal(f"--out {path}: the file's name must end in .html")
    rules = None if names is None else named(names)
    text = attribute("thalweg.lab.playground:page")(rules=rules, own=_own(my_rule))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"--out {path} cannot be written: {error.strerror}") from None
    click.echo(f"written to {path}")
    if opened:
        webbrowser.open(path.resolve().as_uri())


def _own(paths: tuple[Path, ...]) -> Mapping[str, Rule]:
    """The user's rules by name. Raises Refusal for one that cannot run."""
    for path in paths:
        refuse_missing(place(path)[0])
    files = attribute("thalweg.lab.user.source:OwnFiles").of(paths)
    if files.lost:
        raise Refusal("; ".join(f"{name} cannot run: {reason}" for name, reason in files.lost))
    found: Mapping[str, Rule] = files.rules
    return found
