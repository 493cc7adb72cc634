"""What a slot of memory holds, read from the line that changes it."""

from __future__ import annotations

import re

from thalweg.graph.formula import Formula

BEFORE = "ₜ₋₁"


def meanings(formula: Formula) -> dict[str, list[str]]:
    """For each letter with a line of its own, what its line says in words, where it is one of the usual forms."""
    found: dict[str, list[str]] = {}
    for line in formula.plain.splitlines():
        letter, equals, right = (part.strip() for part in line.partition(" = "))
        if equals and (said := _said(letter, right)) and said not in found.setdefault(letter, []):
            found[letter].append(said)
    return found


def _said(letter: str, right: str) -> str | None:
    """What a line `letter = right` does."""
    old = re.escape(letter.removesuffix("ₜ") + BEFORE)
    if (average := re.fullmatch(rf"(\S+) {old} \+ \(1 - \1\) (.+)", right)) and _whole(average[2]):
        return f"a decaying average of {_bare(average[2])}"
    if (largest := re.fullmatch(rf"max\({old}, (.+)\)", right)) and _whole(largest[1]):
        return f"the largest so far of {_bare(largest[1])}"
    if (total := re.fullmatch(rf"{old} \+ (.+)", right)) and _whole(total[1]):
        return f"the sum so far of {_bare(total[1])}"
    if (heavy := re.fullmatch(rf"(\S+) {old} \+ (.+)", right)) and _whole(heavy[2]):
        return f"a decaying sum of {_bare(heavy[2])}"
    if BEFORE not in right and re.fullmatch(r"\w+", right):
        return f"{right}, kept for the next step"
    return None


def _depths(text: str) -> list[int]:
    """The depth in brackets after each character."""
    depths, depth = [], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        depths.append(depth)
    return depths


def _whole(text: str) -> bool:
    """Whether a text is one term: balanced, and without a sum or comma outside brackets."""
    depths = _depths(text)
    outer = "".join(c for c, depth in zip(text, depths, strict=True) if depth == 0)
    return min(depths) >= 0 and depths[-1] == 0 and not re.search(r" [+-] |, ", outer)


def _bare(text: str) -> str:
    """A term without brackets around all of it."""
    around = text[0] == "(" and text[-1] == ")" and 0 not in _depths(text)[:-1]
    return text[1:-1] if around else text
