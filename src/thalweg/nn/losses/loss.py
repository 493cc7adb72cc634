"""What a loss is: a value, which JAX and PyTorch can differentiate too, and for NumPy its gradient with it in one go."""

from abc import ABC, abstractmethod

import numpy as np

from thalweg.nn.arrays import Array


class Loss(ABC):
    """A frozen configuration and three pure functions: `targets`, which checks and shapes y, `value`, `value_and_grad`.

    `threshold`: above it a single output says yes (accuracy asks); None where the largest of several outputs decides.
    """

    @property
    @abstractmethod
    def threshold(self) -> float | None:
        """The boundary between no and yes."""

    @abstractmethod
    def targets(self, z: Array, y: Array) -> Array:
        """y as `value_and_grad` wants it. Raises ValueError where it does not fit z.

        z is (lanes, batch, *outputs), y (lanes or 1, batch, ...).
        """

    def value(self, z: Array, y: Array) -> Array:
        """The loss (lanes,), a mean over the batch, in z's dtype; y is as `targets` gave it.

        Of the losses here, z and y may be JAX's or PyTorch's, y then unchecked, and what comes out can be differentiated.
        A loss of your own that says nothing of its value alone does without that.
        """
        return self.value_and_grad(z, y)[0]

    @abstractmethod
    def value_and_grad(self, z: Array, y: Array) -> tuple[Array, Array]:
        """`value` and its gradient in z, a new array; both in z's dtype."""


def shaped_like(z: Array, y: Array, who: str) -> Array:
    """y in the shape and dtype of z, but for the lanes.

    One output may have targets (batch,); nothing else is broadcast.
    (Outputs (batch, 1) minus targets (batch,) would silently be (batch, batch).)
    """
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
    """Raises ValueError(message with the range found) for a number outside [low, high]. NaN passes: it is a result."""
    if (a < low).any() or (a > high).any():
        raise ValueError(message.format(low=np.nanmin(a), high=np.nanmax(a)))
