"""Metrics: functions (outputs, targets) -> float on the arrays of one run. `fit` takes any function of this form."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

from thalweg.core.checks import as_array, check_unmasked
from thalweg.nn.arrays import Array
from thalweg.nn.losses.loss import shaped_like
from thalweg.values.arrays import framework

Metric: TypeAlias = Callable[[Array, Array], float]
Metrics: TypeAlias = Iterable[str | Metric] | str | Metric


def accuracy(outputs: Array, targets: Array, threshold: float | None = None) -> float:
    """The share of correct decisions. A sample with a NaN among its outputs counts as wrong.

    Parameters
    ----------
    outputs : Array
        (samples, classes), where the largest decides, or (samples,) or (samples, 1), where `threshold` does.
    targets : Array
        Class numbers (samples,), or rows shaped like outputs.
    threshold : float | None
        An output above it means yes. None: 0.5 for a single output, and the largest of several decides. With a number each
        output is a separate decision (multi-label classification).

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    return float(right_share(as_array("outputs", outputs), as_array("targets", targets), threshold))


def right_share(outputs: Array, targets: Array, threshold: float | None = None) -> Array:
    """`accuracy` for arrays of any framework, as an array."""
    space = framework(outputs)
    if threshold is None and outputs.ndim == 2 and outputs.shape[1] > 1:
        wanted = targets.argmax(axis=1) if targets.shape == outputs.shape else targets
        if wanted.shape != outputs.shape[:1]:
            raise ValueError(f"targets of shape {targets.shape} do not fit outputs of shape {outputs.shape}")
        right = (outputs.argmax(axis=1) == wanted) & ~space.isnan(outputs).any(axis=1)
    else:
        yes = shaped_like(outputs[None], targets[None], "accuracy")[0] > 0.5
        right = ((outputs > (0.5 if threshold is None else threshold)) == yes) & ~space.isnan(outputs)
    share: Array = (right * 1.0).mean()
    return share


def error_rate(outputs: Array, targets: Array, threshold: float | None = None) -> float:
    """1 - `accuracy`."""
    return 1 - accuracy(outputs, targets, threshold)


def mse(outputs: Array, targets: Array) -> float:
    """Mean squared error, mean (outputs - targets)^2. Targets are shaped like outputs, or (samples,) for (samples, 1)."""
    check_unmasked("outputs", outputs)
    e = outputs - shaped_like(outputs[None], as_array("targets", targets)[None], "mse")[0]
    return float((e * e).mean())


def r2(outputs: Array, targets: Array) -> float:
    """R², 1 - (sum of squared errors) / (sum of squares around the mean), averaged over the outputs.

    Constant targets give 1 if the error is 0, and 0 otherwise.
    """
    check_unmasked("outputs", outputs)
    return float(explained_share(outputs, as_array("targets", targets)))


def explained_share(outputs: Array, targets: Array) -> Array:
    """`r2` for arrays of any framework, as an array."""
    where = framework(outputs).where
    y = shaped_like(outputs[None], targets[None], "r2")[0]
    left = ((y - outputs) ** 2).sum(axis=0)
    whole = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    flat = whole == 0
    share: Array = 1 - where(flat, left != 0, left / where(flat, 1, whole)).mean()
    return share


NAMED: dict[str, Callable[..., float]] = {"accuracy": accuracy, "error_rate": error_rate, "mse": mse, "r2": r2}
AS_ARRAYS: dict[str, Callable[..., Array]] = {"accuracy": right_share, "r2": explained_share}
"""The metrics that also take arrays of other frameworks."""


def several(metrics: Metrics) -> tuple[str | Metric, ...]:
    """One or several metrics as a tuple. Raises ValueError for an unknown name."""
    found: tuple[Any, ...] = (metrics,) if isinstance(metrics, str) or callable(metrics) else tuple(metrics)
    for one in found:
        if isinstance(one, str) and one not in NAMED:
            raise ValueError(
                f"there is no metric {one!r}; there are {', '.join(NAMED)}, or give a function (outputs, targets) -> number"
            )
    return found


def by_name(metrics: Metrics, threshold: float | None) -> dict[str, Metric]:
    """The user's metrics as {name: function}; accuracy and error_rate use the loss's threshold."""
    found: dict[str, Metric] = {}
    for one in several(metrics):
        function = NAMED[one] if isinstance(one, str) else one
        name = one if isinstance(one, str) else getattr(one, "__name__", repr(one))
        found[name] = partial(function, threshold=threshold) if function in (accuracy, error_rate) else function
    return found
