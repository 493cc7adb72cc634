"""The interface of losses: a value, which JAX and PyTorch can differentiate, and for NumPy the value with its gradient."""

from abc import ABC, abstractmethod

import numpy as np

from thalweg.core.checks import check_unmasked
from thalweg.nn.arrays import Array


class Loss(ABC):
    """Base class of losses: a frozen configuration and the pure functions `targets`, `value` and `value_and_grad`.

    `accuracy` reads `threshold`: an output above it means yes. None: the largest of several outputs decides.
    """

    @property
    @abstractmethod
    def threshold(self) -> float | None:
        """The decision threshold of a single output."""

    @abstractmethod
    def targets(self, z: Array, y: Array) -> Array:
        """Check y and convert it for `value_and_grad`. Raises ValueError if it does not fit z.

        z is (lanes, batch, *outputs), y (lanes or 1, batch, ...).
        """

    def value(self, z: Array, y: Array) -> Array:
        """The loss (lanes,), a mean over the batch, in the dtype of z. y is as returned by `targets`.

        The losses of this package also take JAX or PyTorch arrays, with y unchecked, and are differentiable there. A loss
        of your own may leave this method out and then runs on NumPy only.
        """
        return self.value_and_grad(z, y)[0]

    @abstractmethod
    def value_and_grad(self, z: Array, y: Array) -> tuple[Array, Array]:
        """`value` and its gradient with respect to z, a new array; both in the dtype of z."""


def shaped_like(z: Array, y: Array, who: str) -> Array:
    """y in the shape (except the lanes) and dtype of z.

    A single output also takes targets (batch,). Nothing else is broadcast: outputs (batch, 1) minus targets (batch,) would
    silently be (batch, batch).
    """
    check_unmasked(f"the outputs of {who}", z)
    check_unmasked(f"the targets of {who}", y)
    if y.dtype.kind not in "fiub":
        raise ValueError(f"{who} was given targets of dtype {y.dtype}, but wants numbers")
    if y.shape[1:] == z.shape[1:]:
        return y.astype(z.dtype, copy=False)
    if (*y.shape[1:], 1) == z.shape[1:]:
        return y[..., None].astype(z.dtype, copy=False)
    raise ValueError(
        f"{who} was given targets of shape {y.shape[1:]} for outputs of shape {z.shape[1:]}: want one target an "
        f"output, shape {z.shape[1:]}"
    )


def check_range(a: Array, low: float, high: float, message: str) -> None:
    """Raises ValueError with the range found if a number is outside [low, high]. NaN is accepted, as a result."""
    if (a < low).any() or (a > high).any():
        raise ValueError(message.format(low=np.nanmin(a), high=np.nanmax(a)))
