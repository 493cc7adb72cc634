"""The training loss of each optimizer beside those that it grew from, as one comparison of all of them measured it.

`losses.json` is written by `python tools/losses.py` from the results of `thalweg compare --rules all --problem digits`. A rule
that computes something else now than it did then has no curve.
"""

from __future__ import annotations

import json
import math
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from thalweg.lab.bank.identity import identity
from thalweg.methods import family, rules
from thalweg.numpy import class_name

FILE = Path(__file__).with_name("losses.json")
WIDE, HIGH, LEFT, BELOW, ABOVE = 480, 260, 44, 28, 12
STYLES = ("own", "parent", "parent second")
"""Of the optimizer, and of those that it grew from."""


@cache
def kept() -> dict[str, Any]:
    """What was measured, with the curves that still hold."""
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    found["rules"] = {
        name: row for name, row in found["rules"].items() if name in rules and identity(rules[name]) == row["identity"]
    }
    return found


def drawing(name: str) -> str:
    """The curves as a figure; empty if this optimizer has none."""
    measured = kept()
    if name not in measured["rules"]:
        return ""
    shown = [each for each in (name, *family.parents(name)) if each in measured["rules"]][: len(STYLES)]
    curves = {each: [x if x is not None and x > 0 else math.nan for x in measured["rules"][each]["loss"]] for each in shown}
    every = [x for curve in curves.values() for x in curve if math.isfinite(x)]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    steps = measured["steps"]

    def at(step: float, value: float) -> str:
        x = LEFT + (WIDE - LEFT - 8) * step / steps[-1]
        y = ABOVE + (HIGH - ABOVE - BELOW) * (high - math.log10(value)) / max(high - low, 1)
        return f"{x:.1f} {y:.1f}"

    parts = [_axes(steps[-1], low, high, at)]
    for style, (each, curve) in reversed([*zip(STYLES, curves.items(), strict=False)]):
        points = [at(step, value) for step, value in zip(steps, curve, strict=True) if math.isfinite(value)]
        parts.append(f'<path class="{style}" d="M{"L".join(points)}"><title>{escape(class_name(rules[each]))}</title></path>')
    said = caption(shown)
    return (
        f'<figure class="losses"><svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(said)}">{"".join(parts)}</svg>'
        f"<figcaption>{_key(shown)} {escape(said)}</figcaption></figure>"
    )


def _axes(last: int, low: int, high: int, at: Any) -> str:
    """A line and a number for each power of ten, and the steps below."""
    lines = []
    for power in range(low, high + 1):
        y = at(0, 10.0**power).split()[1]
        lines.append(f'<path class="grid" d="M{LEFT} {y}H{WIDE - 8}"/><text x="{LEFT - 6}" y="{y}">{10.0**power:g}</text>')
    for step in (0, last // 2, last):
        x = at(step, 10.0**low).split()[0]
        lines.append(f'<text class="step" x="{x}" y="{HIGH - 8}">{step}{" steps" if step == last else ""}</text>')
    return "".join(lines)


def _key(shown: list[str]) -> str:
    named = zip(STYLES, shown, strict=False)
    return " ".join(f'<span class="{style}">{escape(class_name(rules[each]))}</span>' for style, each in named)


def caption(shown: list[str]) -> str:
    """What the figure shows, in words."""
    measured = kept()
    ends = [
        f"{class_name(rules[each])} ends at {row['loss'][-1]:.2g} (rate {row['lr']:.2g})"
        if row["loss"][-1] is not None
        else f"{class_name(rules[each])} diverges in most runs"
        for each in shown
        for row in [measured["rules"][each]]
    ]
    return (
        f"Training loss on {measured['problem']}, median of {measured['seeds']} seeds, each at the best of {measured['budget']} "
        f"settings: {'; '.join(ends)}."
    )
