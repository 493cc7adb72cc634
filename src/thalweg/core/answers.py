"""The loss of a step, and the answers of a caller's grad_fn, as rules receive them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.core.leaf import Leaf
from thalweg.values.arrays import framework, widened
from thalweg.values.scalars import Scalar
from thalweg.values.trees import Vector


def host_scalar(x: Any) -> Any:
    """Return a loss as rules receive it: a Scalar for a host number or one per lane; another framework's 0-d array unchanged."""
    on_host = isinstance(x, int | float) or (framework(x) is not None and (framework(x).name == "numpy" or x.ndim == 1))
    if on_host:
        return Scalar(np.asarray(x, np.float64) if isinstance(x, int | float | np.ndarray | np.generic) else x)
    return x


def answered(gradients: dict[str, Any], leaves: Sequence[Leaf], lanes: int | None) -> Vector:
    """Return copies of the gradients for an @around method: the next call of grad_fn may overwrite the ones it returned."""
    found = [gradients[leaf.name] for leaf in leaves]
    return Vector([framework(g).copy(widened(g)) for g in found], lanes is not None)
