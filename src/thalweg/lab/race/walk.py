"""Runs of a rule as lanes of one program, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from thalweg.core.optimizer import Optimizer
from thalweg.core.stage import Stage
from thalweg.lab.race.ground import Array, Ground


def moves(
    ground: Ground, stage: Stage, rates: Sequence[float], steps: int, start: Array, seeds: Sequence[int]
) -> Iterator[tuple[Array, Array]]:  # fmt: skip
    """Yield the points (T, d) and losses (T,) of T runs: at the start, (T, d) or a common (d,), and after each step.

    The points are those that the optimizer ships, as in `thalweg compare`: an average if it keeps one.
    """
    x = np.array(np.broadcast_to(np.asarray(start, np.float64), (len(rates), np.shape(start)[-1])))
    optimizer = Optimizer(stage, lr=np.asarray(rates, np.float64), seed=np.asarray(seeds), lanes=len(rates))
    state = optimizer.init(x)
    noise = _noise(seeds, x.shape[1]) if "noise" in stage.asks else None
    values = ground.value(x)
    yield x, values
    for _ in range(steps):
        drawn = None if noise is None else next(noise)
        needed = optimizer.needs(values, lambda at: (ground.value(at), ground.gradient(at)))
        x, state = optimizer.step(x, ground.gradient(x), state, noise=drawn, **needed)
        values = ground.value(x)
        point = optimizer.ship(x, state)
        yield (x, values) if point is x else (point, ground.value(point))


def _noise(seeds: Sequence[int], size: int) -> Iterator[Array]:
    """Normal draws (T, d) for each step, equal for lanes of equal seed: learning rates meet the same noise."""
    distinct, lane = np.unique(np.asarray(seeds), return_inverse=True)
    sources = [np.random.default_rng(seed) for seed in distinct.tolist()]
    while True:
        yield np.stack([source.standard_normal(size) for source in sources])[lane]


def walk(
    ground: Ground, stage: Stage, rates: Sequence[float], steps: int, start: Array, seeds: Sequence[int]
) -> tuple[Array, Array]:  # fmt: skip
    """T complete runs: points (T, steps + 1, d) and losses (T, steps + 1)."""
    points, values = zip(*moves(ground, stage, rates, steps, start, seeds), strict=True)
    return np.stack(points, axis=1), np.stack(values, axis=1)


def ends(
    ground: Ground, stage: Stage, rates: Sequence[float], steps: int, start: Array, seeds: Sequence[int]
) -> tuple[Array, Array]:  # fmt: skip
    """The final losses (T,) of T runs, and their means along the path; inf if not finite."""
    total, final = np.zeros(len(rates)), np.zeros(len(rates))
    with np.errstate(all="ignore"):
        for _, final in moves(ground, stage, rates, steps, start, seeds):
            total = total + final
    mean = total / (steps + 1)
    return np.where(np.isfinite(final), final, np.inf), np.where(np.isfinite(mean), mean, np.inf)
