"""The comparison in a terminal."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from thalweg.lab.problem import Problem
from thalweg.lab.results import shown

EDGES = {None: "", "low": " ↓", "high": " ↑"}


def table(results: dict[str, Any], problem: Problem) -> Table:
    """A row for each optimizer, in the order of rank."""
    made = _empty(results)
    for title, side in (
        ("rank", "right"), ("optimizer", "left"), ("best lr", "right"), (f"test {problem.score.name}", "right"),
        ("95 % interval", "right"), ("steps to target", "right"), ("diverged", "right"), ("step cost", "right"),
        ("state", "right"), ("against the best", "left"),
    ):  # fmt: skip
        made.add_column(title, justify=side, no_wrap=title == "optimizer")  # type: ignore[arg-type]
    for row in results["rules"]:
        made.add_row(*(Text(cell) for cell in _cells(row, problem)))
    return made


def _empty(results: dict[str, Any]) -> Table:
    """With what must be known beside the numbers, if anything, under them."""
    caption = Text(results["caution"]) if results["caution"] else None
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=caption, caption_justify="left")


def _cells(row: dict[str, Any], problem: Problem) -> list[str]:
    rank, score, steps, shares = row["rank"], row["score"], row["steps_to_target"], row["diverged"]
    span = "" if rank["low"] == rank["high"] else f" [{rank['low']}-{rank['high']}]"
    interval = (
        ""
        if score["low"] is None or score["high"] is None
        else f"{shown(score['low'], problem)} - {shown(score['high'], problem)}"
    )
    rate = f"{row['best_lr']:.2g}{EDGES[row['at_edge']]}" if row["tuned"] else f"{row['best_lr']:.2g} (shipped)"
    return [
        f"{rank['place']}{span}",
        row["name"],
        rate,
        shown(score["mean"], problem),
        interval,
        "not reached" if steps["median"] is None else f"{steps['median']:g}",
        f"{shares['tuning']:.0%} / {shares['judging']:.0%}",
        "" if row["step_cost"] is None else f"{row['step_cost']:.1f}x",
        f"{row['state_per_parameter']:g}",
        row["note"]
        if row["note"] and row["note"].startswith("it failed")
        else row["verdict"]["sentence"]
        if rank["place"] > 1
        else "",
    ]


def suite_table(results: dict[str, Any]) -> Table:
    """A row for each optimizer of a suite, in the order of mean rank."""
    made = _empty(results)
    for title in ("place", "optimizer", "mean rank", "95 % interval", "without one problem", "share of the way", "untuned"):
        made.add_column(title, justify="left" if title == "optimizer" else "right", no_wrap=title == "optimizer")
    for title in ("first on", "diverged", "step cost", "state", "against the best"):
        made.add_column(title, justify="left" if title == "against the best" else "right")
    for row in results["rules"]:
        made.add_row(*(Text(cell) for cell in _suite_cells(row)))
    return made


def _suite_cells(row: dict[str, Any]) -> list[str]:
    rank, places, shares = row["mean_rank"], row["places_without_a_problem"], row["diverged"]
    return [
        str(row["place"]),
        row["name"],
        f"{rank['value']:.1f}",
        f"{rank['low']:.1f} - {rank['high']:.1f}",
        "-".join(map(str, sorted(set(places)))),
        f"{row['share']['value']:.1%}",
        f"{row['untuned']['value']:.1%}",
        str(len(row["first_on"])),
        f"{shares['tuning']:.0%} / {shares['judging']:.0%}",
        "" if row["step_cost"] is None else f"{row['step_cost']:.1f}x",
        f"{row['state_per_parameter']:g}",
        row["verdict"]["sentence"],
    ]
