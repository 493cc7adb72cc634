"""A small tree of parameters with its gradients, and when two trees are the same."""

from __future__ import annotations

from typing import Any

import numpy as np

import thalweg as tw

P = {"w": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([0.5, -0.5])}
G = {"w": np.array([[0.1, -0.2], [0.3, 0.0]]), "b": np.array([1.0, -1.0])}


def same(a: Any, b: Any) -> bool:
    """Equal trees, to the last bit, NaNs included."""
    names, leaves = tw.trees.flatten(a)
    others, theirs = tw.trees.flatten(b)
    return names == others and all(
        np.array_equal(x, y, equal_nan=not isinstance(x, str)) if x is not None else y is None
        for x, y in zip(leaves, theirs, strict=True)
    )
