"""The report: a self-contained HTML page, a function of the results."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from thalweg.lab.report.advice import alike, tested
from thalweg.lab.report.answer import amount
from thalweg.lab.report.explorer import explored
from thalweg.lab.report.figures.cost import cost
from thalweg.lab.report.figures.course import course
from thalweg.lab.report.figures.curves import curves
from thalweg.lab.report.figures.lines import lines
from thalweg.lab.report.figures.scores import scores
from thalweg.lab.report.figures.sensitivity import sensitivity
from thalweg.lab.report.figures.style import DARK
from thalweg.lab.report.figures.svg import kept
from thalweg.lab.report.figures.svg import write as write_figures
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import StepsToTarget
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.words import paper_table
from thalweg.lab.report.words.baselines import NO_NETWORK, baselines
from thalweg.lab.report.words.blocks import counted, rates, scope, unit
from thalweg.lab.report.words.methods_paragraph import methods
from thalweg.lab.statistics.scores import format_score, number
from thalweg.values.atomic import atomic_write
from thalweg.values.numerals import typed

T = TypeVar("T", Results, SuiteResults)

NAMES = {
    "steps": "steps of a trial", "batch_size": "samples in a mini-batch", "budget": "settings tried for each optimizer",
    "early_stopping": "early stopping", "tuning_seeds": "seeds that tune", "seeds": "seeds that judge",
}  # fmt: skip
"""The settings shown in the report, with their labels."""


def write(results: T, path: Path, render: Callable[[T], str]) -> None:
    """Write the report atomically, and beside it its figures, in a folder, and a table and the papers in LaTeX.

    render: makes the page from the results: `render` here, or `suite_report.render`. Raises OSError if writing fails.
    """
    with kept() as drawn:
        page = render(results)
    write_figures(drawn, path.parent / "figures")
    paper_table.write(results, path.parent)
    with atomic_write(path) as file:
        file.write(page)


def render(results: Results) -> str:
    """The page's text, a function of the results. Text from users (names, notes, commands, columns) is escaped."""
    made = environment()
    score = results["problem"]["score"]
    share = score["share"]
    made.filters.update(score=lambda x: format_score(x, share), score_cell=lambda row: score_cell(row, share), rates=rates)
    budgets = {row["name"]: row["best_of"] for row in results["rules"]}
    figures = {
        "scores": Markup(scores(results)), "cost": Markup(cost(results["rules"], score)),
        "budget": Markup(lines(budgets, None, "settings tried (k)", "of the way to the best", "budget", "whole")),
        "training": Markup(course(results, "train_curve")), "validation": Markup(course(results, "score_curve")),
        "curves": [Markup(panel) for panel in curves(results)], "sensitivity": [Markup(panel) for panel in sensitivity(results)],
    }  # fmt: skip
    return made.get_template("report.html.j2").render(
        r=results, figures=figures, remarks=remarks(results), dark={name[1:]: dark for name, dark in DARK.items()},
        embedded=embedded(results), names=NAMES, explored=embedded(explored([results], results["rules"])), script=script(),
        seen=seen(results), baselines=baselines(results), no_network=NO_NETWORK,
        margin=margin(results), counted=counted(results["settings"]), scope=scope(results["settings"]),
        units=unit(results["settings"]["blocks"]), samples_shared=_samples_are_shared(results),
        tested=tested(results["rules"]), alike=[row["name"] for row in alike(results["rules"])],
        methods=methods(
            results["settings"], [results], results["version"], results["protocol"]["version"], len(results["rules"])
        ),
    )  # fmt: skip


def _samples_are_shared(results: Results) -> bool:
    """Whether intervals count the luck of the test samples besides that of seeds or blocks."""
    problem, settings = results["problem"], results["settings"]
    return problem["score"]["share"] and problem["test_size"] > 0 and not (settings["blocks"] > 1 and settings["split"] == "ours")


def script() -> Markup:
    """The JavaScript of the interactive charts."""
    return Markup((Path(__file__).parent / "explorer.js").read_text("utf-8"))


