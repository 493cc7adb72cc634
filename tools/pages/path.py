"""The path of an optimizer on a test surface, as a small drawing that moves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from contourpy import contour_generator

from thalweg.lab import problems
from thalweg.lab.data.surface import Surface
from thalweg.lab.race.run import Walk, race
from thalweg.lab.race.trial import NEAR
from thalweg.methods import rules

SURFACE, STEPS, WIDE, HIGH = "rosenbrock", 100, 480, 480


def surface() -> Surface:
    """The surface of the drawings."""
    found = problems.problem(SURFACE)
    assert isinstance(found, Surface)
    return found


def walks() -> Mapping[str, Walk]:
    """The path of each optimizer that takes a vector, at the best of equally many learning rates."""
    ground, found = surface(), {}
    for name in rules:
        try:
            (found[name],) = race(ground, [name], steps=STEPS, start=np.asarray(ground.start, float)).walks
        except ValueError as error:
            if "needs a matrix" not in str(error):
                raise
    return found


def _at(points: np.ndarray) -> list[tuple[float, float]]:
    """Points of the surface on the drawing."""
    (left, right), (low, high) = surface().window
    x = (points[:, 0] - left) / (right - left) * WIDE
    y = (high - points[:, 1]) / (high - low) * HIGH
    return [(round(float(a), 1), round(float(b), 1)) for a, b in zip(x, y, strict=True)]


def _line(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a:g} {b:g}" for a, b in points)


def ground(path: Path) -> None:
    """Write the contour lines, which all drawings share."""
    s = surface()
    x, y = (np.linspace(low, high, 160) for low, high in s.window)
    gaps = s.value(np.stack(np.meshgrid(x, y), axis=-1)) - s.lowest
    lines = contour_generator(x, y, np.log10(gaps + 1e-3))
    drawn = "".join(_line(_at(line)) for level in np.arange(-1.5, 3.6, 0.5) for line in lines.lines(level))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}"><path d="{drawn}" fill="none" stroke="#6b8cae"'
        ' stroke-opacity=".55"/></svg>\n',
        encoding="utf-8",
    )


def drawing(walk: Walk) -> str:
    """The path of one optimizer: a line that draws itself, with its point; still where motion is not wanted."""
    last = walk.blown or len(walk.points)
    inside = np.clip(walk.points[:last], -50, 50)
    points = _at(inside)
    d, (x0, y0), (x1, y1) = _line(points), points[0], _at(surface().minima)[0]
    dots = "".join(f'<circle cx="{a:g}" cy="{b:g}" r="2"/>' for a, b in points)
    return (
        f'<figure class="path"><svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{caption(walk)}">'
        f'<image href="../_static/ground.svg" width="{WIDE}" height="{HIGH}"/>'
        f'<text class="goal" x="{x1:g}" y="{y1:g}">★</text><circle class="start" cx="{x0:g}" cy="{y0:g}" r="7"/>'
        f'<g class="steps">{dots}</g><path class="way" pathLength="1" d="{d}"/>'
        f'<circle class="point" r="6" style="offset-path:path(\'{d}\')"/></svg>'
        f"<figcaption>{caption(walk)}</figcaption></figure>"
    )


def caption(walk: Walk) -> str:
    """What the drawing shows, in words."""
    s = surface()
    if walk.blown is not None:
        end = f"it leaves all numbers at step {walk.blown}"
    else:
        share = float((walk.values[-1] - s.lowest) / (walk.values[0] - s.lowest))
        end = (
            f"after {STEPS} steps {share:.2g} of the first height is left" if share > NEAR else f"after {STEPS} steps it is there"
        )
    tuned = "the best of its range" if walk.search else walk.note or "its usual one"
    return f"{STEPS} steps on Rosenbrock's valley from the ring to the star, at the rate {walk.lr:.2g} ({tuned}): {end}."
