"""The reports in a real browser, where there is one: no error, and the charts move when they are asked to."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import NEEDS_ONE, found, shown
from support import first

from lab.report.fake_results import fake
from lab.report.test_report import SCRIPT
from lab.report.test_suite import whole
from thalweg.lab.report import report

pytestmark = NEEDS_ONE


MOVED = """
const root = document.getElementById("explorer"), paths = () => root.querySelectorAll("#explored-curves path").length;
const cells = () => [...root.querySelectorAll("tbody tr")].map((row) => row.textContent).join("|");
const before = [paths(), cells()], slider = root.querySelector("input[type=range]");
slider.value = "0.5"; slider.dispatchEvent(new Event("input"));
const after = cells();
document.getElementById("explored-none").click();
const none = paths();
document.getElementById("explored-all").click();
const all = root.querySelectorAll("#explored-curves > text[fill]").length;
document.body.dataset.found = JSON.stringify({ curves: before[0] > 0, moved: after !== before[1] && after.length > 0, none, all });
"""


def test_a_reports_charts_move(tmp_path: Path) -> None:
    text = shown(report.render(fake(rules=8, names={3: SCRIPT})), MOVED, tmp_path)
    assert found(text) == {"curves": True, "moved": True, "none": 0, "all": 8}
    assert SCRIPT.lower() not in text.lower().replace("\\u003c", "")


NARROW = """
addEventListener("load", () => {
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
  const boxes = [document.documentElement, ...document.querySelectorAll(".wide, table, pre, figure")];
  const over = boxes.filter((box) => box.scrollWidth > box.clientWidth + 1 || box.getBoundingClientRect().right > innerWidth + 1);
  const text = document.querySelector(".single svg text"), cell = document.querySelector("main td");
  document.body.dataset.found = JSON.stringify({
    over: over.map((box) => `${box.tagName} ${box.className} ${box.scrollWidth}`), narrow: innerWidth <= 500,
    legible: text.getBoundingClientRect().height >= 9, labelled: getComputedStyle(cell, "::before").content.length > 2,
  });
});
"""


@pytest.mark.parametrize("what", first(["report", "suite"]))
def test_a_report_fits_a_phone(what: str, tmp_path: Path) -> None:
    """Nothing scrolls sideways, neither the page nor a table or a figure in it, and text in figures stays legible."""
    page = (
        report.render(fake(rules=12, names={3: "a_rule_whose_name_is_as_long_as_some_are"})) if what == "report" else whole()[1]
    )
    assert found(shown(page, NARROW, tmp_path, 390)) == {"over": [], "narrow": True, "legible": True, "labelled": True}


FILTERED = """
const box = document.getElementById("filter"), rows = () => [...document.querySelectorAll("#ranking-table tbody tr")].filter((r) => !r.hidden);
const before = rows().length;
box.value = "adam"; box.dispatchEvent(new Event("input"));
const one = rows().map((row) => row.dataset.name);
box.value = ""; box.dispatchEvent(new Event("input"));
const select = document.querySelector("#explorer select"), first = document.getElementById("explored-curves").innerHTML;
select.selectedIndex = 3; select.dispatchEvent(new Event("change"));
document.querySelector('a[href="#on-2"]').click();
document.body.dataset.found = JSON.stringify({
  before, one, after: rows().length, other: document.getElementById("explored-curves").innerHTML !== first,
  open: document.getElementById("on-2").open, wide: document.documentElement.scrollWidth <= innerWidth,
});
"""


@pytest.mark.parametrize("width", first([500, 1200]))
def test_a_suites_filter_problem_and_links_work(width: int, tmp_path: Path) -> None:
    text = shown(whole()[1], FILTERED, tmp_path, width)
    assert found(text) == {"before": 5, "one": ["adam", "nadam"], "after": 5, "other": True, "open": True, "wide": True}
