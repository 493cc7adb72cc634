"""Inputs that optax creates itself: draws, from a key in the state, and estimates of the curvature."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import optax

from thalweg.jax.checks import check_type

Tree = Any


class Drawn(NamedTuple):
    """The state of a transformation with draws: the key of the next draws, and the state of the rule."""

    rng_key: Any
    rule: Any


class NoisyRule:
    """A rule's functions, with noise drawn as optax draws it."""

    def __init__(self, rule: Any, key: Any) -> None:
        """key: a typed key, or the integer to make one from; None is 0."""
        self.rule, self.key, self.name = rule, 0 if key is None else key, rule.pure.chain.name

    def init(self, params: Tree) -> Drawn:
        """Return the state before the first step."""
        typed = hasattr(self.key, "dtype") and jax.numpy.issubdtype(self.key.dtype, jax.dtypes.prng_key)
        key = self.key if typed else jax.random.key(self.key)  # created here, so that it is on the parameters' mesh
        return Drawn(key, self.rule.init(params))

    def update(self, grads: Tree, state: Drawn, params: Tree = None, **others: Any) -> tuple[Tree, Drawn]:
        """Run the rule's update with noise."""
        check_type(state, Drawn, self.name)
        following, now = jax.random.split(state.rng_key)
        noise = optax.tree.random_like(now, grads, jax.random.normal)
        updates, after = self.rule.update(grads, state.rule, params, **{"noise": noise, **others})
        return updates, Drawn(following, after)

    def ship(self, params: Tree, state: Drawn) -> Tree:
        """Return the rule's point to keep."""
        check_type(state, Drawn, self.name)
        return self.rule.ship(params, state.rule)


class Looked(NamedTuple):
    """The state of a transformation that reads the curvature: its estimator's state, and the rule's."""

    hessian_fn_state: Any
    rule: Any


class CurvatureRule:
    """A rule's functions, with the curvature estimated by a transformation in the steps that read it."""

    def __init__(self, rule: Any, estimator: Any) -> None:
        self.rule, self.estimator, self.name = rule, optax.with_extra_args_support(estimator), rule.pure.chain.name

    def init(self, params: Tree) -> Looked:
        """Return the state before the first step."""
        return Looked(self.estimator.init(params), self.rule.init(params))

    def update(self, grads: Tree, state: Looked, params: Tree = None, **others: Any) -> tuple[Tree, Looked]:
        """Run the rule's update with the curvature. The estimator's own keywords, such as `obj_fn`, are among `others`."""
        check_type(state, Looked, self.name)
        given, _ = self.rule.received(grads, state.rule, params, {})
        likes = given.outline.structure.unflatten(given.leaves)

        def look() -> Any:
            found, after = self.estimator.update(grads, state.hessian_fn_state, params=params, **others)
            return jax.tree.map(lambda x, g: x.astype(g.dtype), found, likes), after

        def rest() -> Any:
            return jax.tree.map(jax.numpy.zeros_like, likes), state.hessian_fn_state

        curvature, estimated = jax.lax.cond(state.rule.count % self.rule.interval == 0, look, rest)
        updates, after = self.rule.update(grads, state.rule, params, **{**others, "curvature": curvature})
        return updates, Looked(estimated, after)

    def ship(self, params: Tree, state: Looked) -> Tree:
        """Return the rule's point to keep."""
        check_type(state, Looked, self.name)
        return self.rule.ship(params, state.rule)
