"""`thalweg race`: optimizers on a surface, as a picture, an animation or a page."""

from __future__ import annotations

from typing import Any

import click

from thalweg.commands.lazy import attribute
from thalweg.commands.race_arguments import Asked
from thalweg.commands.screen import say_first
from thalweg.commands.types import PLACE, WholeNumber


@click.command("race")
@click.argument("surface", default="quartic")
@click.option("--rules", "names", metavar="A,B,C", help="The optimizers that race; all of them unless told.")
@click.option("--my-rule", type=PLACE, metavar="FILE", multiple=True,
              help="A Python file with a rule of your own; it joins the race.")  # fmt: skip
@click.option("--steps", type=WholeNumber(1, 100_000), help="Steps of each.  [default: the surface's own; quartic: 100]")
@click.option("--lr", default="tuned", show_default=True, metavar="tuned|default|NUMBER",
              help="The best of many from each rule's own range, each rule's own default, or one for all.")  # fmt: skip
@click.option("--start", metavar="X[,Y]", help="Where they start.  [default: the surface's own start]")
@click.option("--seed", type=WholeNumber(0), default=0, show_default=True,
              help="For the instances of the surface, and the rules that draw.")  # fmt: skip
@click.option("--error", type=click.Choice(["value", "distance"]), default="value", show_default=True,
              help="The error curves: f - f_min, or the distance to the nearest minimum.")  # fmt: skip
@click.option("--out", type=PLACE, metavar="FILE",
              help="A .png, .gif or .html file.  [default: race-SURFACE.png]")  # fmt: skip
def race_command(**given: Any) -> None:
    """Race optimizers on a test surface, all from the same start.

    SURFACE is quartic, saddle, rosenbrock, ravine, ...; any other word is answered with all of them.

    Learning rates are tuned, for every optimizer as many from its own range, by the median final loss on 25 randomly
    rotated and shifted copies of the surface, not the one drawn. Success is the share of 50 further copies on which
    that rate ends near the minimum.
    """
    asked = Asked.of(given)
    say_first(f"Racing optimizers on {asked.surface.name}; the table follows.")
    attribute("thalweg.commands.racing:race_and_write")(asked)
