"""Writes the generated pages."""

from __future__ import annotations

from pathlib import Path

from pages import elsewhere, path
from pages.catalogue import catalogue
from pages.contents import contents
from pages.optimizer import Beside, page
from thalweg.lab import playground
from thalweg.methods import rules


def write(docs: Path) -> None:
    """Write all generated pages into a copy of docs/."""
    optimizers = docs / "optimizers"
    optimizers.mkdir(exist_ok=True)
    path.ground(docs / "_static" / "ground.svg")
    beside = Beside(dict(path.walks()), elsewhere.measured(docs), frozenset(playground.names()))
    beyond = docs / "_whole"
    beyond.mkdir(exist_ok=True)
    (beyond / "playground.html").write_text(playground.page(), encoding="utf-8")
    for name, rule in rules.items():
        (optimizers / f"{name}.md").write_text(page(rule, beside), encoding="utf-8")
    (optimizers / "index.md").write_text(catalogue(), encoding="utf-8")
    with (docs / "index.md").open("a", encoding="utf-8") as first:
        first.write(f"\n{contents(docs)}")
