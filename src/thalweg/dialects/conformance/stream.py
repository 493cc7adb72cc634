"""The one stream of gradients on which all are compared, and walks along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thalweg.core.optimizer import Optimizer
from thalweg.core.stage import Stage

Point = dict[str, npt.NDArray[np.float64]]
SHAPES = {"w": (6, 4), "u": (3, 5), "b": (7,)}
STEPS = 60


@dataclass(frozen=True)
class Stream:
    """Parameters at the start, and their gradient at each step; all float64."""

    start: Point
    gradients: list[Point]


class NotHere(Exception):
    """A setting that is of another backend than the library has now."""


def stream(matrices: bool = False, steps: int = STEPS) -> Stream:
    """Return the stream: gradients of sizes from 1e-4 to 10, each coordinate's its own, a row of 1e-9. matrices: only those."""
    draw = np.random.default_rng(20)
    start = {name: draw.normal(size=shape) for name, shape in SHAPES.items()}
    sizes = {name: 10.0 ** draw.uniform(-4, 1, shape) for name, shape in SHAPES.items()}
    sizes["w"][0] = 1e-9  # where an epsilon, whatever its place, is as large as the root beside it
    drift = {name: draw.normal(size=shape) for name, shape in SHAPES.items()}
    gradients = [
        {name: sizes[name] * (0.5 * drift[name] + draw.normal(size=shape)) for name, shape in SHAPES.items()}
        for _ in range(steps)
    ]
    gradients[0] = {name: 1e-2 * g for name, g in gradients[0].items()}  # shorter than 1, where some methods clip
    kept = [name for name, shape in SHAPES.items() if len(shape) == 2 or not matrices]
    return Stream({name: start[name] for name in kept}, [{name: g[name] for name in kept} for g in gradients])


def walk(stage: Stage, along: Stream) -> list[Point]:
    """Return the points after each step of one of our stages, at its own learning rate."""
    optimizer, params = Optimizer(stage), {name: x.copy() for name, x in along.start.items()}
    state, found = optimizer.init(params), []
    for g in along.gradients:
        params, state = optimizer.step(params, g, state)
        found.append(params)
    return found


def apart(these: list[Point], those: list[Point], start: Point) -> float:
    """Return the largest difference between two walks, as a share of the longest way from the start of the second."""
    far = max(float(np.max(np.abs(point[name] - start[name]))) for point in those for name in start)
    between = max(float(np.max(np.abs(a[name] - b[name]))) for a, b in zip(these, those, strict=True) for name in start)
    return between / far if far else between
