"""The result of a comparison, for a program, a notebook or a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from thalweg.lab.api.notebook import shown
from thalweg.lab.report.figures.course import write_picture
from thalweg.lab.report.schema.parts import Answer
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.table import answered, suite_table, table

WIDTH = 160
"""Columns of the table when the terminal width is unknown."""


@dataclass(frozen=True)
class Comparison:
    """The result of `lab.compare`. `print` shows the table and the answer.

    Attributes
    ----------
    results : Results | SuiteResults
        The content of `results.json`.
    out : Path
        The folder with report, results and trials.
    """

    results: Results | SuiteResults = field(repr=False)
    out: Path

    @property
    def answer(self) -> Answer:
        """The recommended optimizer, the certainty and the reasons, in sentences."""
        return self.results["answer"]

    @property
    def best(self) -> str:
        """The name of the first-ranked optimizer."""
        return self.results["rules"][0]["name"]

    @property
    def report(self) -> Path:
        """The path of the HTML report."""
        return self.out / "report.html"

    @property
    def figures(self) -> dict[str, Path]:
        """The report's figures as SVG files, by name, for example "score"; each has a PDF beside it."""
        return {path.stem: path for path in sorted((self.out / "figures").glob("*.svg"))}

    @property
    def problems(self) -> list[Results]:
        """The results on each problem: several for a suite, otherwise one."""
        return self.results["problems"] if "suite" in self.results else [self.results]

    @property
    def failure(self) -> str | None:
        """A sentence if every optimizer failed on every problem, otherwise None."""
        rows = [row for one in self.problems for row in one["rules"]]
        failed = rows and all(row["failed"] for row in rows)
        return f"every optimizer failed; {rows[0]['name']}: {rows[0]['note']}" if failed else None

    @property
    def records(self) -> list[dict[str, Any]]:
        """A flat record for each optimizer on each problem, for example for `pandas.DataFrame`; the best of a problem first."""
        return [
            {
                "problem": one["problem"]["name"], "optimizer": row["name"], "rank": row["rank"]["place"], **row["score"],
                "verdict": row["verdict"]["sentence"], "lr": row["best_lr"],
                "schedule": row["best_schedule"], **row["best_hyper"],
                "untuned": row["untuned"]["score"]["mean"], "diverged": row["diverged"]["judging"], "note": row["note"],
            }
            for one in self.problems
            for row in one["rules"]
        ]  # fmt: skip

    def draw(self, path: str | Path) -> Path:
        """Draw training loss and score by epoch, beside each other, as a .png, .svg or .pdf file; of a suite the first problem.

        Raises ValueError for another suffix, and if no run has a finite training loss or score. Returns the path.
        """
        write_picture(self.problems[0], Path(path))
        return Path(path)

    def tables(self, width: int = WIDTH) -> tuple[Table, Table]:
        """The table with a row for each optimizer, and the answer, for a console `width` columns wide."""
        rows = suite_table(self.results, width) if "suite" in self.results else table(self.results, width)
        return rows, answered(self.answer, width)

    def __str__(self) -> str:
        console = Console(width=WIDTH, color_system=None)
        with console.capture() as captured:
            for part in self.tables():
                console.print(part)
        return captured.get().rstrip()

    def _repr_html_(self) -> str:
        return shown(self.results, self.records, str(self.report))
