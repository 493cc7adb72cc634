"""`python -m benchmarks`: whole steps beside rivals, as ratios."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import platform
import warnings
from importlib.metadata import version
from importlib.util import find_spec

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import thalweg as tw
from benchmarks import rivals, shapes, timing

NEAR = 1e-4
CORES = len(os.sched_getaffinity(0))
MEMORY = 6e9
"""Bytes that all contestants of a heat may hold."""


def machine(threads: int) -> str:
    """What it was measured on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "torch", "jax", "optax") if find_spec(name))
    return f"{model}, {threads} threads; Python {platform.python_version()}, {libraries}; thalweg {tw.__version__}"


def agree(rule: str, rival: str, threads: int) -> bool:
    """Whether three steps on a small network lead a rival where they lead us, to NEAR of the way and a few roundings.

    The gradients are new at each step: on a constant one Adam, AMSGrad and AdaMax all walk by its sign.
    """
    listed = shapes.network()
    pair = [make(rule, listed, threads) for make in (rivals.ours, rivals.RIVALS[rival])]
    start, draw = rivals.data(listed)[0], np.random.default_rng(1)
    for _ in range(3):
        grads = [draw.standard_normal(s, np.float32) for s in listed]
        for contestant in pair:
            contestant.give(grads)
            contestant.step()
    for a, b, p in zip(pair[0].params(), pair[1].params(), start, strict=True):
        allowed = NEAR * np.abs(a - p).max() + 4 * np.spacing(np.abs(p))
        if not (np.abs(a - b) <= allowed).all():
            return False
    return True


def heats(rule: str, name: str, against: list[str]) -> list[list[str]]:
    """The rivals by as many as fit into memory at once, beside ours; each has parameters, gradients and slots of its own."""
    numbers = sum(map(math.prod, shapes.named(name)))
    slots = rivals.as_torch(rule).cost(4, **rivals.OURS.get(rule, {})).state_per_parameter
    room = max(1, int(MEMORY / (4 * numbers * (2 + slots))) - 1)
    return [against[k : k + room] for k in range(0, len(against), room)]


Found = timing.Ratio | str
"""What was measured of a rival, or in words why nothing was."""


def only(threads: int) -> None:
    """So many cores and threads for everybody, and no warnings of other libraries; before any of them is imported."""
    os.environ["NUMBA_NUM_THREADS"] = str(threads)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # XLA has no other setting that holds
    warnings.simplefilter("ignore")


def measure(rule: str, name: str, against: list[str], threads: int, count: int, progress: Progress) -> dict[str, Found]:
    """Our fraction of the floor, and each rival as a multiple of ours."""
    found: dict[str, Found] = {}
    for heat in heats(rule, name, against):
        found |= run(rule, name, heat, threads, count, progress)
        gc.collect()
    return found


def run(rule: str, name: str, against: list[str], threads: int, count: int, progress: Progress) -> dict[str, Found]:
    """The rivals that run at once."""
    listed = shapes.named(name)
    task = progress.add_task(f"{rule}, {name}: {', '.join(against)}", total=count)
    steps, notes = {"ours": rivals.ours(rule, listed, threads).step}, {}
    for rival in against:
        try:
            if rival == "floor":
                steps |= rivals.floors(rule, listed, threads)
            elif not rivals.has(rival, rule):
                notes[rival] = "has none"
            elif not agree(rule, rival, threads):
                notes[rival] = "another algorithm"
            else:
                steps[rival] = rivals.RIVALS[rival](rule, listed, threads).step
                steps[rival]()
        except Exception as error:  # a rival that cannot run is no reason to stop
            steps.pop(rival, None)
            notes[rival] = type(error).__name__
    times = timing.rounds(steps, count, lambda: progress.advance(task))
    progress.remove_task(task)
    return {rival: notes.get(rival) or _ratio(times, rival) for rival in against}


def _ratio(times: dict[str, np.ndarray], rival: str) -> timing.Ratio:
    if rival == "floor":
        return timing.ratio(min((t for name, t in times.items() if name.startswith("floor")), key=np.median), times["ours"])
    return timing.ratio(times[rival], times["ours"])


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
@click.option("--against", default="", help=f"Of {', '.join(rivals.NAMES)}; all otherwise.")
@click.option("--threads", type=click.IntRange(1, CORES), default=CORES, show_default=True, help="Threads for everybody.")
@click.option("--rounds", type=click.IntRange(15), default=15, show_default=True, help="Interleaved rounds.")
@click.option("--quick", is_flag=True, help="Five rounds, nothing compiled by torch: to see that it runs.")
@click.option("--markdown", is_flag=True, help="Print Markdown tables.")
def main(chosen_rules: str, chosen_shapes: str, against: str, threads: int, rounds: int, quick: bool, markdown: bool) -> None:
    """Whole optimizer steps in float32, each rival as a multiple of ours (above 1 it is slower); the floor as a share of ours."""
    only(threads)
    rules = _listed(chosen_rules, rivals.candidates(), "--rules")
    names = _listed(chosen_shapes, list(shapes.LISTS), "--shapes")
    others = _listed(against, list(rivals.NAMES), "--against")
    if quick:
        rounds, others = 5, [other for other in others if other != "torch compile"]
    console = Console(width=None if markdown else 200)
    console.print(machine(threads), soft_wrap=True)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        rules = _run_by_kernels(rules, progress)
        if missing := set(chosen_rules.replace(",", " ").split()) - set(rules):
            raise click.BadParameter(f"no kernel runs {', '.join(sorted(missing))}", param_hint="--rules")
        for name in names:
            rows = []
            for rule in rules:
                found = measure(rule, name, others, threads, rounds, progress)
                rows.append([rule, *(str(found[other]) for other in others)])
            heads = [name, *("share of the floor" if other == "floor" else other for other in others)]
            if markdown:
                console.print("\n".join(["", _line(heads), _line(["---"] * len(heads)), *map(_line, rows)]), soft_wrap=True)
            else:
                table = Table(*heads)
                for row in rows:
                    table.add_row(*row)
                console.print(table)


def _run_by_kernels(rules: list[str], progress: Progress) -> list[str]:
    task = progress.add_task("compiling kernels", total=len(rules))
    found = []
    for rule in rules:
        found += [rule] if rivals.has_kernel(rule) else []
        progress.advance(task)
    progress.remove_task(task)
    return found


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
