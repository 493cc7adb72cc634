"""Noise in Triton: `values.draws` as the source of a function."""

from __future__ import annotations

import functools

from thalweg.engines.expressions import indented
from thalweg.graph.draws import PART
from thalweg.values import draws
from thalweg.values.draws import NUMBERS, SHARES

SIGNATURE = "(seed, name, t, more, draw, first, WIDTH: tl.constexpr)"
"""Of the functions for elements `first` to first + WIDTH. The update is t + 2^PART more."""
BEGIN = [
    "low, high = block.to(tl.uint32), (block >> 32).to(tl.uint32)",
    f"update = (t.to(tl.int64) + (more.to(tl.int64) << {PART})).to(tl.uint32)",
    "which = tl.cast(draw, tl.uint32)",
    "seed_low, seed_high = seed.to(tl.uint32), (seed >> 32).to(tl.uint32)",
    "name_low, name_high = name.to(tl.uint32), (name >> 32).to(tl.uint32)",
]


class Text:
    """The name of a value in the source. An operation adds the line that computes it."""

    def __init__(self, lines: list[str], name: str) -> None:
        self.lines, self.name = lines, name

    def told(self, expression: str) -> Text:
        """Add the line of an expression."""
        name = f"x{len(self.lines)}"
        self.lines.append(f"{name} = {expression}")
        return Text(self.lines, name)

    def __add__(self, other: object) -> Text:
        return self.told(f"{self.name} + {other}")

    def __sub__(self, other: object) -> Text:
        return self.told(f"{self.name} - {other}")

    def __mul__(self, other: object) -> Text:
        return self.told(f"{self.name} * {other}")

    def __xor__(self, other: object) -> Text:
        return self.told(f"{self.name} ^ {other}")

    def __and__(self, other: object) -> Text:
        return self.told(f"{self.name} & {other}")

    def __lshift__(self, n: int) -> Text:
        return self.told(f"{self.name} << {n}")

    def __rshift__(self, n: int) -> Text:
        return self.told(f"{self.name} >> {n}")

    def __str__(self) -> str:
        return self.name


class Source:
    """Triton's source as a language of `draws`."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def word(self, x: int) -> Text:
        return Text(self.lines, f"tl.full((), {x}, tl.uint32)")

    def rotated(self, x: Text, n: int) -> Text:
        return x.told(f"({x} << {n}) | ({x} >> {32 - n})")

    def number(self, x: Text) -> Text:
        return x.told(f"{x}.to(tl.float32)")

    def signed(self, x: Text) -> Text:
        return x.told(f"{x}.to(tl.int32, bitcast=True).to(tl.float32)")

    def bits(self, x: Text) -> Text:
        return x.told(f"{x}.to(tl.uint32, bitcast=True)")

    def floats(self, x: Text) -> Text:
        return x.told(f"{x}.to(tl.float32, bitcast=True)")

    def root(self, x: Text) -> Text:
        return x.told(f"tl.sqrt_rn({x})")


@functools.cache
def source(word: str) -> str:
    """Return the source of `normal` or `uniform`."""
    numbers, make = (NUMBERS, draws.normals) if word == "normal" else (SHARES, draws.threefry)
    lines: list[str] = []
    key, counter = ("seed_low", "seed_high", "name_low", "name_high"), ("low", "high", "update", "which")
    found = list(map(str, make([Text(lines, x) for x in key], [Text(lines, x) for x in counter], Source(lines))))
    if word == "uniform":
        found = [f"({half}.to(tl.float32) + 0.5) * {2.0**-16}" for x in found for half in (f"({x} & 0xFFFF)", f"({x} >> 16)")]
    block = f"block = first // {numbers} + tl.arange(0, WIDTH // {numbers})"
    ends = f"return {_in_turn(found)}"
    return "\n".join(["", "@triton.jit", f"def {word}{SIGNATURE}:", *indented([block, *BEGIN, *lines, ends]), "", ""])


def _in_turn(found: list[str]) -> str:
    """Return the row that holds the rows' numbers in turn."""
    if len(found) == 1:
        return found[0]
    return f"tl.interleave({_in_turn(found[::2])}, {_in_turn(found[1::2])})"
