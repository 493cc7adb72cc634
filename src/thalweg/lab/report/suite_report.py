"""The report on a suite: a self-contained HTML page, a function of the results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from thalweg.lab.report.advice import tested
from thalweg.lab.report.explorer import explored
from thalweg.lab.report.figures.cost import cost
from thalweg.lab.report.figures.lines import lines
from thalweg.lab.report.figures.ranks import ranks
from thalweg.lab.report.figures.style import DARK
from thalweg.lab.report.report import embedded, environment, score_cell, script, seen
from thalweg.lab.report.schema.parts import Interval, Named, Priced
from thalweg.lab.report.schema.problem import Results, Score
from thalweg.lab.report.schema.suite import SuiteResults, SuiteRow
from thalweg.lab.report.words.methods_paragraph import methods
from thalweg.lab.statistics.scores import format_score

FIRST = 5
SHARE = Score(name="share of the way", higher_is_better=True, share=True)


def render(results: SuiteResults) -> str:
    """The page's text, a function of the results. Text from users is escaped."""
    made = environment()
    made.filters.update(
        cell=lambda row, each: score_cell(row, _share(each)), said=lambda x, each: format_score(x, _share(each)), seen=seen,
        first_score=lambda each: score_cell(each["rules"][0], _share(each)), breakable=_breakable,
        told_apart=lambda heat: any(cell and cell["tested"] for _, cells in heat for cell in cells),
        with_daggers=lambda heat: any(cell and cell["diverged"] for _, cells in heat for cell in cells),
    )  # fmt: skip
    return made.get_template("suite.html.j2").render(
        r=results, figures=_figures(results) if results["rules"] else {}, heat=_heat(results), leave_out=_leave_out(results),
        dark={name[1:]: dark for name, dark in DARK.items()},
        explored=embedded(explored(results["problems"], _shown(results))),
        script=script(), tested=tested(results["rules"]),
        methods=methods(
            results["settings"], results["problems"], results["version"], results["protocol"]["version"], len(results["rules"]),
            results["unranked"],
        ),
    )  # fmt: skip


def _share(each: Results) -> bool:
    share: bool = each["problem"]["score"]["share"]
    return share


def _figures(results: SuiteResults) -> dict[str, Markup]:
    rows = results["rules"]
    return {
        "ranks": Markup(ranks(results)),
        "budget": Markup(
            lines(
                {row["name"]: row["best_of"] for row in rows},
                None,
                "settings tried (k)",
                "of the way to the best",
                "budget",
                "whole",
            )
        ),
        "targets": Markup(
            lines(
                {row["name"]: row["reached"] for row in rows},
                results["shares_of_steps"],
                "share of the steps",
                "targets reached",
                "targets",
                "share",
            )
        ),
        "profiles": Markup(
            lines(
                {row["name"]: row["profile"] for row in rows},
                results["taus"],
                "times the fewest steps",
                "share of problems",
                "profiles",
                "ratio",
            )
        ),
        "cost": Markup(cost(_priced(rows), SHARE, SHARE["name"])),
    }


def _priced(rows: Sequence[SuiteRow]) -> list[Priced]:
    """The rows for the figure of score and cost, with the share of the way as the score."""
    return [
        Priced(name=row["name"], step_cost=row["step_cost"],
               score=Interval(mean=row["share"]["value"], low=row["share"]["low"], high=row["share"]["high"]))
        for row in rows
    ]  # fmt: skip


def _shown(results: SuiteResults) -> Sequence[Named]:
    """The optimizers of the page's own charts: the ranked ones, then the others."""
    return [*results["rules"], *results["unranked"]] if results["rules"] else results["problems"][0]["rules"]


def _heat(results: SuiteResults) -> list[tuple[str, list[dict[str, Any] | None]]]:
    """For each optimizer its rank and shade on each problem; None if it did not run there."""
    named: list[Named] = [*results["rules"], *results["unranked"]]
    return [(row["name"], [_heat_cell(row["name"], each) for each in results["problems"]]) for row in named]


def _heat_cell(name: str, each: Results) -> dict[str, Any] | None:
    own = next((row for row in each["rules"] if row["name"] == name), None)
    if own is None:
        return None
    place = own["rank"]["place"]
    shade = 0.45 * max(0.0, 1 - (place - 1) / max(1, len(each["rules"]) - 1)) ** 2
    told = tested(each["rules"])
    alike = told and own["verdict"]["separable"] is False
    diverged = own["diverged"]["judging"] > 0
    return {"place": place, "shade": f"{shade:.2f}", "alike": alike, "diverged": diverged, "tested": told}


def _breakable(name: str) -> Markup:
    """A name with line-break opportunities after underscores."""
    return Markup("_<wbr>").join(name.split("_"))


def _leave_out(results: SuiteResults) -> list[tuple[str, list[str]]]:
    """The first optimizers when a problem or one of the first optimizers is left out."""
    if not results["rules"]:
        return []
    first = [row["name"] for row in results["rules"][:FIRST]]
    tables = [(f"the problem {out}", places) for out, places in results["without_problem"].items()]
    tables += [(f"the optimizer {out}", places) for out, places in results["without_optimizer"].items() if out in first]
    return [(out, sorted(places, key=lambda name: (places[name], name))[:FIRST]) for out, places in tables]
