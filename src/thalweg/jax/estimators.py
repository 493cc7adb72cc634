"""What optax makes itself and hands to a rule: draws, from a key that the state holds, and estimates of the curvature."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import optax

Tree = Any


class Drawn(NamedTuple):
    """What a transformation with draws keeps: the key of those to come, and the state of the rule."""

    rng_key: Any
    rule: Any


class NoisyRule:
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


class Looked(NamedTuple):
    """What a transformation that looks at the curvature keeps: its estimator's state, and that of the rule."""

    hessian_fn_state: Any
    rule: Any


class CurvatureRule:
    """A rule's functions, the curvature they ask for estimated by a transformation, in the steps that look at it."""

    def __init__(self, rule: Any, estimator: Any) -> None:
        self.rule, self.estimator = rule, optax.with_extra_args_support(estimator)

    def init(self, params: Tree) -> Looked:
        """The state at the start."""
        return Looked(self.estimator.init(params), self.rule.init(params))

    def update(self, grads: Tree, state: Looked, params: Tree = None, **others: Any) -> tuple[Tree, Looked]:
        """The rule's, with its curvature. What the estimator asks for, as `obj_fn`, is among the keywords."""

        def look() -> Any:
            found, after = self.estimator.update(grads, state.hessian_fn_state, params=params, **others)
            return jax.tree.map(lambda x, g: x.astype(g.dtype), found, grads), after

        def rest() -> Any:
            return jax.tree.map(jax.numpy.zeros_like, grads), state.hessian_fn_state

        curvature, estimated = jax.lax.cond(state.rule.count % self.rule.interval == 0, look, rest)
        updates, after = self.rule.update(grads, state.rule, params, **{**others, "curvature": curvature})
        return updates, Looked(estimated, after)

    def ship(self, params: Tree, state: Looked) -> Tree:
        """The rule's."""
        return self.rule.ship(params, state.rule)
