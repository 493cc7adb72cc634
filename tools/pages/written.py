"""Writes the generated pages."""

from __future__ import annotations

from pathlib import Path

from pages.contents import contents


def write(docs: Path) -> None:
    """Write all generated pages into a copy of docs/."""
    with (docs / "index.md").open("a", encoding="utf-8") as first:
        first.write(f"\n{contents(docs)}")
