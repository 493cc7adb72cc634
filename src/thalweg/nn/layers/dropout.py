"""Inverted dropout: training divides by the probability, so prediction is the identity."""

from dataclasses import dataclass
from typing import Any

from thalweg.nn.arrays import Array, Draw
from thalweg.nn.layers.layer import Stochastic
from thalweg.values.arrays import framework


@dataclass(frozen=True)
class Dropout(Stochastic):
    """Inverted dropout (Srivastava et al. 2014, JMLR 15:1929).

    Training keeps each number with probability `keep` and divides it by `keep`; prediction is the identity. keep = 1 has
    no effect and draws nothing. The mask is uniform < keep; a Gaussian draw instead, as in one of the sources, would drop
    16 % at keep = 1.

    Parameters
    ----------
    keep : float
        The probability of keeping a number, 0 < keep <= 1. (Other libraries' p is usually the probability of dropping it.)
    """

    keep: float

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise ValueError(f"Dropout(keep={self.keep}): keep is the share that stays, 0 < keep <= 1")

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """The identity, at prediction."""
        return x, None

    def sample(self, x: Array, draw: Draw) -> tuple[Array, Any]:
        """In training: x times a mask of 0 and 1 / keep. Caches the mask."""
        if self.keep == 1:
            return x, None
        mask = framework(x).cast(draw(x.shape[1:]) < self.keep, x.dtype) * (1 / self.keep)
        return x * mask, mask

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy times the mask."""
        if cache is not None:
            dy *= cache
        return dy
