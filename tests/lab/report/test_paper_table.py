"""The LaTeX table and the BibTeX entries: what LaTeX can read, and the papers that the rules name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import thalweg as tw
from lab.report.fake_results import fake
from lab.report.test_suite import whole
from thalweg.lab.report import report
from thalweg.lab.report.words import paper_table
from thalweg.lab.report.words.bibliography import ARXIV, bibliography, cited, known
from thalweg.lab.report.words.latex import escaped, rounded

NASTY = r"50% of $x_1^2 & {#~\n"


def body(text: str) -> list[str]:
    """The lines between the rules."""
    inner = text.partition("\\midrule\n")[2].partition("\\bottomrule")[0]
    return [line.strip() for line in inner.strip().splitlines()]


def balanced(text: str) -> bool:
    plain = re.sub(r"\\[{}]", "", text)
    depth = 0
    for letter in plain:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    return depth == 0


def test_a_row_for_each_optimizer_with_the_numbers_of_the_report() -> None:
    results: Any = fake(rules=6, seeds=10, names={2: NASTY})
    text = paper_table.table(results)
    assert balanced(text)
    lines = body(text)
    assert len(lines) == 6
    for line, row in zip(lines, results["rules"], strict=True):
        cells = line.removesuffix(" \\\\").split(" & ")
        assert len(cells) == 5
        assert escaped(row["name"]) in cells[0]
        if row["score"]["low"] is None:  # a run has no finite score
            continue
        assert cells[1] == f"{100 * row['score']['mean']:.1f}\\,\\%"
        assert cells[2] == f"[{100 * row['score']['low']:.1f}, {100 * row['score']['high']:.1f}]"
        assert cells[0].startswith("\\textbf") is (row["level"] or row["verdict"]["separable"] is False)
    assert set(re.findall(r"\\(?:top|mid|bottom)rule", text)) == {"\\toprule", "\\midrule", "\\bottomrule"}


def test_of_a_suite() -> None:
    results: Any = whole()[0]
    lines = body(paper_table.table(results))
    assert [line.count(" & ") for line in lines] == [4] * len(results["rules"])
    assert f"{results['rules'][0]['mean_rank']['value']:.1f}" in lines[0]


def test_what_has_no_score_is_a_dash() -> None:
    results: Any = fake(rules=3, seeds=3, hopeless=True)
    results["rules"][0]["score"] = {"mean": None, "low": None, "high": None}
    assert " & -- & -- & " in body(paper_table.table(results))[0]


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0316228, "0.0316"),
        (1.0, "1"),
        (1e-5, "$10^{-5}$"),
        (3.16e-5, r"$3.16\times10^{-5}$"),
        (2e7, r"$2\times10^{7}$"),
        (None, "--"),
    ],
)
def test_numbers(x: float | None, text: str) -> None:
    assert rounded(x) == text


def test_no_letter_of_a_name_is_a_command() -> None:
    assert re.sub(r"\\[&%$#_{}]|\\text\w+\{\d?\}", "", escaped(NASTY)) == "50 of x12  n"


def test_every_paper_of_the_catalogue_has_an_entry() -> None:
    used = set()
    for name in tw.rules:
        paper = tw.rules[name].paper
        entries = cited(name, paper)
        assert entries, name
        used |= {entry.key for entry in entries}
        told = {eprint for entry in entries for eprint in re.findall(r"eprint = \{(.*)\}", entry.text)}
        assert set(ARXIV.findall(paper)) <= told, name
        assert all(re.search(r"year = \{\d{4}\}", entry.text) or entry not in known() for entry in entries)
    assert {entry.key for entry in known()} <= used, "an entry that no rule cites"


def test_the_entries_are_bibtex() -> None:
    text = bibliography({name: tw.rules[name].paper for name in tw.rules})
    keys = re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE)
    assert keys == sorted(set(keys))
    for entry in re.split(r"\n\n", text.strip()):
        assert balanced(entry)
        assert all(re.fullmatch(r"  \w+ = \{.*\},", line) for line in entry.splitlines()[1:-1])
        assert "title = {" in entry


def test_a_rule_of_the_user_s_own() -> None:
    (entry,) = cited("my rule", "Mine (Me 2027, arXiv 2701.12345), 50 % better")
    assert entry.key == "myrule"
    assert "eprint = {2701.12345}" in entry.text
    assert r"50 \% better" in entry.text
    assert cited("mine", "") == []
    assert bibliography({"mine": ""}).startswith("%")
    assert [one.key for one in cited("mine", "As Adam (arXiv 1412.6980), with a twist")] == ["kingma2015adam"]


def test_both_are_beside_the_report(tmp_path: Path) -> None:
    results: Any = fake(rules=4, seeds=6)
    report.write(results, tmp_path / "report.html", report.render)
    text, papers = ((tmp_path / name).read_text("utf-8") for name in ("table.tex", "rules.bib"))
    keys = {key for group in re.findall(r"\\cite\{([^}]*)\}", text) for key in group.split(",")}
    assert keys == set(re.findall(r"^@\w+\{(\w+),$", papers, re.MULTILINE))
    assert keys
