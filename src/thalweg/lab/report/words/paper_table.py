"""The comparison as a LaTeX table, and the papers of its rules, to use in a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thalweg.lab.report.advice import alike, tested
from thalweg.lab.report.schema.parts import Interval
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.words.bibliography import bibliography, cited
from thalweg.lab.report.words.blocks import counted
from thalweg.lab.report.words.latex import escaped, rounded, tabular
from thalweg.lab.statistics.scores import format_score
from thalweg.values.atomic import atomic_write

TABLE, PAPERS = "table.tex", "rules.bib"
"""The files, beside the report."""


def write(results: Results | SuiteResults, folder: Path) -> None:
    """Write both files. Raises OSError if writing fails."""
    papers = {row["name"]: row["paper"] for row in results["rules"]}
    for name, text in ((TABLE, table(results)), (PAPERS, bibliography(papers))):
        with atomic_write(folder / name) as file:
            file.write(text)


def table(results: Results | SuiteResults) -> str:
    """A floating table, with a citation beside each rule that names a paper."""
    caption, columns, head, rows = _suite(results) if "suite" in results else _problem(results)
    label = escaped(results["suite"] if "suite" in results else results["problem"]["name"]).replace("\\", "")
    inner = "\n".join(f"  {line}" for line in tabular(columns, head, rows).splitlines())
    return (
        "% Needs \\usepackage{booktabs}; the papers are in rules.bib.\n"
        f"\\begin{{table}}\n  \\centering\n  \\caption{{{caption}}}\n  \\label{{tab:{label}}}\n{inner}\n\\end{{table}}\n"
    )


Parts = tuple[str, str, Sequence[str], Sequence[Sequence[str]]]


def _problem(results: Results) -> Parts:
    score, rows = results["problem"]["score"], results["rules"]
    bold = {row["name"] for row in alike(rows)} if tested(rows) else set()
    told = f"Mean test {score['name']} on {results['problem']['name']} with its 95 % interval over {counted(results['settings'])}"
    caption = escaped(f"{told}, tuned and at the usual learning rate.{_bold(bool(bold))}")
    made = [
        [
            _name(row["name"], row["paper"], row["name"] in bold), *_score(row["score"], score["share"]),
            rounded(row["best_lr"]), _share(row["untuned"]["score"]["mean"], score["share"]),
        ]
        for row in rows
    ]  # fmt: skip
    return caption, "lrrrr", ["Optimizer", escaped(f"Test {score['name']}"), "Interval", "Learning rate", "Untuned"], made


def _suite(results: SuiteResults) -> Parts:
    rows = results["rules"]
    bold = {row["name"] for row in rows if row["verdict"]["separable"] is not True} if tested(rows) else set()
    told = (
        f"Mean rank over {len(results['problems'])} problems with its 95 % interval over seeds, and the share of the way from the"
    )
    caption = escaped(f"{told} start to the best score, tuned and at the usual learning rate.{_bold(bool(bold))}")
    made = [
        [
            _name(row["name"], row["paper"], row["name"] in bold), f"{row['mean_rank']['value']:.1f}",
            f"[{row['mean_rank']['low']:.1f}, {row['mean_rank']['high']:.1f}]",
            _share(row["share"]["value"], True), _share(row["untuned"]["value"], True),
        ]
        for row in rows
    ]  # fmt: skip
    return caption, "lrrrr", ["Optimizer", "Mean rank", "Interval", "Share of the way", "Untuned"], made


def _bold(any_: bool) -> str:
    return " Bold: not shown to be worse than another." if any_ else ""


def _name(name: str, paper: str, bold: bool) -> str:
    text = rf"\textbf{{{escaped(name)}}}" if bold else escaped(name)
    keys = ",".join(entry.key for entry in cited(name, paper))
    return rf"{text}~\cite{{{keys}}}" if keys else text


def _score(score: Interval, share: bool) -> list[str]:
    if score["low"] is None or score["high"] is None:
        return [_share(score["mean"], share), "--"]
    low, high = (format_score(score[end], share).removesuffix(" %") for end in ("low", "high"))
    return [_share(score["mean"], share), escaped(f"[{low}, {high}]")]


def _share(x: float | None, share: bool) -> str:
    """A score: shares in per cent."""
    return "--" if x is None else escaped(format_score(x, share)).replace(r" \%", r"\,\%")
