"""`thalweg show adam rmsprop`: what makes one optimizer of another."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich import box
from rich.cells import cell_len
from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from thalweg import lab
from thalweg.commands.comparison_progress import ComparisonProgress
from thalweg.commands.facts import default_words
from thalweg.commands.screen import Screen
from thalweg.graph.difference import difference
from thalweg.lab.report.figures.curves import quartiles
from thalweg.lab.running.output_capture import Tail
from thalweg.methods import family, rules
from thalweg.rule import Rule

PROBLEM, BUDGET, SEEDS = "digits", 6, 3
BARS = "▁▂▃▄▅▆▇█"
STYLES = {"-": "red", "+": "green", " ": ""}


def in_order(one: Rule, other: Rule) -> tuple[Rule, Rule]:
    """Return the two rules, the ancestor first if one of them grew from the other."""
    grew = known(one) and known(other) and other.name in family.line(one.name)
    return (other, one) if grew else (one, other)


def known(rule: Rule) -> bool:
    """Whether it is an optimizer of the catalogue, and not a stage, or a rule of the user's that has the name of one."""
    return rules.get(rule.name) is rule


def parts(first: Rule, second: Rule, colours: bool = True) -> Iterator[RenderableType]:
    """The parts of the page, in order, without the curves. colours: whether they can be seen; if not, ^ marks the terms."""
    yield Text.assemble((first.name, "bold"), "  to  ", (second.name, "bold"))
    if known(first) and known(second) and first.name in family.parents(second.name):
        yield Padding(Text(_sentence(family.change(second.name))), (1, 0, 0, 2))
    found = difference(first.formula(), second.formula())
    yield Text(f"\nFormula: - {first.name}, + {second.name}", style="bold")
    for sign, spans in found.signed():
        line = Text(f"  {sign} ", style=STYLES[sign])
        for span in spans:
            line.append(span.text, style="bold underline" if span.marked and sign != " " else "")
        yield line
        if not colours and sign != " " and not all(span.marked for span in spans):
            yield Text("    " + "".join(("^" if span.marked else " ") * cell_len(span.text) for span in spans).rstrip())
    if said := _renamed(found.renamed):
        yield Padding(Text(f"{said}, as far as the lines are the same", style="dim"), (0, 0, 0, 4))
    yield Text("\nWhat it takes", style="bold")
    yield Padding(_facts(first, second), (0, 0, 0, 2))


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."


def _renamed(renamed: dict[str, str]) -> str:
    return ", ".join(f"{new} is the other's {old}" for new, old in renamed.items())


def _facts(first: Rule, second: Rule) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", first.name, second.name):
        made.add_column(title)
    for title, cells in _rows(first, second):
        made.add_row(title, *map(escape, cells))
    return made


def _rows(first: Rule, second: Rule) -> Iterator[tuple[str, tuple[str, str]]]:
    pair = first, second
    costs = [rule.cost() for rule in pair]
    asks = [", ".join(rule.asks) for rule in pair]
    memory = [", ".join(rule.memory) or "none" for rule in pair]
    hyper = [", ".join(f"{h.name} {default_words(h)}" for h in rule.hyper.values()) or "none" for rule in pair]
    yield "asks for", (asks[0], asks[1])
    yield "memory", (memory[0], memory[1])
    yield "bytes kept for a float32 parameter", (f"{costs[0].state_bytes:g}", f"{costs[1].state_bytes:g}")
    yield "bytes moved in a step", (f"{costs[0].bytes_moved:g}", f"{costs[1].bytes_moved:g}")
    yield "operations in a step", (f"{costs[0].operations}", f"{costs[1].operations}")
    yield "hyper-parameters", (hyper[0], hyper[1])


def curves(first: Rule, second: Rule, picture: Path | None) -> Iterator[RenderableType]:
    """Train both on small images, each at the best of a few rates, and yield their losses; draw them if `picture` is given."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(Tail()),
        ComparisonProgress(Screen(stderr=True)) as progress,
    ):
        names = [first.name, second.name]
        found = lab.compare(problem=PROBLEM, rules=names, budget=BUDGET, seeds=SEEDS, jobs=1, out=Path(folder), progress=progress)
        if picture is not None and not found.failure:
            found.draw(picture)
    (results,) = found.problems
    losses = {row["name"]: quartiles(row, len(results["evaluated_at"]), "train_curve")[1] for row in results["rules"]}
    scores = {row["name"]: row for row in results["rules"]}
    top, low = _span(list(losses.values()))
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", "training loss, from the first step to the last", "ends at", "best rate"):
        made.add_column(title)
    for rule in (first, second):
        curve = losses[rule.name]
        made.add_row(rule.name, _bars(curve, low, top), f"{curve[-1]:.2g}", f"{scores[rule.name]['best_lr']:.2g}")
    yield Text(f"\nLoss on {PROBLEM}, each at the best of {BUDGET} rates, median of {SEEDS} seeds", style="bold")
    yield Padding(made, (0, 0, 0, 2))


def _span(curves: list[np.ndarray]) -> tuple[float, float]:
    every = np.concatenate(curves)
    every = every[np.isfinite(every) & (every > 0)]
    return (float(np.log(every.max())), float(np.log(every.min()))) if every.size else (0.0, 0.0)


def _bars(curve: np.ndarray, low: float, top: float) -> str:
    """The curve as bars, the logarithm of the loss from the lowest of both to the highest; `×` where it is not finite."""
    with np.errstate(all="ignore"):
        share = (np.log(curve) - low) / max(top - low, 1e-12)
    return "".join(BARS[round(float(np.clip(s, 0, 1)) * (len(BARS) - 1))] if np.isfinite(s) else "×" for s in share)
