"""`python -m benchmarks`: whole steps beside rivals, as ratios."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import warnings
from importlib.metadata import version

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import thalweg as tw
from benchmarks import rivals, shapes, timing

NEAR = 1e-4


def machine(threads: int) -> str:
    """What it was measured on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "torch", "jax", "optax"))
    return f"{model}, {threads} threads; Python {platform.python_version()}, {libraries}; thalweg {tw.__version__}"


def agree(rule: str, rival: str) -> bool:
    """Whether three steps on a small network lead a rival where they lead us."""
    pair = [make(rule, shapes.network(), 1) for make in (rivals.ours, rivals.RIVALS[rival])]
    for contestant in pair:
        for _ in range(3):
            contestant.step()
    return all(np.allclose(a, b, rtol=NEAR, atol=NEAR * 1e-2) for a, b in zip(pair[0].params(), pair[1].params(), strict=True))


def measure(rule: str, name: str, against: list[str], threads: int, count: int, progress: Progress) -> list[str]:
    """A row of the table: our fraction of the floor, then each rival as a multiple of ours."""
    listed = shapes.named(name)
    steps, notes = {"ours": rivals.ours(rule, listed, threads).step}, {}
    for rival in against:
        try:
            if not rivals.has(rival, rule):
                notes[rival] = "has none"
            elif rival != "floor" and not agree(rule, rival):
                notes[rival] = "another algorithm"
            else:
                steps[rival] = rivals.RIVALS[rival](rule, listed, threads).step
                steps[rival]()
        except Exception as error:  # a rival that cannot run is no reason to stop
            steps.pop(rival, None)
            notes[rival] = type(error).__name__
    task = progress.add_task(f"{rule}, {name}", total=count)
    times = timing.rounds(steps, count, lambda: progress.advance(task))
    progress.remove_task(task)
    cells = [rule]
    for rival in against:
        if rival in notes:
            cells.append(notes[rival])
            continue
        up, down = ("floor", "ours") if rival == "floor" else (rival, "ours")
        cells.append("{:.2f} [{:.2f}, {:.2f}]".format(*timing.ratio(times[up], times[down])))
    steps.clear()
    gc.collect()
    return cells


def _listed(text: str, known: list[str], what: str) -> list[str]:
    chosen = [word.strip() for word in text.split(",")] if text else known
    for word in chosen:
        if word not in known:
            raise click.BadParameter(f"{word!r} is none of {', '.join(known)}", param_hint=what)
    return chosen


@click.command()
@click.option(
    "--rules", "chosen_rules", default="", help="Names of rules, with commas between; all that have a kernel otherwise."
)
@click.option("--shapes", "chosen_shapes", default="", help=f"Of {', '.join(shapes.LISTS)}; all otherwise.")
@click.option("--against", default="", help=f"Of {', '.join(rivals.RIVALS)}; all otherwise.")
@click.option("--threads", default=len(os.sched_getaffinity(0)), show_default=True, help="Threads for everybody.")
@click.option("--rounds", default=15, show_default=True, help="Interleaved rounds.")
@click.option("--markdown", is_flag=True, help="Print Markdown tables.")
def main(chosen_rules: str, chosen_shapes: str, against: str, threads: int, rounds: int, markdown: bool) -> None:
    """Whole optimizer steps in float32, each rival as a multiple of ours (above 1 it is slower); the floor as a share of ours."""
    os.environ["NUMBA_NUM_THREADS"] = str(threads)
    warnings.simplefilter("ignore")
    rules = _listed(chosen_rules, list(rivals.rules()), "--rules")
    names = _listed(chosen_shapes, list(shapes.LISTS), "--shapes")
    others = _listed(against, list(rivals.RIVALS), "--against")
    console = Console(width=None if markdown else 200)
    console.print(machine(threads), soft_wrap=True)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for name in names:
            rows = [measure(rule, name, others, threads, rounds, progress) for rule in rules]
            heads = [name, *("share of the floor" if other == "floor" else other for other in others)]
            if markdown:
                console.print("\n".join(["", _line(heads), _line(["---"] * len(heads)), *map(_line, rows)]), soft_wrap=True)
            else:
                table = Table(*heads)
                for row in rows:
                    table.add_row(*row)
                console.print(table)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
