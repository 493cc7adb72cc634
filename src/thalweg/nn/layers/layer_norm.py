"""Layer normalisation."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array, Rng, Shape, sum_over_batch
from thalweg.nn.layers.layer import Trainable
from thalweg.nn.penalties import Penalty, as_penalties
from thalweg.values.arrays import framework


@dataclass(frozen=True)
class LayerNorm(Trainable):
    """Layer normalisation (Ba, Kiros, Hinton 2016, arXiv 1607.06450).

    (x - mean) / sqrt(variance + eps) over the last axis, times g, plus b. g and b have the length of that axis and start at
    1 and 0.

    Parameters
    ----------
    eps : float
        Positive number added to the variance.
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    eps: float = 1e-5
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        if not self.eps > 0:
            raise ValueError(f"LayerNorm(eps={self.eps}): want eps > 0")
        as_penalties(self.penalty)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """g = 1 and b = 0; the shape is unchanged."""
        return {"g": np.ones(shape[-1]), "b": np.zeros(shape[-1])}, shape

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the normalised input and 1 / sqrt(variance + eps)."""
        apart = x - backend.mean(x)
        scale = 1 / framework(x).sqrt(backend.mean(apart * apart) + self.eps)
        normal = apart * scale
        y = normal * _over(params["g"], x.ndim)
        y += _over(params["b"], x.ndim)
        return y, (normal, scale)

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The sums of dy times the normalised input, and of dy, over batch and positions."""
        normal, _ = cache
        flat = (len(dy), -1, dy.shape[-1])
        return {"g": sum_over_batch((dy * normal).reshape(flat)), "b": sum_over_batch(dy.reshape(flat))}

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """With n the normalised input and d = g dy: (d - mean d - n mean(d n)) / sqrt(variance + eps)."""
        normal, scale = cache
        d: Array = dy * _over(params["g"], dy.ndim)
        along = backend.mean(d * normal)
        d -= backend.mean(d)
        d -= normal * along
        d *= scale
        return d


def _over(p: Array, axes: int) -> Array:
    """(lanes, width) -> (lanes, 1, ..., width)."""
    return p.reshape(len(p), *(1,) * (axes - 2), -1)
