"""The sizes of a network, as inferred by `init`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from thalweg.nn.arrays import Params, Rng, Seed, Seeds, Shape, is_many, rng_of
from thalweg.nn.checks import shapes_of
from thalweg.nn.layers.layer import Layer, Trainable
from thalweg.nn.layers.within import through


@dataclass(frozen=True)
class Plan:
    """Shapes, without batch and lanes, of an input sample, each layer's output and each parameter."""

    input_shape: Shape
    outputs: tuple[Shape, ...]
    shapes: dict[str, dict[str, Shape]]
    statistics: Params
    """Of the layers that keep any: their statistics before the first batch, float64."""

    def table(self, layers: Sequence[Layer]) -> str:
        """A table of layer, output shape and number of parameters, with the total in the last line."""
        counts = [sum(map(prod, self.shapes.get(str(i), {}).values())) for i in range(len(layers))]
        names = [f"{i} {type(layer).__name__}" for i, layer in enumerate(layers)]
        rows = [("layer", "output shape", "parameters")]
        rows += [(name, str(output), f"{count:,}") for name, output, count in zip(names, self.outputs, counts, strict=True)]
        rows += [("total", "", f"{sum(counts):,}")]
        left, middle, right = (max(len(row[k]) for row in rows) for k in range(3))
        return "\n".join(f"{a:<{left}}  {b:<{middle}}  {c:>{right}}" for a, b, c in rows)


def draw(layers: Sequence[Layer], shape: Shape, seed: Seeds, dtype: np.dtype[Any]) -> tuple[Params, Plan]:
    """Draw the initial parameters and infer the sizes. A list of seeds gives one lane per seed.

    Raises ValueError if layers do not fit together, or the list of seeds is empty.
    """
    seeds: list[Seed] = list(seed) if is_many(seed) else [seed]  # type: ignore[arg-type, list-item]
    if not seeds:
        raise ValueError("seed=[]: a list of seeds makes one lane a seed, so it needs at least one")
    runs = [_draw_one(layers, shape, rng_of(one)) for one in seeds]
    trees, plan = [tree for tree, _ in runs], runs[0][1]
    lanes = {n: {k: np.stack([tree[n][k] for tree in trees]).astype(dtype) for k in own} for n, own in trees[0].items()}
    return (lanes if is_many(seed) else {n: {k: leaf[0] for k, leaf in own.items()} for n, own in lanes.items()}), plan


def _draw_one(layers: Sequence[Layer], shape: Shape, rng: Rng) -> tuple[Params, Plan]:
    """Float64 parameters without lanes, layer by layer."""
    drawn, outputs = through(layers, shape, rng)
    tree = {str(i): own for i, (layer, own) in enumerate(zip(layers, drawn, strict=True)) if isinstance(layer, Trainable)}
    kept = [layer.statistics(inputs) for layer, inputs in zip(layers, (shape, *outputs), strict=False)]
    return tree, Plan(shape, tuple(outputs), shapes_of(tree), {str(i): own for i, own in enumerate(kept) if own})
