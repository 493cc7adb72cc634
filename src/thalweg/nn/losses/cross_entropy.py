"""Cross-entropy over classes, from logits or from probabilities."""

from dataclasses import dataclass

import numpy as np

from thalweg.core.checks import check_unmasked
from thalweg.nn import backend
from thalweg.nn.arrays import Array, folded, sum_but_lanes
from thalweg.nn.layers.softmax import classes_first, classes_last, log_softmax_last
from thalweg.nn.losses.loss import Loss, check_range, shaped_like
from thalweg.values.arrays import framework

NO_PROBABILITIES = (
    "CrossEntropy(from_logits=False) wants probabilities, and the outputs run from {low} to {high}: "
    "put nn.Softmax() last, or write nn.CrossEntropy()"
)


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """-sum_k y_k log p_k, the mean over the batch.

    Targets are class numbers (batch,), or one row of probabilities per sample (batch, classes). Outputs at several positions
    per sample, (batch, *places, classes), take class numbers (batch, *places), and the mean is over the positions too.

    Parameters
    ----------
    from_logits : bool
        True: outputs are logits, p = softmax(z), and log p is computed as z - log sum exp z, without log(0). False: outputs
        are probabilities (after a Softmax layer). Then the value is -log max(p, tiny), with tiny the smallest normal number
        of the dtype, and its gradient -y / p is 0 where p < tiny. Logits are safer.
    """

    from_logits: bool = True

    @property
    def threshold(self) -> float | None:
        """None: the largest output decides."""
        return None

    def targets(self, z: Array, y: Array) -> Array:
        """Class numbers (lanes or 1, batch) as integers, or rows (lanes or 1, batch, classes) in z's dtype.

        Positions are flattened into samples: (lanes or 1, batch * places).
        """
        check_unmasked("the outputs of CrossEntropy", z)
        check_unmasked("the targets of CrossEntropy", y)
        if z.ndim > 3 and y.shape[1:] == z.shape[1:-1]:
            z, y = folded(z), y.reshape(len(y), -1)
        if z.ndim != 3 or z.shape[2] < 2:
            raise ValueError(
                f"CrossEntropy wants outputs (batch, classes) with at least 2 classes, and got {z.shape[1:]}: "
                "give the last layer one unit a class, or use nn.BinaryCrossEntropy() for one unit"
            )
        if y.ndim == 3:
            rows = shaped_like(z, y, "CrossEntropy")
            check_range(rows, 0, 1, "target rows for CrossEntropy are probabilities, but these run from {low} to {high}")
            return rows
        if y.shape[1:] != z.shape[1:2]:
            raise ValueError(
                f"CrossEntropy was given targets of shape {y.shape[1:]} for outputs of shape {z.shape[1:]}: "
                f"want class numbers {z.shape[1:2]} or rows {z.shape[1:]}"
            )
        if y.dtype.kind not in "iub":
            cure = "write y.astype(int)"
            if y.dtype.kind in "OUST":
                cure = "number the names: names, y = numpy.unique(labels, return_inverse=True)"
            raise ValueError(f"class numbers must be integers, and these are {y.dtype}: {cure}")
        last = z.shape[2] - 1
        check_range(y, 0, last, f"class numbers run from {{low}} to {{high}}, but the outputs are for 0 to {last}")
        return y.astype(np.intp, copy=False)

    def value(self, z: Array, y: Array) -> Array:
        """See the class."""
        if z.ndim > 3:
            return self.value(folded(z), y)
        if not backend.is_numpy(z):
            return _mean(self._log(z), y)
        if self.from_logits and y.ndim == 2:
            return _shares(z, y)[0]
        return _mean(self._log(z), _rows(z, y))

    def value_and_grad(self, z: Array, y: Array) -> tuple[Array, Array]:
        """See the class."""
        if z.ndim > 3:
            value, grad = self.value_and_grad(folded(z), y)
            return value, grad.reshape(z.shape)
        if self.from_logits and y.ndim == 2:
            return _of_logits(z, y)
        log_p, rows = self._log(z), _rows(z, y)
        value = _mean(log_p, rows)
        if self.from_logits:
            grad = np.exp(log_p, out=log_p)
            grad *= rows.sum(axis=2, keepdims=True)  # holds whatever the sum of a row
            grad -= rows
        else:
            tiny = np.finfo(z.dtype).tiny
            grad = np.where(z < tiny, 0, -rows / np.maximum(z, tiny))
        grad /= z.dtype.type(z.shape[1])
        return value, grad

    def _log(self, z: Array) -> Array:
        """log p."""
        if self.from_logits:
            return log_softmax_last(z)
        if backend.is_numpy(z):
            check_range(z, 0, 1, NO_PROBABILITIES)
        log_p: Array = backend.log_from_tiny(z)
        return log_p


def _mean(log_p: Array, y: Array) -> Array:
    """-sum y log p. For class numbers (the only targets of JAX and PyTorch arrays) the sum has one term."""
    terms = y * log_p if y.ndim == 3 else framework(log_p).where(backend.one_hot(y, log_p.shape[2]), log_p, 0.0)
    value: Array = -sum_but_lanes(terms) / log_p.shape[1]
    return value


def _rows(z: Array, y: Array) -> Array:
    """Targets as rows of probabilities."""
    return y if y.ndim == 3 else backend.one_hot(y, z.shape[2]).astype(z.dtype)


def _shares(z: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """For class numbers: the value log sum exp z - z_y, exp z with classes first, its sums, and the index of each target."""
    p = classes_first(z)
    p -= p.max(axis=0)
    at = _places(y, z)
    chosen = p.reshape(-1)[at]
    np.exp(p, out=p)
    total = p.sum(axis=0)
    value = (np.log(total) - chosen).sum(axis=1) / z.dtype.type(z.shape[1])
    return value, p, total, at


def _of_logits(z: Array, y: Array) -> tuple[Array, Array]:
    """For class numbers: the value and its gradient, softmax(z) - one-hot(y)."""
    value, p, total, at = _shares(z, y)
    p /= total
    p.reshape(-1)[at] -= 1
    p *= z.dtype.type(1 / z.shape[1])
    return value, classes_last(p)


def _places(y: Array, z: Array) -> Array:
    """The index (lanes, batch) of each sample's target in z, flattened with classes first."""
    lanes, batch, _ = z.shape
    places: Array = y * (lanes * batch) + np.arange(lanes * batch).reshape(lanes, batch)
    return places
