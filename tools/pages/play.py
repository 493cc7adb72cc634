"""The playground among the pages, and links into it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from thalweg.lab.playground import page
from thalweg.methods import family

FILE = "playground.html"


def write(folder: Path) -> None:
    """Write the playground."""
    (folder / FILE).write_text(page(), encoding="utf-8")


def address(name: str, there: frozenset[str]) -> str | None:
    """Where an optimizer runs beside its parent, seen from its page; None if it does not print as JavaScript."""
    if name not in there:
        return None
    together = [other for other in (family.parent(name), name) if other in there]
    return f"../{FILE}#{quote(json.dumps({'rules': [[other, {}] for other in together]}))}"
