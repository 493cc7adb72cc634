"""Dropout, the inverted kind: the division happens while training, so prediction does nothing."""

from dataclasses import dataclass
from typing import Any

from thalweg.nn.arrays import Array, Draw
from thalweg.nn.layers.layer import Stochastic
from thalweg.values.arrays import framework


@dataclass(frozen=True)
class Dropout(Stochastic):
    """While training keeps each number with probability `keep` and divides it by `keep`.

    Srivastava et al. 2014, JMLR 15:1929.
    keep = 1 has exactly no effect and draws nothing. The mask is uniform < keep; a Gaussian draw in its place, as in
    one of the sources, would drop 16 % at keep = 1.

    Parameters
    ----------
    keep : float
        0 < keep <= 1, the share that stays. (Elsewhere p often means the share that goes.)
    """

    keep: float

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise ValueError(f"Dropout(keep={self.keep}): keep is the share that stays, 0 < keep <= 1")

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Prediction: x."""
        return x, None

    def sample(self, x: Array, draw: Draw) -> tuple[Array, Any]:
        """Training: x times a mask of 0 and 1 / keep; keeps the mask."""
        if self.keep == 1:
            return x, None
        mask = framework(x).cast(draw(x.shape[1:]) < self.keep, x.dtype) * (1 / self.keep)
        return x * mask, mask

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy times the mask."""
        if cache is not None:
            dy *= cache
        return dy
