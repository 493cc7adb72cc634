"""How one formula differs from another, line by line and term by term."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from thalweg.graph.formula import Formula

Kind = Literal["same", "changed", "added", "dropped"]
Pair = tuple[int | None, int | None]
TOKEN = re.compile(r"[^\W\d_][\w\u0300-\u036f*]*|\d[\d.e]*(?:e-?\d+)?|\s+|.")
LETTER = re.compile(r"[^\W\d_]")
TIME = re.compile("(ₜ₋₁|ₜ)$")
DIRECTION = re.compile("d[₀-₉]?ₜ")
STEP = re.compile(r"(θₜ = θₜ₋₁ - η )(?:· )?(.+)")
GIVEN = frozenset({"g", "θ", "η", "t", "f", "z", "d", "if", "else", "or", "and"})
"""Letters that mean the same in every formula, and words."""
ALIKE = 0.5
"""Lines that share less than this are no changed line but one dropped and one added."""


@dataclass(frozen=True)
class Span:
    """A piece of a line, and whether the other formula has it not."""

    text: str
    marked: bool


@dataclass(frozen=True)
class Line:
    """A line of the difference: as it is in the first formula and in the second; () where that has no such line."""

    kind: Kind
    before: tuple[Span, ...]
    after: tuple[Span, ...]


@dataclass(frozen=True)
class Difference:
    """What makes the second formula of the first.

    Attributes
    ----------
    lines : list of Line
        In the order of the second formula; what it dropped stands where it was.
    renamed : dict
        Letters of the second formula, and those of the first that are in their places: {"β₂": "ρ"}.
    """

    lines: list[Line]
    renamed: dict[str, str]

    @property
    def plain(self) -> str:
        """The difference as text: `-` before a line of the first formula alone, `+` before one of the second."""
        return "\n".join(f"{sign} {''.join(span.text for span in spans)}" for sign, spans in self.signed())

    def signed(self) -> Iterator[tuple[str, tuple[Span, ...]]]:
        """Yield the lines to print, a changed one twice, each with its sign: " ", "-" or "+"."""
        for line in self.lines:
            if line.kind == "same":
                yield " ", line.after
                continue
            if line.before:
                yield "-", line.before
            if line.after:
                yield "+", line.after


def difference(first: Formula, second: Formula) -> Difference:
    """Return how the second formula differs from the first, term by term.

    Lines are matched by what they compute, not by their letters: where one formula calls ρ what the other calls β₂, that is no
    difference, and `renamed` says it. If one formula has a line for its direction d and the other has none, as a rule beside a
    chain that begins with it, the other gets one.
    """
    before, after = (_rows(formula) for formula in (first, second))
    if _has_direction(before) != _has_direction(after):
        before, after = _with_direction(before), _with_direction(after)
    renamed = _renamed(before, after)
    spoken = [[renamed.get(token, token) for token in row] for row in after]  # the second in the letters of the first
    lines = [_line(before, after, spoken, pair) for pair in _matched(before, spoken)]
    letters = {TIME.sub("", new): TIME.sub("", old) for new, old in renamed.items()}
    return Difference(lines, {new: old for new, old in letters.items() if new != old})


def _rows(formula: Formula) -> list[list[str]]:
    """Return each line's tokens, without the spaces that align the equals signs."""
    return [TOKEN.findall(re.sub(r" +=", " =", line)) for line in formula.plain.splitlines()]


def _has_direction(rows: Sequence[list[str]]) -> bool:
    return any(DIRECTION.fullmatch(row[0]) for row in rows)


def _with_direction(rows: list[list[str]]) -> list[list[str]]:
    """Return the lines with the direction of the last one, θ - η d, in a line of its own, if it has none yet."""
    *others, last = rows
    step = STEP.fullmatch("".join(last))
    if step is None or _has_direction(rows) or any(row[-1] == ":" for row in rows):  # a heading: several paths
        return rows
    return [*others, TOKEN.findall(f"dₜ = {step[2]}"), TOKEN.findall(f"{step[1]}dₜ")]


def _renamed(before: Sequence[list[str]], after: Sequence[list[str]]) -> dict[str, str]:
    """Return the letters of `after` that stand where those of `before` do, in lines of the same shape; with their times."""
    used = {token for row in before for token in row}
    own = {token for row in after for token in row}
    renamed: dict[str, str] = {}
    shapes = [_shape(row) for row in after]
    for row in before:
        for k, candidate in enumerate(after):
            if shapes[k] != _shape(row):
                continue
            pairs = {(new, old) for new, old in zip(candidate, row, strict=True) if new != old}
            fresh = all(new not in used and old not in own for new, old in pairs)
            if fresh and len(pairs) == len({new for new, _ in pairs}) == len({old for _, old in pairs}):
                renamed.update(pair for pair in pairs if pair[0] not in renamed)
                break
    return renamed


def _shape(row: Sequence[str]) -> list[str]:
    """Return a line with its letters numbered in the order in which they come."""
    seen: dict[str, str] = {}
    nexts = [*row[1:], ""]
    return [seen.setdefault(a, f"#{len(seen)}") if _free(a, b) else a for a, b in zip(row, nexts, strict=True)]


def _free(token: str, following: str) -> bool:
    """Whether the token is a letter of the rule's own, and no function and no word."""
    return bool(LETTER.match(token)) and following != "(" and TIME.sub("", token) not in GIVEN


def _matched(before: Sequence[list[str]], after: Sequence[list[str]]) -> list[Pair]:
    """Match the lines, in order, so that they share the most."""
    alike = [[_likeness(a, b) for b in after] for a in before]
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in range(len(before) - 1, -1, -1):
        for j in range(len(after) - 1, -1, -1):
            taken = best[i + 1][j + 1] + alike[i][j] if alike[i][j] >= ALIKE else 0.0
            best[i][j] = max(taken, best[i + 1][j], best[i][j + 1])
    pairs: list[Pair] = []
    i = j = 0
    while i < len(before) and j < len(after):
        if alike[i][j] >= ALIKE and best[i][j] == best[i + 1][j + 1] + alike[i][j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return [*pairs, *((k, None) for k in range(i, len(before))), *((None, k) for k in range(j, len(after)))]


def _likeness(a: Sequence[str], b: Sequence[str]) -> float:
    """Return the share of tokens that two lines have in common; more if they compute the same letter."""
    share = SequenceMatcher(None, _solid(a), _solid(b), autojunk=False).ratio()
    return (share + 1) / 2 if a[0] == b[0] else share


def _solid(row: Sequence[str]) -> list[str]:
    return [token for token in row if not token.isspace()]


def _line(before: Sequence[list[str]], after: Sequence[list[str]], spoken: Sequence[list[str]], pair: Pair) -> Line:
    i, j = pair
    if j is None:
        assert i is not None
        return Line("dropped", (Span("".join(before[i]), True),), ())
    if i is None:
        return Line("added", (), (Span("".join(after[j]), True),))
    matcher = SequenceMatcher(None, before[i], spoken[j], autojunk=False)
    blocks = matcher.get_opcodes()
    kind: Kind = "same" if all(op == "equal" for op, *_ in blocks) else "changed"
    old = tuple(Span("".join(before[i][a:b]), op != "equal") for op, a, b, _, _ in blocks if b > a)
    new = tuple(Span("".join(after[j][a:b]), op != "equal") for op, _, _, a, b in blocks if b > a)
    return Line(kind, old, new)
