"""The parameters and the loss of a step, as rules receive them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.core.leaf import Leaf
from thalweg.values.arrays import Array, framework, widened
from thalweg.values.scalars import Scalar
from thalweg.values.trees import Tree, Vector, flatten, match_in_order, plain, rebuild_in_order


class Parameters(NamedTuple):
    """The parameters of a step: the tree, its leaves, and the leaves as plain arrays for arithmetic."""

    tree: Tree
    names: list[str]
    leaves: list[Any]
    arrays: list[Array]

    @classmethod
    def of(cls, tree: Tree) -> Parameters:
        names, leaves = flatten(tree)
        return cls(tree, names, leaves, [p if type(p) is np.ndarray else plain(p) for p in leaves])

    def match(self, other: Tree, what: str) -> dict[str, Any]:
        return dict(zip(self.names, match_in_order(self.tree, other, what), strict=True))

    def moved(self, to: dict[str, Array]) -> Tree:
        """Return the tree with the given arrays in place of the leaves of these names."""
        return rebuild_in_order(self.tree, self.leaves, [to.get(n, p) for n, p in zip(self.names, self.leaves, strict=True)])


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
