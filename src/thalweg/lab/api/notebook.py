"""The result of a comparison as a notebook shows it: the answer, one picture, and a table to open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from thalweg.lab.report.figures.ranks import ranks
from thalweg.lab.report.figures.scores import scores
from thalweg.lab.report.report import environment
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.table import TITLES
from thalweg.values.numerals import typed


def shown(results: Results | SuiteResults, records: Sequence[Mapping[str, Any]], report: str) -> str:
    """An HTML fragment. Text from users is escaped."""
    if not results["rules"]:
        figure = ""
    else:
        figure = ranks(results) if "suite" in results else scores(results)
    columns = list(dict.fromkeys(name for record in records for name in record if name != "note"))
    return environment().get_template("words/notebook.html.j2").render(
        answer=[(title, results["answer"][key]) for title, key in TITLES.items()],  # type: ignore[literal-required]
        caution=results["caution"], figure=Markup(figure), columns=columns, report=report,
        rows=[[_cell(record.get(name)) for name in columns] for record in records],
    )  # fmt: skip


def _cell(value: Any) -> str:
    return "" if value is None else typed(float(f"{value:.4g}")) if isinstance(value, float) else str(value)
