"""Other libraries' optimizers, by the rule of ours that they are, or are meant to be."""

from __future__ import annotations

import functools
import re

from thalweg.dialects.method import LIBRARIES, Method, dialect, plain
from thalweg.methods import rules


@functools.cache
def by_rule() -> dict[str, list[Method]]:
    """The optimizers of all dialects: by their name, where a rule has it, else by the first rule in what they are made of."""
    found: dict[str, list[Method]] = {name: [] for name in rules}
    named = {plain(name): name for name in rules}
    for library in LIBRARIES:
        for method in dialect(library).values():
            if (own := named.get(plain(method.name))) is not None:
                found[own].append(method)
                continue
            needed = method.settings[0].options if method.settings else {}
            words = re.findall(r"\w+", repr(method.of_paper(**needed)).partition(": ")[2])
            for name in dict.fromkeys(word for word in words if word in found):
                found[name].append(method)
                break
    return found


def differing(name: str) -> list[str]:
    """For each library whose optimizer of this rule is another one, with its own defaults: its name, and what differs."""
    causes = [(method, method.cause(method.settings[0]) if method.settings else method.differs) for method in by_rule()[name]]
    return [f"{method.library}.{method.name}: {cause}" for method, cause in causes if cause]
