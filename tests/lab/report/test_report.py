"""The report on results of all kinds: complete, self-contained, safe, deterministic; and its figures."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from matplotlib.figure import Figure

from lab.report.fake_results import fake
from thalweg.lab.report import report
from thalweg.lab.report.figures.cost import cost, frontier
from thalweg.lab.report.figures.labels import Box, beside
from thalweg.lab.report.figures.lines import lines
from thalweg.lab.report.figures.scale import Scale, plain_log
from thalweg.lab.report.figures.scores import near_best, scores
from thalweg.lab.report.figures.sensitivity import reach
from thalweg.lab.report.figures.style import marks, short
from thalweg.lab.report.rows import _default
from thalweg.methods import rules

SCRIPT = "<script>alert(1)</script>"
LONG = "a$x^2$ & 'b' \"c\" " + "y" * 50
VOID = {"meta", "link", "br", "hr", "img", "input", "path", "use", "rect"}


class Page(HTMLParser):
    """A page's elements, with what they hold; raises where one is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.words[self.open[-1]] = self.words.get(self.open[-1], "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@cache
def whole() -> tuple[dict[str, Any], str]:
    results = fake(rules=20, names={3: SCRIPT, 8: LONG})
    return results, report.render(results)


def test_the_page_has_all_that_was_asked() -> None:
    results, text = whole()
    page = Page(text)
    assert page.all("html")[0]["lang"] == "en"
    headings = re.findall(r"<h2[^>]*>([^<]*)", text)
    assert headings == [
        "Final scores", "The ranking", "Score and cost", "Learning curves", "How much the learning rate matters", "Side by side",
        "The effect of a larger tuning budget", "Checks of the comparison itself", "What the words mean", "How it was done", "Do it again", "Every setting", "Failures and notes", "Made with",
    ]  # fmt: skip
    assert {link["href"] for link in page.all("a")} <= {f"#{i}" for i in re.findall(r' id="(\w+)"', text)}
    assert len(page.all("caption")) == len(page.all("table")) == 3
    assert all(cell["scope"] in ("row", "col") for cell in page.all("th"))
    for row in results["rules"]:
        assert text.count(f">{_escaped(row['name'])}") >= 2, "in both tables"
    assert "thalweg compare --data &#39;my &lt;data&gt;" in text
    assert "<dt>learned</dt><dd>Not tuned: it runs its shipped setting.</dd>" in text
    assert "1 of 10 judged runs diverged, at the learning rate that was chosen." in text
    assert len(text.encode()) < 2_500_000


def test_the_page_asks_nobody_for_anything() -> None:
    text = whole()[1]
    assert not {"link", "img", "iframe", "object", "embed"} & {tag for tag, _ in Page(text).tags}
    for _, attributes in Page(text).tags:
        for name in ("src", "href", "xlink:href", "action", "data"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"@import|url\((?!#)", text)


def test_names_of_users_stay_text() -> None:
    results, text = whole()
    assert SCRIPT.lower() not in text.lower()
    assert [script.get("id") for script in Page(text).all("script")] == ["explored", None, "results"]
    assert not Page(text).all("i"), "of a rule's source"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    for figure in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(figure)
    assert short(LONG) in re.sub(r"&amp;", "&", " ".join(re.findall(r"<text[^>]*>([^<]*)", text))), "a $ is a $"
    assert element(text, "results") == results
    assert SCRIPT in element(text, "explored")["rules"]


def element(text: str, name: str) -> Any:
    """What a script element of data holds."""
    (found,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_every_rules_setting_is_json() -> None:
    """Which knows no infinity; LAMB has one for a default."""
    written = {name: [_default(h.default) for h in rule.parts.values()] for name, rule in rules.items()}
    assert "inf" in json.loads(json.dumps(written, allow_nan=False))["lamb"]


def test_json_cannot_leave_its_element() -> None:
    results = fake(rules=2, seeds=2)
    results["command"] = "</script><!-- <script> ]]> & \u2028"
    text = str(report.embedded(results))
    assert not set("<>&") & set(text)
    assert json.loads(text) == results


def test_every_picture_says_what_it_shows() -> None:
    results, text = whole()
    pictures = Page(text).all("svg")
    assert len(pictures) == 5 + 20 + 19 + 2
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)
    labels = " ".join(str(picture["aria-label"]) for picture in pictures)
    for row in results["rules"]:
        assert row["name"] in labels
    text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    for used in re.findall(r'(?:href="|url\()#([^")]*)', text):
        assert used in ids


