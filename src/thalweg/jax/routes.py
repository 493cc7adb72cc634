"""The table of who gets what, of optax transformations."""

from __future__ import annotations

from typing import Any

from thalweg.core.leaf import Leaf
from thalweg.core.routes import Routes, route
from thalweg.jax.apart import Apart
from thalweg.jax.estimators import CurvatureRule, NoisyRule
from thalweg.jax.face import Face
from thalweg.jax.trees import Tree


def routes(transformation: Any, params: Tree) -> Routes:
    """Return the table of who gets what: for each parameter its role, the rules that it goes through, and its learning rate.

    Parameters
    ----------
    transformation : Transformation
        A transformation of thalweg.jax.
    params : pytree
        The parameters.

    Returns
    -------
    Routes
        A list of `Route`, printed as a table. The learning rate of a schedule is the first one.

    Raises
    ------
    TypeError
        For a transformation of optax's own.
    """
    face = getattr(getattr(transformation, "update", None), "__self__", None)
    rule = face.rule if isinstance(face, NoisyRule | CurvatureRule) else face
    if not isinstance(rule, Face):
        raise TypeError(f"{transformation!r:.60} is no transformation of thalweg.jax")
    here = Apart.of(params)
    with rule._over(params, here):
        arrays = here.by_name().items()
        return Routes(route(rule.pure, Leaf(name, tuple(p.shape), p, p, 1, None, p)) for name, p in arrays)
