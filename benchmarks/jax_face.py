"""`python -m benchmarks.jax_face`: whole steps of `thalweg.jax` beside optax's, jitted and donated, as ratios with intervals."""

from __future__ import annotations

import functools
import gc
import math
import operator
from collections.abc import Callable
from typing import Any

import click
import jax
import numpy as np
import optax
from rich.console import Console
from rich.progress import Progress

import thalweg.jax as tj
from benchmarks import rivals, shapes, timing
from benchmarks.__main__ import CORES, machine
from thalweg.dialects import OPTAX

RATES = {"adadelta": 1.0}
"""The learning rate of all others is 1e-3."""
NUMBERS = 1_600_000
"""What is timed at once goes through so many parameters, by as many steps as that takes, the same for both."""


def hollow(params: Any) -> Any:
    """A loss, for who looks at its curvature."""
    return sum(jax.numpy.cosh(x).sum() for x in jax.tree.leaves(params))


def transformation(library: Any, name: str) -> Any:
    """The library's `name` ("contrib.name": of its contrib)."""
    return operator.attrgetter(name)(library)(RATES.get(name, 1e-3))


def program(library: Any, name: str) -> tuple[Any, Callable[..., Any]]:
    """Such a transformation, and a whole step of it.

    All are handed a loss and its function: who does not ask for them has them left out of the program.
    """
    tx = optax.with_extra_args_support(transformation(library, name))

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def update(params: Any, state: Any, grads: Any, value: Any) -> Any:
        updates, state = tx.update(grads, state, params, value=value, obj_fn=hollow)
        return optax.apply_updates(params, updates), state

    return tx, update


def steps_of(tx: Any, update: Callable[..., Any], listed: shapes.Shapes) -> Callable[[], object]:
    """Whole steps on parameters and state of their own."""
    params, grads = (tuple(map(jax.numpy.array, arrays)) for arrays in rivals.data(listed))
    held = jax.tree.map(jax.numpy.array, [params, tx.init(params)])  # copies: what is donated may be in one place only
    value = jax.numpy.array(1.0)

    def steps() -> None:
        for _ in range(min(64, math.ceil(NUMBERS / sum(map(math.prod, listed))))):
            held[:] = jax.block_until_ready(update(*held, grads, value))

    return steps


def measure(name: str, list_name: str, rounds: int) -> timing.Ratio:
    """How often a step of ours goes into optax's, and the 95 % interval.

    Whose arrays are made first lie elsewhere in memory, which alone is worth 10 % at times: each is first in half of the rounds.
    """
    listed = shapes.named(list_name)
    programs = {"ours": program(tj, name), "optax": program(optax, name)}
    times: dict[str, list[np.ndarray]] = {"ours": [], "optax": []}
    for order in (["ours", "optax"], ["optax", "ours"]):
        contestants = {who: steps_of(*programs[who], listed) for who in order}
        for who, found in timing.rounds(contestants, math.ceil(rounds / 2), lambda: None).items():
            times[who].append(found)
        del contestants  # before the next are made: they are large
    return timing.ratio(*(np.concatenate(times[who]) for who in ("optax", "ours")))


@click.command()
@click.option("--rules", default=",".join(OPTAX), help="Names of optax, with commas between.")
@click.option("--shapes", "lists", default="16M,200x1000,network", show_default=True, help=f"Of {', '.join(shapes.LISTS)}.")
@click.option("--rounds", type=click.IntRange(5), default=22, show_default=True, help="Interleaved rounds.")
def main(rules: str, lists: str, rounds: int) -> None:
    """Whole steps of `thalweg.jax` beside optax's, jitted, as optax's time over ours: above 1, ours is faster."""
    names, columns = rules.split(","), lists.split(",")
    for chosen, known in ((names, OPTAX), (columns, shapes.LISTS)):
        unknown = set(chosen) - set(known)
        if unknown:
            raise click.BadParameter(f"{', '.join(sorted(unknown))}: wanted of {', '.join(known)}")
    console = Console(width=None)
    console.print(machine(CORES), soft_wrap=True)
    console.print(f"\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}", soft_wrap=True)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(names) * len(columns))
        for name in names:
            cells = []
            for column in columns:
                progress.update(task, description=f"{name}, {column}")
                cells.append(str(measure(name, column, rounds)))
                progress.advance(task)
                gc.collect()
            console.print(f"| `{name}` | {' | '.join(cells)} |", soft_wrap=True)


if __name__ == "__main__":
    main()
