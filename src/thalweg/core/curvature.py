"""An estimate of the Hessian's diagonal from two gradients, for rules that ask for `curvature`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg.core.stage import Declared
from thalweg.form.draws import draw
from thalweg.form.hyper import Role
from thalweg.ops import maximum, ratio, sign
from thalweg.values.arrays import dtype_name, framework, is_traced, widened
from thalweg.values.scalars import Scalar
from thalweg.values.trees import Tree, flatten, match, rebuild

RADIUS = {"float16": 2.0**-5, "bfloat16": 2.0**-4, "float32": 2.0**-12, "float64": 2.0**-26}
"""Distance of the second gradient, as a share of |p| where that exceeds 1: the square root of the dtype's spacing, which
balances truncation and rounding error.
"""


def hutchinson(
    grad_fn: Callable[[Tree], tuple[Any, Tree]], params: Tree, grads: Tree, seed: Any, t: dict[str, Any], lanes: int | None = None
) -> Tree:
    """Estimate the Hessian's diagonal as u * (H u) for random signs u (Hutchinson 1990, Commun. Stat. 19:433).

    H u is the difference of the gradients at params + r u and at params, divided by r. Each number has its own r, in
    proportion to its size, so that large numbers move too. grads: the gradients at params. seed, t: the signs are drawn
    from the seed and each tensor's update count. A parameter without a gradient gets None.
    """
    names, arrays = flatten(params)
    here = match(params, grads, "gradients")
    moved = {}
    for name, p in zip(names, arrays, strict=True):
        u = sign(draw(seed, Scalar(t[name]) if getattr(t[name], "ndim", 0) == 1 else t[name], ("hutchinson", name), p, lanes))
        radius = RADIUS[dtype_name(p)] * maximum(abs(widened(p)), 1.0)
        moved[name] = p if here[name] is None else framework(p).cast(widened(p) + radius * u, p.dtype)
    here = {name: g if g is None else framework(g).copy(g) for name, g in here.items()}  # grad_fn may overwrite them
    there = match(params, grad_fn(rebuild(params, moved))[1], "gradients from grad_fn")
    found: dict[str, Any] = dict.fromkeys(names)
    for name, p in zip(names, arrays, strict=True):
        g = here[name]
        if g is not None:  # divide by the actual move, which has the sign of u
            product = ratio(widened(there[name]) - widened(g), widened(moved[name]) - widened(p))
            found[name] = framework(p).cast(product, p.dtype)
    return rebuild(params, found)


def estimated(
    functions: Sequence[Declared], grad_fn: Any, params: Tree, grads: Tree, state: dict[str, Any], seed: Any, lanes: int | None
) -> Tree:
    """Return the curvature for `functions`; in a step that does not read it, the gradients as a placeholder."""
    t = {name: count + 1 for name, count in state["t"].items()}
    often = [f.value_of(Role.INTERVAL, 1) for f in functions if "curvature" in f.asks]
    known = not any(is_traced(count) for count in t.values())
    if known and often and not any(np.any((count - 1) % k == 0) for count in t.values() for k in often):
        return grads
    return hutchinson(grad_fn, params, grads, state.get("seed", seed), t, lanes)
