"""`thalweg race`: optimizers on a test surface, drawn as a picture, an animation or a page."""

from __future__ import annotations

from typing import Any

import click

from thalweg.commands.lazy import attribute
from thalweg.commands.race_arguments import Asked
from thalweg.commands.screen import say_first
from thalweg.commands.types import PLACE, WholeNumber


@click.command("race")
@click.argument("surface", default="quartic")
@click.option("--rules", "names", metavar="A,B,C", help="The optimizers that race, separated by commas.  [default: all]")
@click.option("--show", metavar="A,B,C",
              help="The optimizers in colour; the others are grey.  [default: yours and the best, eight in all]")  # fmt: skip
@click.option("--my-rule", type=PLACE, metavar="FILE[:NAME]", multiple=True,
              help="Also race the rules in this Python file, or the one of this name. May be repeated.")  # fmt: skip
@click.option(
    "--steps", type=WholeNumber(1, 100_000), help="Steps of each optimizer.  [default: the surface's own; quartic: 100]"
)
@click.option("--lr", default="tuned", show_default=True, metavar="tuned|default|NUMBER",
              help="Each rule's tuned learning rate, its default, or this number for all.")  # fmt: skip
@click.option("--start", metavar="X[,Y]", help="The starting point.  [default: the surface's own]")
@click.option("--seed", type=WholeNumber(0), default=0, show_default=True,
              help="Seed of the tuning copies of the surface and of rules that draw random numbers.")  # fmt: skip
@click.option("--error", type=click.Choice(["value", "distance"]), default="value", show_default=True,
              help="Quantity in the error curves: f - f_min, or the distance to the nearest minimum.")  # fmt: skip
@click.option("--out", type=PLACE, metavar="FILE",
              help="Output file: .png, .gif or .html.  [default: race-SURFACE.png]")  # fmt: skip
def race_command(**given: Any) -> None:
    """Race optimizers on a test surface, all from the same start.

    SURFACE is quartic, saddle, rosenbrock, ravine, ...; an unknown name prints the list of all of them.

    Each optimizer's learning rate is the one, of equally many in its own range, with the lowest median final loss on 25
    randomly rotated and shifted copies of the surface; the drawn surface is not among them. Success is the share of 50
    further copies on which that rate ends near the minimum.

    To move the start and the numbers yourself: thalweg playground.
    """
    asked = Asked.of(given)
    say_first(f"Racing optimizers on {asked.surface.name}; the table follows.")
    attribute("thalweg.commands.racing:race_and_write")(asked)