def environment() -> Environment:
    """The Jinja environment of the templates, with the filters for numbers."""
    made = Environment(
        loader=PackageLoader("thalweg.lab.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(steps=_steps, percent=_percent, number=_number, when=_when)
    return made


def remarks(results: Results) -> list[tuple[str, list[str]]]:
    """Remarks on single rules: failures, notes, divergence, an optimum at the edge; as (rule, sentences)."""
    return [(row["name"], said_of) for row in results["rules"] if (said_of := list(_remarks(row)))]


def _remarks(row: Row) -> list[str]:
    found = []
    if row["note"]:
        found.append(_sentence(row["note"]))
    broken = [trial for trial in row["tuning"] if trial["diverged"]]
    if broken:
        rates = sorted({trial["lr"] for trial in broken})
        few, many = f"a learning rate of {typed(rates[0])}", f"learning rates from {typed(rates[0])} to {typed(rates[-1])}"
        span = few if len(rates) == 1 else many
        found.append(f"{len(broken)} of {len(row['tuning'])} tuning trials diverged, at {span}.")
    lost = sum(run["diverged"] for run in row["judging"])
    if lost:
        found.append(f"{lost} of {len(row['judging'])} judged runs diverged, at the learning rate that was chosen.")
    if row["at_edge"]:
        beyond, extreme = ("lower", "lowest") if row["at_edge"] == "low" else ("higher", "highest")
        found.append(f"Its best learning rate is the {extreme} that was tried: a {beyond} one may be better still.")
    return found


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + ("" if note.endswith((".", "!", "?")) else ".")


def score_cell(row: Row, share: bool) -> str:
    """The mean and its interval: `97.6 % [97.3, 97.8]`."""
    score = row["score"]
    missing = sum(run["test_score"] is None for run in row["judging"])
    if score["mean"] is None:
        return f"not finite in {missing} of {len(row['judging'])} runs"
    if score["low"] is None or score["high"] is None or len(row["judging"]) < 2:
        return format_score(score["mean"], share)
    low, high = (format_score(score[side], share).removesuffix(" %") for side in ("low", "high"))
    return f"{format_score(score['mean'], share)} [{low}, {high}]"


def _steps(steps: StepsToTarget) -> str:
    """The median step, with the share of runs that reached the target if not all did."""
    reached = "" if steps["reached"] in (0, 1) else f" ({_percent(steps['reached'])})"
    return ("not reached" if steps["median"] is None else f"{steps['median']:g}") + reached


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _when(moment: str) -> str:
    """An ISO 8601 time as `2026-11-21 19:35 UTC`."""
    return f"{moment[:10]} {moment[11:16]} UTC"


def _number(value: Any) -> Any:
    """A setting in a form that can be typed."""
    return typed(value) if isinstance(value, float) else value


def embedded(results: Mapping[str, Any]) -> Markup:
    """The results as JSON that cannot close the surrounding script element."""
    text = json.dumps(results, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def margin(results: Results) -> str:
    """A sentence on the largest difference that does not matter; empty if any does."""
    value, size = results["margin"]["value"], amount(results["margin"]["value"], results["problem"]["score"])
    if not value:
        return ""
    why = "as --margin says" if results["margin"]["given"] else (
        f"a standard error of a share on {results['problem']['test_size']:,} test samples; --margin sets another one"
    )  # fmt: skip
    return f"A level optimizer is no more than {size} behind the best of the others ({why})."


def seen(each: Results) -> str:
    """A sentence on the smallest detectable difference; empty if that is stated elsewhere."""
    sight = each["sight"]
    if sight["smallest"] is None or not math.isfinite(sight["smallest"]) or not tested(each["rules"]):
        return ""
    best = each["rules"][0]
    told_apart = [row for row in each["rules"] if row["verdict"]["separable"] and row["score"]["mean"] is not None]
    if any(abs(number(row["score"]["mean"]) - number(best["score"]["mean"])) < sight["smallest"] for row in told_apart):
        return ""  # the spreads differ too much for a single number
    size = amount(sight["smallest"], each["problem"]["score"])
    told = f"Differences to the best smaller than {size} are likely to be missed with {counted(each['settings'])}."
    if sight["pair"] and sight["times"]:
        first, second = sight["pair"]
        told += f" Separating {second} from {first} takes {sight['times']} "
        told += f"{unit(each['settings']['blocks'])}, if they differ as much as measured."
    return told
