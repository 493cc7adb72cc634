"""What a comparison came to, for a program, a notebook or a terminal."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from thalweg.lab.report.schema.parts import Answer
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.table import answered, suite_table, table

WIDTH = 160
"""Columns of the table where no terminal says how many there are."""


@dataclass(frozen=True)
class Comparison:
    """What `lab.compare` returns; `print` shows the table and the answer.

    results: everything as `results.json` has it. out: the folder with report, results and trials.
    """

    results: Results | SuiteResults = field(repr=False)
    out: Path

    @property
    def answer(self) -> Answer:
        """Which optimizer to use, how sure that is, and why."""
        return self.results["answer"]

    @property
    def best(self) -> str:
        """The optimizer in the first place."""
        return self.results["rules"][0]["name"]

    @property
    def report(self) -> Path:
        """The page to read."""
        return self.out / "report.html"

    @property
    def problems(self) -> list[Results]:
        """The results on each problem: several in a suite, else one."""
        return self.results["problems"] if "suite" in self.results else [self.results]

    @property
    def failure(self) -> str | None:
        """A sentence where every optimizer failed on every problem."""
        rows = [row for one in self.problems for row in one["rules"]]
        failed = rows and all(row["failed"] for row in rows)
        return f"every optimizer failed; {rows[0]['name']}: {rows[0]['note']}" if failed else None

    def tables(self, width: int = WIDTH) -> tuple[Table, Table]:
        """A row for each optimizer, and the answer, for a console with so many columns."""
        shown = suite_table(self.results, width) if "suite" in self.results else table(self.results, width)
        return shown, answered(self.answer, width)

    def __str__(self) -> str:
        console = Console(width=WIDTH, color_system=None)
        with console.capture() as captured:
            for shown in self.tables():
                console.print(shown)
        return captured.get().rstrip()

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
