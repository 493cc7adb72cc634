"""Which framework the parameters belong to that a training function hands to the trial."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

Ndims = list[int]
"""The number of axes of each parameter."""


def listed(x: Any) -> Any:
    """The parameters, those of an iterator in a list, so that they can be looked at; also in the groups of a list."""
    found = list(x) if isinstance(x, Iterator) else x
    if isinstance(found, list | tuple) and found and all(isinstance(group, dict) and "params" in group for group in found):
        return [{**group, "params": listed(group["params"])} for group in found]
    return found


def framework(x: Any) -> tuple[str, Ndims]:
    """ "torch", "jax" or "numpy", and the axes of all parameters. Raises TypeError if there are none of these."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None and isinstance(x, torch.nn.Module):
        return "torch", [p.ndim for p in x.parameters()]
    leaves = list(_leaves(x))
    if torch is not None and any(isinstance(leaf, torch.Tensor) for leaf in leaves):
        return "torch", [leaf.ndim for leaf in leaves if isinstance(leaf, torch.Tensor)]
    if jax is not None:
        arrays = [leaf for leaf in jax.tree.leaves(x) if isinstance(leaf, jax.Array)]
        if arrays:
            return "jax", [leaf.ndim for leaf in arrays]
    arrays = [leaf for leaf in leaves if isinstance(leaf, np.ndarray)]
    if not arrays:
        raise TypeError(
            f"trial.optimizer takes a module, its parameters, or a tree of JAX or NumPy arrays; it got {type(x).__name__}"
        )
    return "numpy", [leaf.ndim for leaf in arrays]


def _leaves(x: Any) -> Iterator[Any]:
    """What the dicts, lists and tuples of a tree hold in the end."""
    if isinstance(x, Mapping | list | tuple):
        for part in x.values() if isinstance(x, Mapping) else x:
            yield from _leaves(part)
    else:
        yield x
