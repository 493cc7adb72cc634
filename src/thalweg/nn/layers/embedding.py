"""Embeddings: a table with a row for each symbol, and a learned vector added at each position."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array, Rng, Shape, positive, sum_over_batch
from thalweg.nn.initialisers import Initialiser, Normal
from thalweg.nn.layers.layer import Trainable
from thalweg.nn.penalties import Penalty, as_penalties
from thalweg.values.arrays import framework


@dataclass(frozen=True)
class Embedding(Trainable):
    """Table lookup: samples of symbols 0..symbols-1, of any shape, -> their rows of w (symbols, width), with one more axis.

    It is the first layer, as symbols have no gradient. Inputs have the dtype of the parameters; float32 represents every
    whole number up to 2^24 exactly.

    Parameters
    ----------
    symbols : int
        Number of symbols.
    width : int
        Length of a symbol's vector.
    weights : Initialiser
        Initialiser of w; N(0, 0.02^2) as in GPT-2 (Radford et al. 2019).
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    symbols: int
    width: int
    weights: Initialiser = field(default_factory=lambda: Normal(0.02))
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        positive(self.symbols, "symbols")
        positive(self.width, "width")
        as_penalties(self.penalty)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """w."""
        return {"w": self.weights(rng, (self.symbols, self.width), self.symbols, self.width)}, (*shape, self.width)

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the symbols. For NumPy arrays, raises ValueError for a number that is not a symbol."""
        symbols = backend.whole(x)
        if backend.is_numpy(x) and ((symbols != x).any() or symbols.min() < 0 or symbols.max() >= self.symbols):
            raise ValueError(f"Embedding({self.symbols}, {self.width}) wants whole numbers from 0 to {self.symbols - 1}")
        w = params["w"]
        if len(x) == 1:
            return w[:, symbols[0]], symbols
        lane = framework(x).asarray(np.arange(len(w)), symbols).reshape(-1, *(1,) * (x.ndim - 1))
        return w[lane, symbols], symbols

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """For each row the sum of dy over its symbol's positions, as a matrix product, since NumPy's add.at is slow."""
        symbols = cache.reshape(len(cache), 1, -1)
        stands = (symbols == np.arange(self.symbols)[:, None]).astype(dy.dtype)
        return {"w": np.matmul(stands, dy.reshape(len(dy), -1, self.width))}

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """0: symbols have no gradient."""
        return np.zeros((len(dy), *cache.shape[1:]), dy.dtype)


@dataclass(frozen=True)
class Positions(Trainable):
    """Learned position embedding: y = x + w, with w shaped like a sample.

    Parameters
    ----------
    weights : Initialiser
        Initialiser of w; N(0, 0.02^2) as in GPT-2 (Radford et al. 2019).
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    weights: Initialiser = field(default_factory=lambda: Normal(0.02))
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        as_penalties(self.penalty)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """w; the shape is unchanged."""
        return {"w": self.weights(rng, shape, shape[0], shape[-1])}, shape

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """x + w, without a cache."""
        return x + params["w"][:, None], None

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The sum of dy over the batch."""
        return {"w": sum_over_batch(dy.reshape(*dy.shape[:2], -1)).reshape(params["w"].shape)}

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy."""
        return dy
