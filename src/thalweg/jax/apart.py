"""A tree of parameters or gradients, taken apart into the arrays of the pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg.jax.checks import check_numbers
from thalweg.jax.trees import Outline, Tree, apart, parts, whole


class Apart(NamedTuple):
    """A flattened tree: its outline, its leaves, and the complex ones by name."""

    outline: Outline
    leaves: list[Any]
    complexes: dict[str, Any]

    @classmethod
    def of(cls, tree: Tree, known: Outline | None = None) -> Apart:
        leaves, outline = apart(tree, known)
        pairs = list(zip(outline.names, leaves, strict=True))
        try:
            complexes = {name: x for name, x in pairs if jnp.issubdtype(jnp.result_type(x), jnp.complexfloating)}
        except TypeError:  # of something that is no array
            for name, x in pairs:
                check_numbers(name, x)
            raise
        return cls(outline, leaves, complexes)

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
        return self._replace(leaves=alike, complexes=complexes)

    def arrays(self) -> list[Any]:
        """Return the leaves as the pure functions take them: a complex tensor becomes real and imaginary parts."""
        split = self.complexes or any(type(x) is jax.ShapeDtypeStruct for x in self.leaves)
        return list(map(parts if split else jnp.asarray, self.leaves))

    def by_name(self) -> dict[str, Any]:
        """Return these arrays by name."""
        return dict(zip(self.outline.names, self.arrays(), strict=True))

    def tree(self, arrays: Iterable[Any]) -> Tree:
        """Return a tree of this outline and these dtypes from arrays of the pure functions."""
        pairs = zip(arrays, self.leaves, strict=True)
        if self.complexes:
            return self.outline.structure.unflatten([whole(x, like) for x, like in pairs])
        return self.outline.structure.unflatten([x.astype(jnp.result_type(like)) for x, like in pairs])
