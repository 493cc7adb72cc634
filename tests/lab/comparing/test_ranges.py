"""Ranges of learning rates that the bank has moved, in a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import thalweg
from lab.training.loops import bowl
from thalweg import lab
from thalweg.lab.report.words import ranges

MINE = """
from thalweg import rule


@rule(lr=0.01, search=(0.001, 1.0))
def mine(g):
    return g
"""


def test_measured_ranges_are_told_and_searched(tmp_path: Path) -> None:
    """Of the lab's functions the bank's rates say nothing; of data they do, and a rule of the user's keeps its own."""
    (tmp_path / "mine.py").write_text(MINE)
    same: dict[str, Any] = {"rules": ["adam", "sgd"], "budget": 2, "seeds": 2, "steps": 4, "jobs": 1, "ranges": "measured"}
    found = lab.compare(problem="wine", my_rule=tmp_path / "mine.py", out=tmp_path / "wine", **same)
    searched = {row["name"]: row["search"] for row in found.results["rules"]}
    sentence = next(each for each in found.results["protocol"]["sentences"] if "in the bank" in each)
    moved = {name for name in ("adam", "sgd") if searched[name] != list(thalweg.rules[name].search or ())}
    assert moved
    for name in moved:
        low, high = searched[name]
        assert f"{name} {low:g} to {high:g}" in sentence
        assert high / low == pytest.approx(1e4, rel=0.05), "as wide as declared"
    assert searched["mine"] == [0.001, 1.0]
    assert ranges.METHOD in (tmp_path / "wine" / "report.html").read_text()
    usual = lab.compare(problem="wine", out=tmp_path / "usual", **{**same, "ranges": None})
    assert not any("in the bank" in each for each in usual.results["protocol"]["sentences"])
    assert ranges.METHOD not in (tmp_path / "usual" / "report.html").read_text()
    lab.compare(suite="tiny", out=tmp_path / "suite", **same)
    page = (tmp_path / "suite" / "report.html").read_text()
    assert "On wine, the ranges of these optimizers" in page
    assert "On quadratic_10, the ranges" not in page
    assert ranges.METHOD in page
    valley = lab.compare(problem="rosenbrock", out=tmp_path / "valley", **same)
    assert all(row["search"] == list(thalweg.rules[row["name"]].search or ()) for row in valley.results["rules"])


def test_ranges_of_a_training_function_are_told_too(tmp_path: Path) -> None:
    found = lab.compare(train=bowl, rules=["sgd", "adam"], budget=2, seeds=2, ranges="measured", out=tmp_path, jobs=1)
    moved = found.results["settings"]["ranges"]
    assert moved
    assert ranges.sentences(moved)[0] in found.results["protocol"]["sentences"]
    assert {name: own for name, own in moved.items() if name == "sgd"} == {
        row["name"]: row["search"] for row in found.results["rules"] if row["name"] == "sgd"
    }
