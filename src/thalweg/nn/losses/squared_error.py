"""Mean squared error."""

from dataclasses import dataclass
from math import prod
from typing import Literal

from thalweg.nn.arrays import Array, sum_but_lanes
from thalweg.nn.losses.loss import Loss, shaped_like


@dataclass(frozen=True)
class MSE(Loss):
    """Mean squared error: the mean of (z - y)^2 over batch and outputs.

    Parameters
    ----------
    gradient : Literal['mean', 'batch_sum']
        "mean": the gradient of the reported value, 2 (z - y) / (batch * outputs). "batch_sum": `batch` times that,
        2 (z - y) / outputs, which makes the learning rate depend on the batch size. One of the sources trains so; use it
        only to reproduce that source's run.
    """

    gradient: Literal["mean", "batch_sum"] = "mean"

    def __post_init__(self) -> None:
        if self.gradient not in ("mean", "batch_sum"):
            raise ValueError(f"MSE(gradient={self.gradient!r}): want 'mean', or 'batch_sum' to reproduce one of the sources")

    @property
    def threshold(self) -> float | None:
        """None: the largest of several outputs decides; a single output above 0.5 means yes."""
        return None

    def targets(self, z: Array, y: Array) -> Array:
        """Targets, one per output."""
        return shaped_like(z, y, "MSE")

    def value(self, z: Array, y: Array) -> Array:
        """mean e^2, with e = z - y."""
        return _mean_of_squares(z - y)

    def value_and_grad(self, z: Array, y: Array) -> tuple[Array, Array]:
        """mean e^2 and 2 e / n, with e = z - y."""
        e = z - y
        count = e[0].size
        value = _mean_of_squares(e)
        e *= e.dtype.type(2 / (count if self.gradient == "mean" else count // e.shape[1]))
        return value, e


def _mean_of_squares(e: Array) -> Array:
    value: Array = sum_but_lanes(e * e) / prod(e.shape[1:])
    return value
