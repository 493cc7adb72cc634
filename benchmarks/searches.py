"""How near both searches of `thalweg compare` come to the best of a bowl without noise. `python -m benchmarks.searches`.

The bowl is one in decades, its bottom somewhere in the middle of the ranges, and a learning rate a factor of five above the
best diverges. It says what a search can do, not what it does on a network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import click
import numpy as np
from rich.console import Console
from rich.progress import track

import thalweg as tw
from thalweg.lab.protocol import tune
from thalweg.lab.protocol.adaptive import proposed
from thalweg.lab.protocol.searches import Search, quasi_random
from thalweg.lab.protocol.tune import Axis, End, Setting, Space

RANGE = (1e-4, 1.0)
CLIFF = 0.7  # decades
BOWLS = 40
DIVERGED: End = (math.inf, math.inf)


@click.command()
@click.option(
    "--bowls", type=click.IntRange(1), default=BOWLS, show_default=True, help="How many, each with its own best setting."
)
def main(bowls: int) -> None:
    """How near both searches of `thalweg compare` come, by as many trials, to the best of a bowl without noise."""
    print("tuned          trials  off, quasi-random   off, Optuna   Optuna nearer in")
    for what, axes in (("learning rate", ()), ("all of Adam's", tune.axes(tw.adam))):
        for budget in (6, 12, 24, 48):
            seeds = track(range(bowls), f"{what}, {budget} trials", console=Console(stderr=True), transient=True)
            ours, theirs = np.array([pair(seed, budget, axes) for seed in seeds]).T
            told = f"{np.median(ours):17.3f}   {np.median(theirs):11.3f}   {(theirs < ours).sum():7} of {bowls}"
            print(f"{what:14} {budget:6}  {told}", flush=True)


def pair(seed: int, budget: int, axes: tuple[Axis, ...]) -> tuple[float, float]:
    """How many decades off the best setting of each search is, in one bowl."""
    draw = np.random.default_rng(seed)
    best = [math.log10(RANGE[0]) + draw.uniform(0.125, 0.875) * math.log10(RANGE[1] / RANGE[0])]
    best += [draw.uniform(math.log10(axis.low), math.log10(axis.high)) for axis in axes]
    space = Space(RANGE, budget, axes, draws=f"bowl {seed}")

    def by_optuna(space: Space, ends: dict[Setting, End], spent: int) -> list[Setting]:
        return proposed(space, ends, spent, seed_of=lambda draws, spent: 1000 * seed + spent)

    return off(quasi_random, space, best), off(by_optuna, space, best)


def off(search: Search, space: Space, best: Sequence[float]) -> float:
    ends: dict[Setting, End] = {}
    while more := search(space, ends, len(ends)):
        ends.update({setting: end(space, setting, best) for setting in more})
    return min(ends.values())[0]


def end(space: Space, setting: Setting, best: Sequence[float]) -> End:
    """The distance in decades; each of the other hyper-parameters counts half of what the learning rate does."""
    values = [1 - x if axis.complement else x for axis, (_, x) in zip(space.axes, setting.hyper, strict=True)]
    rate, *others = np.log10([setting.lr, *values]) - best
    return DIVERGED if rate > CLIFF else (float(np.hypot(rate, 0.5 * np.linalg.norm(others))), 0.0)


if __name__ == "__main__":
    main()
