"""The family tree: each optimizer under the one that it is a change of."""

from __future__ import annotations

from pages.optimizer import link
from pages.typeset import marked, raw
from thalweg.methods import family, rules


def tree() -> str:
    """The page."""
    told = "Each optimizer stands under the one that it is a change of, with the change; a second parent is named beside it.\n"
    roots = sorted(family.roots(), key=lambda name: (-_below(name), name))
    alone = [name for name in roots if not family.children(name)]
    grown = "".join(_branch(name) for name in roots if name not in alone)
    last = f"<p>With neither parent nor child here: {', '.join(map(link, alone))}.</p>" if alone else ""
    return f'# The family tree\n\n{told}\n{raw(f"""<ul class="tree">{grown}</ul>{last}""")}'


def _below(name: str) -> int:
    """How many grew from this one, over all generations."""
    return sum(1 + _below(child) for child in family.children(name))


def _branch(name: str) -> str:
    year = f" <small>{rules[name].year}</small>" if rules[name].year else ""
    others = family.parents(name)[1:]
    beside = f" (and from {', '.join(map(link, others))})" if others else ""
    change = f": {marked(family.change(name))}{beside}" if family.change(name) else ""
    head = f"{link(name)}{year}{change}"
    below = "".join(map(_branch, family.children(name)))
    return f"<li>{head}{f'<ul>{below}</ul>' if below else ''}</li>"
