"""Formulas as MathML, which browsers typeset themselves, and other pieces of HTML."""

from __future__ import annotations

import functools
import re
from html import escape

from latex2mathml.converter import convert

from thalweg.graph.formula import Formula

UPRIGHT = re.compile(r'<mi mathvariant="normal">[^<]+</mi>(?:<mi mathvariant="normal">[^<]+</mi>|<mn>\d+</mn>)+')
"""A word letter by letter. As one identifier it is upright, and has a word's spacing."""


@functools.cache
def math(latex: str) -> str:
    """An expression, in a line of text."""
    made = convert(latex.replace(r"\operatorname{", r"\mathrm{"))
    return UPRIGHT.sub(lambda found: f"<mi>{re.sub('<[^>]*>', '', found[0])}</mi>", made)


@functools.cache
def _inner(latex: str) -> str:
    return re.sub(r"^<math[^>]*>|</math>$", "", math(latex))


def display(formula: Formula) -> str:
    """A formula's lines, aligned at their equals signs."""
    body = formula.latex.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    rows = []
    for line in body.split(" \\\\\n"):
        left, _, right = line.partition("&")
        if right.startswith("\\text{"):
            words = re.sub(r"\\(.)", r"\1", right.removeprefix("\\text{").removesuffix("}"))
            rows.append(f'<mtr class="where"><mtd columnspan="2"><mtext>{escape(words)}</mtext></mtd></mtr>')
        else:
            rows.append(f'<mtr><mtd class="left">{_inner(left)}</mtd><mtd class="right">{_inner(right)}</mtd></mtr>')
    label = escape(formula.plain, quote=True).replace("\n", "&#10;")
    table = f'<mtable displaystyle="true">{"".join(rows)}</mtable>'
    return f'<div class="formula" tabindex="0" role="group" aria-label="{label}"><math display="block">{table}</math></div>'


def raw(html: str) -> str:
    """HTML in a page of Markdown."""
    return f"```{{raw}} html\n{html}\n```\n"


def table(head: list[str], rows: list[list[str]], name: str = "") -> str:
    """A table of HTML cells."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="table-wrapper docutils container" tabindex="0"><table class="docutils {name}"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def marked(text: str) -> str:
    """Text as HTML, where backticks are code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def words(text: str) -> str:
    """A docstring's text as HTML; empty lines part paragraphs."""
    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    return "".join(f"<p>{marked(part)}</p>" for part in parts if part)
