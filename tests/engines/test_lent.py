"""Arrays that a step is handed beside the gradients: read where they are, or copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn

KINDS: dict[str, Callable[[Any, Any], Any]] = {
    "as the parameter": lambda h, p: h,
    "in another order": lambda h, p: np.asfortranarray(h),
    "of another dtype": lambda h, p: h.astype(np.float64),
    "with gaps": lambda h, p: np.repeat(h, 2, axis=1)[:, ::2],
    "the parameter itself": lambda h, p: p,
    "the momentum": lambda h, p: None,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_curvature_is_copied_only_where_it_must_be(kind: str) -> None:
    draw = np.random.default_rng(0)
    start, g, h = (draw.normal(size=(30, 50)).astype(np.float32) for _ in range(3))
    p = start.copy()
    pure, ours = tw.Optimizer(tw.sophia(k=1)), tn.Optimizer({"w": p}, tw.sophia(k=1))
    here, state = {"w": start}, pure.init({"w": start})
    for _ in range(3):
        given = KINDS[kind](h, p)
        given = ours.state["memory"]["sophia"]["m"]["w"] if given is None else given
        here, state = pure.step(here, {"w": g}, state, curvature={"w": np.array(given, np.float32)})
        ours.step({"w": g}, curvature={"w": given})
        np.testing.assert_array_equal(p, here["w"])
    (launch,) = ours._bound._launches
    assert (launch.addresses.held["curvature", 0] is given) == (kind == "as the parameter")
