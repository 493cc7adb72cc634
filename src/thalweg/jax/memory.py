"""The memory of a transformation: by leaf, as the pure functions have it, and as trees like the parameters."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from thalweg.core.array_step import ArrayStep
from thalweg.core.optimizer import Optimizer as Pure
from thalweg.jax.apart import Apart
from thalweg.jax.trees import renamed


class Layout:
    """Where a transformation's memory has its slots. By leaf they have the rule's names, in a state's trees the state's.

    names: the state's names, by path ("adam.m"). Slots with a dtype of their own are always real.
    """

    by_leaf: Any
    in_state: Any

    def __init__(self, pure: Pure, names: dict[str, str]) -> None:
        self.table: Any = pure.chain.init([], ArrayStep(None, pure.seed))
        """The memory for no parameters: an empty table for each slot that is a tree, and the numbers of the whole model."""
        typed = {slot for f in pure.chain.functions for slot, kind in f.memory.items() if kind.dtype is not None}
        slots, self.by_leaf = jax.tree_util.tree_flatten_with_path(self.table, lambda x: x == {} and x is not self.table)
        self.trees = [isinstance(first, dict) for _, first in slots]
        self.real = [path[-1].key in typed for path, _ in slots]
        self.order, self.in_state = jax.tree.flatten(renamed(self.by_leaf.unflatten(range(len(slots))), names))

    def by_leaf_of(self, memory: Any, like: Apart) -> Any:
        """Convert a state's memory."""
        held = dict(zip(self.order, self.in_state.flatten_up_to(memory), strict=True))
        return self.by_leaf.unflatten([like.table(held[i]) if tree else held[i] for i, tree in enumerate(self.trees)])

    def trees_of(self, memory: dict[str, Any], like: Apart) -> Any:
        """Convert memory by leaf."""
        slots = zip(self.by_leaf.flatten_up_to(memory), self.trees, self.real, strict=True)
        told = [like.slot(held, real) if tree else jnp.asarray(held) for held, tree, real in slots]
        return self.in_state.unflatten([told[i] for i in self.order])
