"""Gradients before a step: checked, accumulated over calls, and guarded against inf and NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.core.checks import check_gradient, update_count
from thalweg.core.finite import are_finite, check_finite
from thalweg.core.optimizer import Optimizer, State


def check(names: Sequence[str], arrays: Sequence[Any], gradients: Sequence[Any]) -> None:
    """Raise TypeError or ValueError for a gradient that does not fit its parameter."""
    for name, array, gradient in zip(names, arrays, gradients, strict=True):
        check_gradient(name, array, gradient)


def prepared(
    optimizer: Optimizer, state: State, names: Sequence[str], arrays: Sequence[Any], gradients: list[Any]
) -> list[Any] | None:
    """Return the gradients for the step, after accumulation and the guard against inf and NaN; None if there is no step."""
    check(names, arrays, gradients)
    if optimizer.accumulates > 1:
        mean = _accumulated(optimizer.accumulates, state, names, gradients)
        if mean is None:
            return None
        gradients = [np.asarray(total, array.dtype) for total, array in zip(mean, arrays, strict=True)]
    if optimizer.nonfinite == "propagate":
        return gradients
    finite = are_finite(dict(zip(names, gradients, strict=True)), optimizer.lanes)
    if optimizer.nonfinite == "raise":
        check_finite(finite)
    if all(np.all(good) for good in finite.values()):
        return gradients
    if optimizer.accumulates > 1:
        accumulate_anew(state)
    return None


def _accumulated(calls_a_step: int, state: State, names: Sequence[str], gradients: Sequence[Any]) -> list[Any] | None:
    """Return the mean over the calls of a step; before the last call, add to the sums in the state and return None."""
    for name, gradient in zip(names, gradients, strict=True):
        if gradient is None:
            raise ValueError(f"every({calls_a_step}, ...) needs each gradient in each call; '{name}' has none")
    calls, sums = update_count(state["calls"], "state['calls']") + 1, state["accumulated"]
    totals = [sums[name] + gradient for name, gradient in zip(names, gradients, strict=True)]
    if calls % calls_a_step:
        for name, total in zip(names, totals, strict=True):
            sums[name][...] = total
        state["calls"] = calls
        return None
    return [total / calls_a_step for total in totals]


def accumulate_anew(state: State) -> None:
    """Count the call and reset the sums for the next step."""
    state["calls"] += 1
    for sums in state["accumulated"].values():
        sums[...] = 0
