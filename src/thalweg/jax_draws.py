"""Draws as optax makes them: from a key that the state holds, and that each step splits."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import optax

Tree = Any


class Drawn(NamedTuple):
    """What a transformation with draws keeps: the key of those to come, and the state of the rule."""

    rng_key: Any
    rule: Any


class Drawing:
    """A rule's functions, the noise they ask for drawn as optax draws it."""

    def __init__(self, rule: Any, key: Any) -> None:
        """key: a typed key, or the whole number that one is made of; None is 0."""
        self.rule, self.key = rule, 0 if key is None else key

    def init(self, params: Tree) -> Drawn:
        """The state at the start."""
        typed = hasattr(self.key, "dtype") and jax.numpy.issubdtype(self.key.dtype, jax.dtypes.prng_key)
        key = self.key if typed else jax.random.key(self.key)  # here, so that it is of the mesh of the parameters
        return Drawn(key, self.rule.init(params))

    def update(self, grads: Tree, state: Drawn, params: Tree = None, **others: Any) -> tuple[Tree, Drawn]:
        """The rule's, with its noise."""
        following, now = jax.random.split(state.rng_key)
        noise = optax.tree.random_like(now, grads, jax.random.normal)
        updates, after = self.rule.update(grads, state.rule, params, **{"noise": noise, **others})
        return updates, Drawn(following, after)

    def ship(self, params: Tree, state: Drawn) -> Tree:
        """The rule's."""
        return self.rule.ship(params, state.rule)
