"""What a notebook shows of a comparison."""

from __future__ import annotations

from pathlib import Path

from lab.report.fake_results import fake
from lab.report.test_report import SCRIPT
from lab.report.test_suite import ten
from thalweg.lab.api.comparison import Comparison
from thalweg.lab.report import suite


def test_it_has_the_answer_a_picture_and_a_row_for_each(tmp_path: Path) -> None:
    results = fake(rules=5, names={2: SCRIPT})
    page = Comparison(results, tmp_path / "<out>")._repr_html_()  # type: ignore[arg-type]
    assert page.count("<svg") == 1
    for row in results["rules"]:
        assert page.count("<td>1</td>") >= 1
        assert (row["name"] == SCRIPT) or f"<td>{row['name']}</td>" in page
    assert SCRIPT not in page
    assert "&lt;out&gt;" in page


def test_so_has_a_suite_s(tmp_path: Path) -> None:
    found = Comparison(suite.combine("mine", ten(), "again"), tmp_path)
    page = found._repr_html_()
    assert page.count("<svg") == 1
    assert page.count("<tr>") >= len(found.records)
    assert found.figures == {}
