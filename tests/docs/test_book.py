"""The site's generated pages: what they say of each optimizer, and the check of the result. tools/ci builds the whole."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import NEEDS_ONE, found, shown

from thalweg.methods import family, rules

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from pages import checked  # noqa: E402
from pages.contents import CONTENTS  # noqa: E402
from pages.meaning import meanings  # noqa: E402

SCROLLED = """
const wide = [...document.querySelectorAll(".formula")].some((box) => box.scrollWidth > box.clientWidth);
document.body.dataset.found = JSON.stringify({ over: document.documentElement.scrollWidth > innerWidth, wide });
"""
TYPESETS = pytest.mark.skipif(importlib.util.find_spec("latex2mathml") is None, reason="latex2mathml is not installed")


def _site(folder: Path, **pages: str) -> list[str]:
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
    checked.page.cache_clear()
    return checked.faults(folder)


def test_a_whole_site_has_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("b { color: red }")
    one = '<a href="two.html#there">x</a><link rel="stylesheet" href="a.css"><a href="https://arxiv.org">y</a><img src="data:,">'
    assert _site(tmp_path, one=one, two='<p id="there">z</p>') == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="three.html">x</a>', "one.html: leads nowhere: three.html"),
        ('<a href="one.html#gone">x</a>', "one.html: leads nowhere: one.html#gone"),
        ('<script src="https://cdn.example/x.js"></script>', "one.html: loaded from elsewhere: https://cdn.example/x.js"),
        ('<img src="//cdn.example/x.png">', "one.html: loaded from elsewhere: //cdn.example/x.png"),
        ('<link rel="stylesheet" href="http://fonts.example">', "one.html: loaded from elsewhere: http://fonts.example"),
        ('<img src="x.png">', "one.html: is not there: x.png"),
    ],
)
def test_a_fault_is_found(body: str, fault: str, tmp_path: Path) -> None:
    assert _site(tmp_path, one=body) == [fault]


def test_a_style_that_loads_a_font_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url(https://fonts.example/x) }")
    assert _site(tmp_path, one="x") == ["a.css: loads from elsewhere"]


def test_each_page_has_its_place() -> None:
    placed = {name for pages in CONTENTS.values() for name in pages}
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"} <= placed


@pytest.mark.parametrize(
    ("rule", "letter", "said"),
    [
        ("adam", "vₜ", "a decaying average of gₜ^2"),
        ("adagrad", "Gₜ", "the sum so far of gₜ^2"),
        ("amsgrad", "v_maxₜ", "the largest so far of vₜ"),
        ("momentum", "vₜ", "a decaying sum of gₜ"),
    ],
)
def test_a_slot_is_told_in_words(rule: str, letter: str, said: str) -> None:
    assert meanings(rules[rule].formula())[letter] == [said]


def test_a_line_of_another_form_is_not_told_as_an_average() -> None:
    assert "vₜ" not in meanings(rules["yogi"].formula())
    assert meanings(type(rules["adam"].formula())("", "mₜ = β₁ mₜ₋₁ + (1 - β₂) gₜ")) == {"mₜ": ["a decaying sum of (1 - β₂) gₜ"]}


@TYPESETS
def test_every_formula_is_typeset_whole() -> None:
    """No command of LaTeX is left, and each line has its row."""
    from pages.typeset import display

    for name, rule in rules.items():
        made = display(rule.formula()).partition("<math")[2]
        assert "\\" not in made, name
        assert made.count("<mtr") - made.count("columnalign") // 2 >= len(rule.formula().plain.splitlines()), name


@TYPESETS
@pytest.mark.slow
def test_a_page_has_what_it_promises() -> None:
    from pages import elsewhere
    from pages.optimizer import Beside, page

    told = page(rules["adam"], Beside({}, elsewhere.measured(ROOT / "docs"), frozenset({"adam", "rmsprop"})))
    headings = re.findall(r"^## (.*)$", told, re.MULTILINE)
    assert headings == [
        *("Formula", "Take it", "Its path", "Where it comes from", "What a step costs", "When to take it"),
        *("What libraries do", "The code", "Paper"),
    ]
    for words in ("a decaying average of gₜ^2", "tn.Adam(params)", family.change("adam"), "28 bytes moved", "kingma2015adam"):
        assert words in told
    assert "the paper's rule" in told
    assert "<code>tf1.Adam()</code>" in told


def test_losses_are_of_rules_as_they_are() -> None:
    """A rule that has changed since has no curve, which most have; a curve is drawn beside those of its parents."""
    from pages import losses

    measured = losses.kept()
    assert len(measured["rules"]) > 0.8 * len(rules), "thalweg compare --rules all --problem digits, then tools/losses.py"
    for row in measured["rules"].values():
        assert len(row["loss"]) == len(measured["steps"])
    drawn = losses.drawing("adam")
    assert re.findall(r'<path class="(own|parent[ a-z]*)"', drawn) == ["parent second", "parent", "own"]
    assert "<title>RMSprop</title>" in drawn
    own = measured["rules"]["adam"]
    assert f"Adam ends at {own['loss'][-1]:.2g} (rate {own['lr']:.2g})" in drawn
    assert re.findall(r'<path class="(own|parent[ a-z]*)"', losses.drawing("sgd")) == ["own"]
    assert losses.drawing("no such rule") == ""


@TYPESETS
@pytest.mark.parametrize("framework", ["NumPy", "Pure", "PyTorch", "JAX"])
def test_the_code_of_every_page_runs(framework: str) -> None:
    from pages.optimizer import used

    space: dict[str, Any] = {"params": {"w": np.ones((2, 2))}}
    if framework == "PyTorch":
        torch = pytest.importorskip("torch")
        space["model"] = torch.nn.Linear(2, 2, bias=False)
    elif framework == "JAX":
        pytest.importorskip("optax")
    for rule in rules.values():
        exec(used(rule)[framework], space)
        assert space.pop("optimizer") is not None, rule.name


@TYPESETS
@NEEDS_ONE
def test_a_long_formula_scrolls_in_its_own_box(tmp_path: Path) -> None:
    """All formulas on one narrow page: it is no wider than the window, and some of them are."""
    from pages.typeset import display

    style = (ROOT / "docs" / "_static" / "book.css").read_text("utf-8")
    formulas = "".join(display(rule.formula()) for rule in rules.values())
    page = f"<!doctype html><html><head><meta charset=utf-8><style>{style}</style></head><body>{formulas}</body></html>"
    assert found(shown(page, SCROLLED, tmp_path, 500)) == {"over": False, "wide": True}


def test_the_page_of_choices_has_all_its_parts() -> None:
    """Each mark in docs/ names a part that there is."""
    marks = {
        found for path in (ROOT / "docs").glob("*.md") for found in re.findall(r"<!-- here: (\w+) -->", path.read_text("utf-8"))
    }
    assert {"choosing", "sure", "limits", "measured", "doors"} <= marks
    if importlib.util.find_spec("latex2mathml") is not None:
        from pages.parts import PARTS

        assert marks == set(PARTS)
