"""The dense layer."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg.nn.arrays import Array, Rng, Shape, positive, sum_over_batch
from thalweg.nn.initialisers import Initialiser, Zeros, he
from thalweg.nn.layers.layer import Trainable
from thalweg.nn.penalties import Penalty, as_penalties


@dataclass(frozen=True)
class Linear(Trainable):
    """Dense layer: y = x w + b, with w (inputs, units) and b (units,). The number of inputs is inferred.

    Parameters
    ----------
    units : int
        Number of outputs.
    weights : Initialiser
        Initialiser of w.
    biases : Initialiser
        Initialiser of b.
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    units: int
    weights: Initialiser = field(default_factory=he)
    biases: Initialiser = field(default_factory=Zeros)
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        positive(self.units, "units")
        if isinstance(self.weights, int):
            raise TypeError(
                f"Linear({self.units}, {self.weights}): a layer takes its outputs alone, and its inputs come from the layer "
                f"before; write Linear({self.weights})"
            )
        if not callable(self.weights) or not callable(self.biases):
            raise TypeError(f"Linear({self.units}): weights and biases are initialisers, such as nn.he() and nn.Zeros()")
        as_penalties(self.penalty)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """w first, then b. Raises ValueError for samples that are not flat."""
        if len(shape) != 1:
            raise ValueError(
                f"Linear({self.units}) was given samples of shape {shape}, but wants flat ones: put nn.Flatten() before it"
            )
        (inputs,) = shape
        w = self.weights(rng, (inputs, self.units), inputs, self.units)
        b = self.biases(rng, (self.units,), inputs, self.units)
        return {"w": w, "b": b}, (self.units,)

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """(lanes or 1, batch, inputs) -> (lanes, batch, units). Caches x."""
        y = x @ params["w"]
        y += params["b"][:, None, :]
        return y, x

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """x^T dy and the sum of dy over the batch."""
        return {"w": np.matmul(cache.swapaxes(1, 2), dy), "b": sum_over_batch(dy)}

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy w^T."""
        dx: Array = np.matmul(dy, params["w"].swapaxes(1, 2))
        return dx
