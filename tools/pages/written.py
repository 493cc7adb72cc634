"""Writes the generated pages."""

from __future__ import annotations

from pathlib import Path

from pages import elsewhere, path, play, reference
from pages.catalogue import catalogue
from pages.contents import contents
from pages.optimizer import Beside, page
from pages.parts import filled
from pages.tree import tree
from thalweg.lab import playground
from thalweg.methods import rules


def write(docs: Path, root: Path) -> None:
    """Write all generated pages into a copy of docs/, and fill in what its pages leave open. root: that of the repository."""
    optimizers, names = docs / "optimizers", docs / "reference"
    for folder in (optimizers, names, docs / "_extra"):
        folder.mkdir(exist_ok=True)
    for each in docs.glob("*.md"):
        each.write_text(filled(each.read_text("utf-8"), root), encoding="utf-8")
    path.ground(docs / "_static" / "ground.svg")
    beside = Beside(dict(path.walks()), elsewhere.measured(docs), frozenset(playground.names()))
    play.write(docs / "_extra")
    for name, rule in rules.items():
        (optimizers / f"{name}.md").write_text(page(rule, beside), encoding="utf-8")
    (optimizers / "index.md").write_text(catalogue(), encoding="utf-8")
    (optimizers / "tree.md").write_text(tree(), encoding="utf-8")
    for name, text in reference.pages():
        (names / f"{name}.md").write_text(text, encoding="utf-8")
    with (docs / "index.md").open("a", encoding="utf-8") as first:
        first.write(f"\n{contents(docs)}")