def test_pictures_are_readable_in_the_dark() -> None:
    text = whole()[1]
    colours = set(re.findall(r"var\(--(\w+),", text))
    dark = set(re.findall(r"--(\w+):", text[text.index("prefers-color-scheme: dark") : text.index("* { box-sizing")]))
    assert {"111111", "1b1b97"} <= colours, "black is written, too: it has to become white"
    assert colours <= dark
    for figure in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        assert not re.findall(r"(?:fill|stroke):#", figure), "a colour that the page cannot change"


DEGENERATE = {
    "one rule, one seed": {"rules": 1, "seeds": 1},
    "two rules, one seed": {"rules": 2, "seeds": 1},
    "all diverged": {"rules": 3, "seeds": 2, "hopeless": True},
    "all diverged on a surface": {"rules": 2, "seeds": 2, "hopeless": True, "kind": "surface"},
    "regression": {"rules": 4, "seeds": 3, "kind": "r2"},
    "surface": {"rules": 4, "seeds": 3, "kind": "surface"},
}


@pytest.mark.parametrize("options", DEGENERATE.values(), ids=DEGENERATE)
def test_results_of_all_kinds_have_a_page(options: dict[str, Any]) -> None:
    page = Page(report.render(fake(**options)))
    assert len(page.all("tr")) == 2 * (options["rules"] + 1) + 1
    assert "nan" not in page.words["text"]


def test_equal_scores_and_values_that_are_not_there() -> None:
    results = fake(rules=2, seeds=3)
    results["target"] = {"loss": None, "sentence": "none"}
    results["rules"] = results["rules"] * 3
    for i, row in enumerate(results["rules"]):
        results["rules"][i] = row = copy.deepcopy(row)
        row.update(name=f"rule {i}", step_cost=None, width=None, search=None, score={"mean": 0.5, "low": 0.5, "high": 0.5})
        for run in row["judging"]:
            run.update(test_score=0.5, loss_curve=[0.0] * 51 if i else [])
        row["tuning"] = [{**trial, "score": 1.0, "loss": 0.0} for trial in row["tuning"]] if i != 2 else []
    page = Page(report.render(results))
    assert len(page.all("svg")) == 4 + 6 + 5 + 2
    assert cost(results["rules"], results["problem"]["score"]) == ""


def test_the_same_results_make_the_same_page() -> None:
    assert report.render(fake(rules=3, seeds=3)) == report.render(fake(rules=3, seeds=3))


def test_the_page_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    results = fake(rules=1, seeds=1)
    report.write(results, tmp_path / "report.html", report.render)
    before = (tmp_path / "report.html").read_bytes()
    broken = copy.deepcopy(results)
    broken["rules"][0]["width"] = object()
    with pytest.raises(TypeError):
        report.write(broken, tmp_path / "report.html", report.render)
    assert (tmp_path / "report.html").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "figures", "table.tex", "rules.bib"}
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        report.write(results, tmp_path / "file" / "report.html", report.render)


def test_marks_are_given_out_in_the_order_of_the_rows() -> None:
    rows = [{"name": name} for name in ("mine", "adam", "also mine")]
    assert list(marks(rows).values()) == list(marks([{"name": name} for name in "abc"]).values())


def test_what_is_far_off_leaves_the_others_room() -> None:
    def row(mean: float | None) -> dict[str, Any]:
        return {"name": "r", "score": {"mean": mean, "low": mean, "high": mean}}

    linear = Scale("linear")
    assert near_best([row(x) for x in (0.97, 0.969, 0.968, 0.2, None)], linear) == [True, True, True, False, False]
    assert near_best([row(x) for x in (0.5, 0.5, 0.5, 0.2)], linear) == [True] * 4
    assert near_best([row(x) for x in (1e-9, 1e-8, 1e-7, 1e5)], Scale("log")) == [True, True, True, False]
    results = fake(rules=20)
    assert scores(results).count("off this scale") == 2
    assert "no finite score in 1 of 10 runs" in scores(results)


