"""Terminal tables: a line for each optimizer, and as many columns as fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Answer, Interval
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.words.baselines import NO_NETWORK, baselines
from thalweg.lab.report.words.blocks import rates
from thalweg.lab.statistics import scores

EDGES = {None: "", "low": " ↓", "high": " ↑"}
GAP = 2
NAME = 28
"""The longest optimizer name shown in full."""
TITLES = {"Does it matter?": "matters", "Use": "use", "Avoid": "avoid", "How sure": "sure", "Why": "why"}
"""The parts of the answer, by their titles."""
READABLE = 110
"""The widest line of a sentence."""


class Column(NamedTuple):
    """A table column: title, alignment, and the function from a row of the results to a cell."""

    title: str
    side: Literal["left", "right"]
    cell: Callable[[Any], str]


def table(results: Results, width: int) -> Table:
    """A row for each optimizer, in the order of rank; the columns that matter most first."""
    share = results["problem"]["score"]["share"]
    columns = [
        Column("rank", "right", lambda row: _rank(row["rank"])),
        Column("optimizer", "left", lambda row: _name(row["name"])),
        Column(
            f"test {results['problem']['score']['name']}", "right", lambda row: scores.format_score(row["score"]["mean"], share)
        ),
        Column("against the best", "left", _verdict),
        Column("95 % interval", "right", lambda row: _interval(row["score"], share)),
        Column("best lr", "right", _rate),
        Column("untuned", "right", lambda row: scores.format_score(row["untuned"]["score"]["mean"], share)),
        Column("steps to target", "right", lambda row: _steps(row["steps_to_target"])),
        Column("diverged", "right", lambda row: _diverged(row["diverged"])),
        Column("step cost", "right", lambda row: _cost(row["step_cost"])),
        Column("state", "right", lambda row: f"{row['state_per_parameter']:g}"),
    ]
    edges = any(row["at_edge"] for row in results["rules"])
    known = ["An arrow marks a best learning rate that is the lowest or the highest of those tried."] if edges else []
    known += [f"{row['name']}: {row['note']}" for row in results["rules"] if row["failed"]]
    beside = [
        {"optimizer": each["name"], columns[2].title: scores.format_score(each["score"], share), "against the best": NO_NETWORK}
        for each in baselines(results)
    ]
    return _fitted(columns, results, width, known, beside)


def suite_table(results: SuiteResults, width: int) -> Table:
    """A row for each optimizer of a suite, in the order of mean rank."""
    columns = [
        Column("place", "right", lambda row: str(row["place"])),
        Column("optimizer", "left", lambda row: _name(row["name"])),
        Column("mean rank", "right", lambda row: f"{row['mean_rank']['value']:.1f}"),
        Column("against the best", "left", lambda row: row["verdict"]["sentence"]),
        Column("95 % interval", "right", lambda row: f"{row['mean_rank']['low']:.1f} - {row['mean_rank']['high']:.1f}"),
        Column("share of the way", "right", lambda row: scores.format_score(row["share"]["value"], True)),
        Column("untuned", "right", lambda row: scores.format_score(row["untuned"]["value"], True)),
        Column(
            "place without one problem", "right", lambda row: "-".join(map(str, sorted(set(row["places_without_a_problem"]))))
        ),
        Column("first on", "right", lambda row: str(len(row["first_on"]))),
        Column("diverged", "right", lambda row: _diverged(row["diverged"])),
        Column("step cost", "right", lambda row: _cost(row["step_cost"])),
        Column("state", "right", lambda row: f"{row['state_per_parameter']:g}"),
    ]
    return _fitted(columns, results, width, [each["sentence"] for each in results["unranked"]])


def _rate(row: Row) -> str:
    return f"{rates(row)}{EDGES[row['at_edge']] if row['tuned'] else ' (shipped)'}"


def _fitted(
    columns: Sequence[Column],
    results: Results | SuiteResults,
    width: int,
    known: list[str],
    beside: Sequence[Mapping[str, str]] = (),
) -> Table:
    """A table of as many columns as fit, at least three. known: sentences of the caption. beside: further rows, by title."""
    cells = [
        [*(column.cell(row) for row in results["rules"]), *(row.get(column.title, "") for row in beside)] for column in columns
    ]
    wide = [max(map(cell_len, (*column.title.split(), *own))) for column, own in zip(columns, cells, strict=True)]
    fits = max(3, *(n for n in range(len(columns) + 1) if sum(wide[:n]) + GAP * n <= width))
    left = [column.title for column in columns[fits:]]
    known = [f"Columns that do not fit here: {', '.join(left)}. The report has all."] * bool(left) + known
    caption = "\n".join([*known, *([results["caution"]] if results["caution"] else [])])
    made = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, GAP - 1, 0, 0), caption=Text(caption) if caption else None,
        caption_justify="left",
    )  # fmt: skip
    for column, room in zip(columns[:fits], wide, strict=False):
        made.add_column(column.title, justify=column.side, width=room)
    for row in zip(*cells[:fits], strict=True):
        made.add_row(*map(Text, row))
    return made


def answered(answer: Answer, width: int) -> Table:
    """The answer as a table: whether the choice matters, which optimizer to use, how sure, and why."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(width=min(width, READABLE) - 17)
    for title, key in TITLES.items():
        if answer[key]:  # type: ignore[literal-required]
            made.add_row(Text(title), Text(answer[key]))  # type: ignore[literal-required]
    return made


def _name(name: str) -> str:
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"


def _rank(rank: dict[str, int]) -> str:
    return f"{rank['place']}" if rank["low"] == rank["high"] else f"{rank['place']} [{rank['low']}-{rank['high']}]"


def _interval(score: Interval, share: bool) -> str:
    if score["low"] is None or score["high"] is None or score["low"] == score["high"] == score["mean"]:
        return ""
    low, high = (scores.format_score(end, share) for end in (score["low"], score["high"]))
    return f"{low.removesuffix(' %')} - {high}"


def _verdict(row: Row) -> str:
    best = "the best" if row["score"]["mean"] is not None else ""
    return "failed" if row["failed"] else best if row["rank"]["place"] == 1 else str(row["verdict"]["sentence"])


def _steps(steps: dict[str, Any]) -> str:
    return "not reached" if steps["median"] is None else f"{steps['median']:g}"


def _diverged(shares: dict[str, float]) -> str:
    return f"{shares['tuning']:.0%} / {shares['judging']:.0%}"


def _cost(cost: float | None) -> str:
    return "" if cost is None else f"{cost:.1f}x"
