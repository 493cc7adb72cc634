"""What other libraries' optimizers of a name compute, by the dialect tables and the table of docs/conformance.md."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple

from pages.typeset import marked
from thalweg.dialects.by_rule import by_rule

Measured = dict[tuple[str, str, str], str]


class Row(NamedTuple):
    """One setting of another library's optimizer, as cells of HTML."""

    name: str
    apart: str
    differs: str


def measured(docs: Path) -> Measured:
    """By library, optimizer and options, how far it is from the paper's rule: the table of docs/conformance.md."""
    found: Measured = {}
    library = ""
    for line in (docs / "conformance.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            library = line.removeprefix("## ").partition(" ")[0]
        elif line.startswith("| `"):
            name, options, apart, *_ = (cell.strip() for cell in line.strip("|").split(" | "))
            found[library, name.strip("|` "), options.strip("` ")] = apart
    return found


def rows(name: str, numbers: Measured) -> list[Row]:
    """A row for each setting in which a library's optimizer of this rule was compared."""
    return [
        Row(
            f"<code>{escape(f'{method.library}.{method.name}({setting.words})')}</code>",
            escape(numbers.get((method.library, method.name, setting.words), "not measured here")),
            marked(method.cause(setting) or "the paper's rule"),
        )
        for method in by_rule()[name]
        for setting in method.settings
    ]
