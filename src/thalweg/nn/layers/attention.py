"""Causal self-attention with several heads."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array, Rng, Shape, folded, positive
from thalweg.nn.initialisers import Initialiser, lecun
from thalweg.nn.layers.layer import Trainable
from thalweg.nn.penalties import Penalty, as_penalties

IN = ("q", "k", "v")


@dataclass(frozen=True)
class Attention(Trainable):
    """Causal multi-head self-attention (Vaswani et al. 2017, arXiv 1706.03762, section 3.2.2).

    softmax(Q K^T / sqrt(width of a head)) V for each head, concatenated, times o. Causal: a position attends to itself and
    those before it. Samples and outputs are (places, width); Q = x q, K = x k, V = x v; q, k, v and o are (width, width),
    without biases.

    Parameters
    ----------
    heads : int
        Number of heads, a divisor of the width.
    weights : Initialiser
        Initialiser of all four matrices.
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    heads: int = 1
    weights: Initialiser = field(default_factory=lecun)
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        positive(self.heads, "heads")
        as_penalties(self.penalty)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """q, k, v, o. Raises ValueError for samples that are not sequences, or a width that `heads` does not divide."""
        if len(shape) != 2 or shape[1] % self.heads:
            raise ValueError(
                f"Attention({self.heads}) was given samples of shape {shape}, but wants (places, width) with a width that "
                f"{self.heads} divides"
            )
        width = shape[1]
        return {key: self.weights(rng, (width, width), width, width) for key in (*IN, "o")}, shape

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches x, Q, K, V, the softmax, the input of o, and a slot for the gradients that `grads` and `backward` share."""
        rows = folded(x)
        q, k, v = (self._split(rows @ params[key], x.shape) for key in IN)
        p = q @ k.swapaxes(-1, -2)
        p *= 1 / math.sqrt(q.shape[-1])
        p += backend.above_diagonal(-np.inf, p)
        p = backend.shares(p)
        seen = _join(p @ v)
        y = seen @ params["o"]
        return y.reshape(len(y), *x.shape[1:]), (rows, q, k, v, p, seen, [])

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """x^T dQ, x^T dK, x^T dV, and (heads' outputs)^T dy."""
        rows, *_, seen, _ = cache
        inner = self._inner(params, cache, dy)
        found = {key: np.matmul(rows.swapaxes(1, 2), d) for key, d in zip(IN, inner, strict=True)}
        return {**found, "o": np.matmul(seen.swapaxes(1, 2), folded(dy))}

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dQ q^T + dK k^T + dV v^T."""
        parts = zip(IN, self._inner(params, cache, dy), strict=True)
        dx: Array = sum(np.matmul(d, params[key].swapaxes(1, 2)) for key, d in parts)
        return dx.reshape(dy.shape)

    def _inner(self, params: dict[str, Array], cache: Any, dy: Array) -> list[Array]:
        """dQ, dK and dV, (lanes, batch * places, width), computed at the first call and cached."""
        _, q, k, v, p, _, kept = cache
        if not kept:
            d = self._split(np.matmul(folded(dy), params["o"].swapaxes(1, 2)), dy.shape)
            ds = np.matmul(d, v.swapaxes(-1, -2))
            ds -= np.einsum("...k,...k->...", ds, p)[..., None]
            ds *= p
            ds *= ds.dtype.type(1 / math.sqrt(q.shape[-1]))
            pairs = ((ds, k), (ds.swapaxes(-1, -2), q), (p.swapaxes(-1, -2), d))
            kept.extend(_join(np.matmul(a, b)) for a, b in pairs)
        found: list[Array] = kept
        return found

    def _split(self, rows: Array, shape: Shape) -> Array:
        """(lanes, batch * places, width) -> (lanes, batch, heads, places, width of a head), a view."""
        return rows.reshape(len(rows), *shape[1:3], self.heads, -1).swapaxes(2, 3)


def _join(x: Array) -> Array:
    """The inverse of `_split`, a copy."""
    lanes, batch, heads, places, width = x.shape
    return x.swapaxes(2, 3).reshape(lanes, batch * places, heads * width)
