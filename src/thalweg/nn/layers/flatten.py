"""Flattening of samples."""

from dataclasses import dataclass
from math import prod
from typing import Any

from thalweg.nn.arrays import Array, Rng, Shape
from thalweg.nn.layers.layer import Layer


@dataclass(frozen=True)
class Flatten(Layer):
    """Samples of any shape -> flat samples, last axis fastest."""

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """No parameters; the output size is the product of the input sizes."""
        return {}, (prod(shape),)

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the shape."""
        return x.reshape(*x.shape[:2], -1), x.shape[2:]

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy in the input's shape."""
        return dy.reshape(*dy.shape[:2], *cache)
