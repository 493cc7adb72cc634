"""Matplotlib figures as inline <svg> elements: small, with light and dark mode, and without id collisions."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import matplotlib
from markupsafe import escape
from matplotlib.figure import Figure

from thalweg.lab.report.figures.style import DARK, SETTINGS
from thalweg.values.atomic import atomic_write

NOT_NEEDED = re.compile(r' (?:id="(?![mp][0-9a-f]{10}")[^"]*"|xmlns(?::\w+)?="[^"]*"|version="1.1"|transform="rotate\(-0 [^"]*")')
LONG = re.compile(r"-?\d+\.\d{2,}")
PAPER: Any = {**SETTINGS, "pdf.fonttype": 42}
"""The settings of a PDF: TrueType fonts, as many conferences accept no others."""

Drawn = dict[str, tuple[Figure, str]]
"""Figures by name, each with its SVG text."""
_kept: ContextVar[Drawn | None] = ContextVar("kept", default=None)


@contextmanager
def kept() -> Iterator[Drawn]:
    """Context manager: collect the figures drawn inside by name, except panels, to write them to files too."""
    found: Drawn = {}
    token = _kept.set(found)
    try:
        yield found
    finally:
        _kept.reset(token)


def write(figures: Drawn, folder: Path) -> None:
    """Write each figure as NAME.svg and NAME.pdf unless it exists. Raises OSError if writing fails."""
    folder.mkdir(exist_ok=True)
    with matplotlib.rc_context(PAPER), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (figure, text) in figures.items():
            vector, paper = folder / f"{name}.svg", folder / f"{name}.pdf"
            if paper.is_file() and vector.is_file() and vector.read_bytes() == text.encode():
                continue  # slow: its fonts alone take as long as a problem's statistics
            with atomic_write(paper, "wb") as file:
                figure.savefig(file, format="pdf", metadata={"CreationDate": None})
            with atomic_write(vector, "wb") as file:
                file.write(text.encode())


def svg(figure: Figure, name: str, label: str, panel: bool = False) -> str:
    """The figure as an <svg> element. name: unique on the page; label: text for screen readers; panel: whether it is a panel.

    Colours become CSS variables, so that the page can change them: `#1f2933` is `var(--1f2933, #1f2933)`.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the browser draws letters that matplotlib's font lacks
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = buffer.getvalue()
    found = _kept.get()
    if found is not None and not panel:
        found[name] = figure, text
    text = re.sub(r"<style.*?</style>", "", text[text.index("<svg") :], count=1, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", lambda tag: _tidied(tag[0], name), text)
    text = re.sub(r">\s+<", "><", text)
    text = re.sub(r"<g>(<(?:path|use|text)[^>]*>(?:[^<]*</text>)?)</g>", r"\1", text).strip()
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(label)}" font-family="sans-serif"', 1)


def _tidied(tag: str, name: str) -> str:
    """A tag without attributes that the page sets globally, with short numbers and prefixed ids."""
    tag = NOT_NEEDED.sub("", tag)
    tag = re.sub(r' font-family: [^;"]*;', "", tag)
    tag = re.sub(r'(id="|url\(#|href="#)(?=[mp][0-9a-f]{10})', rf"\1{name}-", tag)
    tag = tag.replace("xlink:href", "href")
    tag = LONG.sub(lambda number: f"{float(number[0]):.1f}".replace(".0", ""), tag)
    tag = re.sub(r"#[0-9a-f]{6}", lambda c: f"var(--{c[0][1:]},{c[0]})" if c[0] in DARK else c[0], tag)
    return re.sub(r"\s+", " ", tag).replace(" L ", "L").replace(' "', '"').replace("; ", ";").replace(": ", ":")
