"""Batch normalisation."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array, Rng, Shape, folded, sum_over_batch
from thalweg.nn.layers.layer import Trainable
from thalweg.nn.penalties import Penalty, as_penalties
from thalweg.values.arrays import framework


@dataclass(frozen=True)
class BatchNorm(Trainable):
    """Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167).

    In training (x - mean) / sqrt(variance + eps), times g, plus b, with the mean and the variance of each feature over the
    batch (algorithm 1). Features are the last axis: of images a channel, which is normalised over the batch and all places
    (section 3.2). At prediction mean and variance are the population's (algorithm 2): running averages over the batches of
    training, which start at 0 and 1, or the averages that `Model.population` takes. They are no parameters, so that no
    optimizer, penalty or gradient sees them. g starts at 1, b at 0.

    A batch with a single number for each feature has no variance: training on one raises ValueError. Prediction does not.

    Parameters
    ----------
    eps : float
        Positive number added to the variance.
    decay : float
        Share of the running averages that stays at each update, 0 <= decay < 1. (PyTorch's momentum is 1 - decay.)
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    eps: float = 1e-5
    decay: float = 0.9
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        if not self.eps > 0:
            raise ValueError(f"BatchNorm(eps={self.eps}): want eps > 0")
        if not 0 <= self.decay < 1:
            raise ValueError(f"BatchNorm(decay={self.decay}): decay is the share that stays, 0 <= decay < 1")
        as_penalties(self.penalty)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """g = 1 and b = 0; the shape is unchanged."""
        return {"g": np.ones(shape[-1]), "b": np.zeros(shape[-1])}, shape

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """In training. Caches the normalised input, 1 / sqrt(variance + eps), and the batch's mean and variance."""
        count = prod(x.shape[1:-1])
        if count < 2:
            raise ValueError(
                "BatchNorm normalises over the batch, and one sample has no variance: train on at least two samples at a time "
                "(a batch_size that leaves no last batch of one)"
            )
        mean = backend.mean_over_batch(x)
        apart = x - mean
        variance = backend.mean_over_batch(apart * apart)
        scale = 1 / framework(x).sqrt(variance + self.eps)
        normal = apart * scale
        y = normal * _over(params["g"], x.ndim)
        y += _over(params["b"], x.ndim)
        seen = {"mean": _flat(mean), "variance": _flat(variance) * (count / (count - 1))}
        return y, (normal, scale, seen)

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The sums of dy times the normalised input, and of dy, over batch and places."""
        return {"g": sum_over_batch(folded(dy * cache[0])), "b": sum_over_batch(folded(dy))}

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """With n the normalised input and d = g dy: (d - mean d - n mean(d n)) / sqrt(variance + eps), means over the batch."""
        normal, scale, _ = cache
        d: Array = dy * _over(params["g"], dy.ndim)
        along = backend.mean_over_batch(d * normal)
        d -= backend.mean_over_batch(d)
        d -= normal * along
        d *= scale
        return d

    def statistics(self, shape: Shape) -> dict[str, Array]:
        """Mean 0 and variance 1."""
        return {"mean": np.zeros(shape[-1]), "variance": np.ones(shape[-1])}

    def tracked(self, statistics: dict[str, Array], cache: Any, weight: float | None = None) -> dict[str, Array]:
        """The batch's mean and unbiased variance, with a weight of 1 - decay unless another is given."""
        weight = 1 - self.decay if weight is None else weight
        return {key: kept + weight * (cache[2][key] - kept) for key, kept in statistics.items()}

    def predict(self, params: dict[str, Array], statistics: dict[str, Array], x: Array) -> Array:
        """Normalises with the population's statistics. Raises ValueError if there are none."""
        if not statistics:
            raise ValueError("at prediction BatchNorm needs the statistics of the population: pass statistics=")
        scale = params["g"] / framework(x).sqrt(statistics["variance"] + self.eps)
        y: Array = (x - _over(statistics["mean"], x.ndim)) * _over(scale, x.ndim)
        y += _over(params["b"], x.ndim)
        return y


def _over(p: Array, axes: int) -> Array:
    """(lanes, width) -> (lanes, 1, ..., width)."""
    return p.reshape(len(p), *(1,) * (axes - 2), -1)


def _flat(p: Array) -> Array:
    """(lanes, 1, ..., width) -> (lanes, width)."""
    return p.reshape(len(p), -1)
