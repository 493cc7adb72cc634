"""What the pages in docs/ leave to be filled in: numbers, each from where it is measured."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path

from pages.judged import advice
from pages.typeset import raw, table
from thalweg.lab.bank.kinds import KINDS
from thalweg.lab.bank.words import percent, span, verdict

HERE = re.compile(r"^<!-- here: (\w+) -->$", re.MULTILINE)
MEASURED = re.compile(r"^<!-- measured by .*?<!-- /measured[^\n]* -->$", re.MULTILINE | re.DOTALL)
OPTIMIZERS = "optimizers"


def _link(name: str) -> str:
    return f'<a href="{OPTIMIZERS}/{name}.html"><code>{escape(name)}</code></a>'


def choosing(root: Path) -> str:
    """What to try first for each kind of problem."""
    rows = []
    for kind, found in advice().items():
        first, other = found.rows[0], found.row(found.untuned)
        about = "all problems with data" if kind == "any" else KINDS[kind].about
        alike = sum(row.alike for row in found.rows) - 1
        rows.append([
            f"{escape(kind)}<br><small>{escape(about)}</small>", _link(first.rule), span(first.gap), _link(other.rule),
            span(other.untuned), span(found.row("adam").gap), f"{alike} of {len(found.rows) - 1}", ", ".join(found.problems),
        ])  # fmt: skip
    head = [
        "kind",
        "first, tuned",
        "behind the best",
        "first, untuned",
        "behind the best",
        "adam, tuned",
        "not told apart",
        "problems",
    ]
    return raw(table(head, rows, "choosing"))


def sure(root: Path) -> str:
    """How such choices did on data that had no part in them."""
    return verdict(advice()["any"].regrets["tuned"])


def limits(root: Path) -> str:
    """What the measurements are, and what they are not."""
    found = advice()["any"]
    middle = sorted(row.gap.value for row in found.rows)[len(found.rows) // 2]
    return f"{found.sentences[-1]} The middle one of all optimizers, tuned, is {percent(middle)} behind the best."


def measured(root: Path) -> str:
    """The README's measured tables."""
    return "\n\n".join(
        re.sub(r"<!--.*?-->\n?", "", found[0]) for found in MEASURED.finditer((root / "README.md").read_text("utf-8"))
    )


def doors(root: Path) -> str:
    """Links from the first page to what is generated."""
    return (
        "[All optimizers](optimizers/index.md) · [the family tree](optimizers/tree.md) · "
        '<a href="playground.html">the playground</a> · [which one first](choosing.md)'
    )


def playground(root: Path) -> str:
    """The playground as the site carries it."""
    return '<a href="playground.html">Open it</a>: the page with all optimizers that run in one.'


PARTS: dict[str, Callable[[Path], str]] = {
    "choosing": choosing,
    "sure": sure,
    "limits": limits,
    "measured": measured,
    "doors": doors,
    "playground": playground,
}


def filled(text: str, root: Path) -> str:
    """A page with its parts filled in. Raises KeyError for a part that there is not."""
    return HERE.sub(lambda found: PARTS[found[1]](root), text)
