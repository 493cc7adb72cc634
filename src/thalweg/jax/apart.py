"""A tree of parameters or gradients, taken apart into the arrays of the pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.jax.checks import check_numbers
from thalweg.jax.trees import NOTHING, Outline, Tree, Without, folded, names_of, parts, whole


@dataclass(frozen=True)
class Apart:
    """A flattened tree: its outline, its leaves, and the complex ones by name.

    Here all leaves are arrays of JAX's in a real floating dtype, as they nearly always are; `Mixed` has any others.
    """

    outline: Outline
    leaves: list[Any]
    complexes: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(tree: Tree, known: Outline | None = None) -> Apart:
        """Take a tree apart. known: the outline to keep if the structure is its own, which saves computing the names."""
        leaves, structure = jax.tree.flatten(tree)
        outline = known if known is not None and structure == known.structure else Outline(structure, names_of(tree))
        usual = all(isinstance(x, jax.Array) and x.dtype in FLOATING for x in leaves)
        return Apart(outline, leaves) if usual else Mixed(outline, leaves, _complexes(outline, leaves))

    def updating(self, here: Apart) -> Apart:
        """Return gradients as their updates are: whole numbers and bools as floating point, real ones of complex parameters as
        complex. optax takes these gradients, and its updates are these.
        """
        exact = [not jnp.issubdtype(jnp.result_type(x), jnp.inexact) for x in self.leaves]
        if not any(exact) and len(here.complexes) == len(self.complexes):
            return self
        pairs = zip(self.leaves, exact, strict=True)
        floating = [jnp.asarray(x, jnp.result_type(float)) if whole_number else x for x, whole_number in pairs]
        alike = [
            jnp.asarray(x, jnp.result_type(x, jnp.complex64)) if name in here.complexes else x
            for name, x in zip(self.outline.names, floating, strict=True)
        ]
        complexes = {name: x for name, x in zip(self.outline.names, alike, strict=True) if name in here.complexes}
        return Mixed(self.outline, alike, complexes)

    def arrays(self) -> list[Any]:
        """Return the leaves as the pure functions take them: a complex tensor becomes real and imaginary parts."""
        return self.leaves

    def by_name(self) -> dict[str, Any]:
        """Return these arrays by name."""
        return dict(zip(self.outline.names, self.arrays(), strict=True))

    def tree(self, arrays: Iterable[Any]) -> Tree:
        """Return a tree of this outline and these dtypes from arrays of the pure functions."""
        pairs = zip(arrays, self.leaves, strict=True)
        return self.outline.structure.unflatten([x.astype(like.dtype) for x, like in pairs])

    def table(self, slot: Tree) -> dict[str, Any]:
        """Return a slot's arrays by name, from its tree in a state; tensors without memory are left out."""
        pairs = zip(self.outline.names, self.outline.structure.flatten_up_to(slot), strict=True)
        return {name: x for name, x in pairs if type(x) is not Without}

    def slot(self, table: dict[str, Any], real: bool) -> Tree:
        """Return a slot's tree; `Without` for tensors without memory. real: complex tensors have real memory."""
        return self.outline.structure.unflatten([table.get(name, NOTHING) for name in self.outline.names])


class Mixed(Apart):
    """A flattened tree with complex leaves, whole numbers, NumPy's arrays, or what is no array yet."""

    def arrays(self) -> list[Any]:
        split = self.complexes or any(type(x) is jax.ShapeDtypeStruct for x in self.leaves)
        return list(map(parts if split else jnp.asarray, self.leaves))

    def tree(self, arrays: Iterable[Any]) -> Tree:
        pairs = zip(arrays, self.leaves, strict=True)
        return self.outline.structure.unflatten([whole(x, like) for x, like in pairs])

    def table(self, slot: Tree) -> dict[str, Any]:
        return {name: parts(x) if name in self.complexes else x for name, x in super().table(slot).items()}

    def slot(self, table: dict[str, Any], real: bool) -> Tree:
        if not real:
            table = {name: folded(x, self.complexes[name]) if name in self.complexes else x for name, x in table.items()}
        return super().slot(table, real)


FLOATING = frozenset(map(jnp.dtype, ("float16", "bfloat16", "float32", "float64")))


def _complexes(outline: Outline, leaves: list[Any]) -> dict[str, Any]:
    pairs = list(zip(outline.names, leaves, strict=True))
    try:
        return {name: x for name, x in pairs if jnp.issubdtype(jnp.result_type(x), jnp.complexfloating)}
    except TypeError:  # of something that is no array
        for name, x in pairs:
            check_numbers(name, x)
        raise
