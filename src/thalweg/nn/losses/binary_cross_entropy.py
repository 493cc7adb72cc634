"""Binary cross-entropy, from logits or from probabilities."""

from dataclasses import dataclass
from math import prod

import numpy as np

from thalweg.nn import backend
from thalweg.nn.arrays import Array, sum_but_lanes
from thalweg.nn.layers.activations import sigmoid
from thalweg.nn.losses.loss import Loss, check_range, shaped_like
from thalweg.values.arrays import framework

NO_PROBABILITIES = (
    "BinaryCrossEntropy(from_logits=False) wants probabilities, and the outputs run from {low} to {high}: "
    "put nn.Sigmoid() last, or write nn.BinaryCrossEntropy()"
)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """-(y log p + (1 - y) log(1 - p)), the mean over batch and outputs. Targets lie in [0, 1], one per output.

    Parameters
    ----------
    from_logits : bool
        True: outputs are logits, p = sigmoid(z), and the value is max(z, 0) - z y + log(1 + exp(-|z|)), without log(0).
        False: outputs are probabilities (after a Sigmoid layer). Then the logarithms are of max(p, tiny) and
        max(1 - p, tiny), with tiny the smallest normal number of the dtype, and the gradient of a clipped term is 0. Logits
        are safer.
    """

    from_logits: bool = True

    @property
    def threshold(self) -> float | None:
        """p = 1/2: 0 as a logit."""
        return 0.0 if self.from_logits else 0.5

    def targets(self, z: Array, y: Array) -> Array:
        """Targets in [0, 1], one per output."""
        y = shaped_like(z, y, "BinaryCrossEntropy")
        check_range(y, 0, 1, "targets for BinaryCrossEntropy lie in [0, 1], but these run from {low} to {high}")
        return y

    def value(self, z: Array, y: Array) -> Array:
        """See the class."""
        if self.from_logits:
            return _of_logits(z, y)
        if backend.is_numpy(z):
            check_range(z, 0, 1, NO_PROBABILITIES)
        return _of_probabilities(z, y)

    def value_and_grad(self, z: Array, y: Array) -> tuple[Array, Array]:
        """See the class."""
        value = self.value(z, y)
        if self.from_logits:
            grad = sigmoid(z)
            grad -= y
        else:
            tiny, q = np.finfo(z.dtype).tiny, 1 - z
            grad = np.where(q < tiny, 0, (1 - y) / np.maximum(q, tiny))
            grad -= np.where(z < tiny, 0, y / np.maximum(z, tiny))
        grad /= z.dtype.type(z[0].size)
        return value, grad


def _of_logits(z: Array, y: Array) -> Array:
    space = framework(z)
    terms = space.log1p(space.exp(-abs(z)))
    terms += backend.relu(z)
    terms -= z * y
    value: Array = sum_but_lanes(terms) / prod(z.shape[1:])
    return value


def _of_probabilities(p: Array, y: Array) -> Array:
    terms = y * backend.log_from_tiny(p) + (1 - y) * backend.log_from_tiny(1 - p)
    value: Array = -sum_but_lanes(terms) / prod(p.shape[1:])
    return value
