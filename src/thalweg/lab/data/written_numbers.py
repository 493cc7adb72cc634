"""Numbers as people write them: with decimal commas, thousands, units, and a few words between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.lab.data.doubts import Doubt

MANY, FEW = 20, 0.1
"""Words among numbers or dates are missing values if there are more different ones of these than MANY, and for each FEW words."""
SHOWN = 3
"""The most texts shown in a message."""
THIN = "' \u00a0\u202f"
NUMBERS = {
    mark: re.compile(rf"[+-]?(\d+|\d{{1,3}}(?:[{other}{THIN}]\d{{3}})+)?({re.escape(mark)}\d*)?([eE][+-]?\d+)?")
    for mark, other in ((".", ","), (",", "."))
}
"""By the decimal mark. The other mark, an apostrophe or a space may group thousands."""
UNITS = re.compile(r"(?:[$€£¥]|EUR|USD|GBP|CHF)\s*(?=[\d.,+-])|(?<=[\d.,])\s*(?:[$€£¥%]|EUR|USD|GBP|CHF)$")


@dataclass(frozen=True)
class Read:
    """values: the numbers, by text. told: how they were read. doubts: what is doubtful."""

    values: dict[str, float]
    told: str
    doubts: tuple[Doubt, ...]


def read(texts: Sequence[str], decimal_comma: bool) -> Read | None:
    """Read different texts as numbers; None if they are none. decimal_comma: whether 1,500 is rather 1.5."""
    marks = (",", ".") if decimal_comma else (".", ",")
    by_mark = {mark: _numbers(texts, mark) for mark in marks}
    mark = max(marks, key=lambda each: len(by_mark[each]))
    values, others = by_mark[mark], [text for text in texts if text not in by_mark[mark]]
    if not values or too_many(others, len(values)):
        return None
    doubts = []
    if others:
        doubts.append(Doubt(f"holds numbers, but also text such as {some(others)}", "read as missing"))
    if len(by_mark["."]) == len(by_mark[","]):
        both = [text for text in values if by_mark["."].get(text) != by_mark[","].get(text)]
        if both:
            other = by_mark["." if mark == "," else ","].get(both[0])
            doubts.append(
                Doubt(f"holds '{both[0]:.20}', which may be {values[both[0]]:g} or {other:g}", f"read as {values[both[0]]:g}")
            )
    told = ["decimal commas"] * (mark == "," and any("," in text for text in values))
    told += ["units are left out"] * any(UNITS.search(text) for text in values)
    return Read(values, ", ".join(told), tuple(doubts))


def too_many(words: Sequence[str], values: int) -> bool:
    """Whether there are too many different words among so many different values to be missing ones."""
    return bool(words) and (values <= MANY or len(words) > FEW * values)


def some(words: Sequence[str]) -> str:
    """The first words, for a message."""
    return ", ".join(f"'{text:.20}'" for text in words[:SHOWN]) + (", ..." if len(words) > SHOWN else "")


def _numbers(texts: Sequence[str], mark: str) -> dict[str, float]:
    """The texts that are numbers with this decimal mark."""
    found = {}
    for text in texts:
        if (value := _number(text, mark)) is not None:
            found[text] = value
    return found


def _number(text: str, mark: str) -> float | None:
    if text.lstrip("+-").casefold() in ("inf", "infinity"):
        return float(text)
    bare = UNITS.sub("", text)
    matched = NUMBERS[mark].fullmatch(bare)
    if matched is None or not (matched[1] or (matched[2] or "").strip(mark)):
        return None
    whole = re.sub(rf"[{THIN},.]", "", matched[1] or "0")
    sign = "-" if bare.startswith("-") else ""
    return float(f"{sign}{whole}{(matched[2] or '').replace(mark, '.')}{matched[3] or ''}")
