"""The papers of the rules that were compared, as BibTeX."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from thalweg.lab.report.words.latex import escaped

ARXIV = re.compile(r"arXiv (\d{4}\.\d{5}|\d{4}\.\d{4})")


class Entry(NamedTuple):
    """A BibTeX entry: its key, its text, and what a rule's docstring says where it cites it."""

    key: str
    text: str
    cited: str


@functools.cache
def known() -> tuple[Entry, ...]:
    """The entries of papers.bib."""
    text = (Path(__file__).parent / "papers.bib").read_text("utf-8")
    return tuple(_entry(found[1], found[0]) for found in re.finditer(r"^@\w+\{(\w+),\n.*?^\}$", text, re.MULTILINE | re.DOTALL))


def _entry(key: str, text: str) -> Entry:
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", text, re.MULTILINE))
    first = re.escape(fields["author"].partition(",")[0])
    return Entry(key, text, rf"arXiv {fields['eprint']}\b" if "eprint" in fields else rf"\b{first}\b[^;()]*\b{fields['year']}\b")


def cited(name: str, paper: str) -> list[Entry]:
    """The entries of a rule, by what its docstring says. One is made for a paper that is not known here; [] without a paper."""
    found = [entry for entry in known() if re.search(entry.cited, paper)]
    if found or not paper:
        return found
    key = re.sub(r"[^A-Za-z0-9]", "", name) or "rule"
    eprint = ARXIV.search(paper)
    fields = {"title": f"{{{escaped(paper)}}}", **({"eprint": eprint[1], "archiveprefix": "arXiv"} if eprint else {})}
    text = "\n".join([f"@misc{{{key},", *(f"  {field} = {{{value}}}," for field, value in fields.items()), "}"])
    return [Entry(key, text, paper)]


def bibliography(papers: Mapping[str, str]) -> str:
    """The entries of rules, given their docstrings' papers, each once and in the order of their keys."""
    found = {entry.key: entry.text for name, paper in papers.items() for entry in cited(name, paper)}
    return "\n\n".join(found[key] for key in sorted(found)) + "\n" if found else "% No rule here names a paper.\n"