def test_the_scale_follows_the_score() -> None:
    share = {"share": True, "higher_is_better": True}
    lower = {"share": False, "higher_is_better": False}
    assert Scale.of([0.9, 0.99], share).kind == "missing"
    assert Scale.of([0.9, 1.0], share).place(1.0) == pytest.approx(0.05), "half of what is missing to the best below 100 %"
    assert Scale.of([1e-9, 1.0], lower).kind == "log"
    assert Scale.of([0.0, 0.0], lower).kind == "linear"
    assert Scale.of([0.0, 1e-3, 1.0], lower).place(0.0) == 5e-4
    assert Scale.of([-1.0, 1.0], lower).kind == "linear"


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_an_axis_has_two_ends_where_scores_are_next_to_equal(kind: Literal["linear", "log"]) -> None:
    """matplotlib warns of ends that are one, and a warning is an error here."""
    axes = Figure().add_subplot()
    Scale(kind, 0.1).dress(axes, "x", 0.5, float(np.nextafter(0.5, 1)))
    low, high = axes.get_xlim()
    assert low < 0.49 < 0.51 < high


def test_the_frontier_holds_what_nothing_beats() -> None:
    rows = [
        {"name": n, "step_cost": c, "score": {"mean": m}}
        for n, c, m in (("a", 1, 0.5), ("b", 2, 0.4), ("c", 3, 0.9), ("d", 3, 0.8))
    ]
    assert [row["name"] for row in frontier(rows, True)] == ["a", "c"]
    assert [row["name"] for row in frontier(rows, False)] == ["a", "b"]
    alone = fake(rules=1, seeds=2)
    assert cost(alone["rules"], alone["problem"]["score"]) == "", "one rule has nothing to be compared with"


def test_timings_that_are_all_but_equal_put_nothing_on_the_frontier() -> None:
    rows = [
        {"name": n, "step_cost": c, "score": {"mean": m}} for n, c, m in (("a", 0.97, 0.5), ("b", 1.0, 0.9), ("c", 1.03, 0.91))
    ]
    assert [row["name"] for row in frontier(rows, True)] == ["c"]
    assert [row["name"] for row in frontier([{**row, "step_cost": 1.0} for row in rows], False)] == ["a"]


def test_a_log_axis_over_a_short_range_has_ticks() -> None:
    axes = Figure().add_subplot()
    plain_log(axes, "x", 0.8, 2.4)
    inside = [x for x in axes.get_xticks() if 0.8 <= x <= 2.4]
    assert inside == pytest.approx([0.8, 1, 1.2, 1.5, 2])


def test_every_axis_of_shares_says_what_it_is() -> None:
    text = lines(
        {row["name"]: row["best_of"] for row in fake(rules=3)["rules"]},
        None,
        "settings tried (k)",
        "of the way to the best",
        "budget",
        "whole",
    )
    assert "settings tried (k)" in text
    assert "of the way to the best" in text


def test_a_panel_has_room_for_the_best_single_trial() -> None:
    results = fake(rules=3)
    results["rules"][0]["tuning"][0]["score"] = 0.9999
    assert max(reach(results["rules"], results["problem"]["score"])) == 0.9999


def test_labels_cover_no_points_and_no_labels() -> None:
    points = [(100.0 + 3 * i, 100.0) for i in range(8)]
    boxes = beside(points, [(40.0, 9.0)] * 8, Box(0, 0, 300, 300), gap=5)
    dots = [Box(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    for i, box in enumerate(boxes):
        assert not any(box.covers(other) for other in (*dots, *boxes[:i]))
        assert box.left >= 0
        assert box.right <= 300


def _escaped(name: str) -> str:
    for raw, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ('"', "&#34;")):
        name = name.replace(raw, safe)
    return name
