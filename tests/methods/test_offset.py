"""Adafactor's averages after steps that they do not count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn

GRADIENTS = [np.random.default_rng(k).normal(size=(2, 3)) for k in range(6)]


def walked(offset: Any, count: int, start: int = 0) -> list[Any]:
    optimizer = tw.Optimizer(tw.adafactor(offset=offset, relative_step=False), lr=0.1)
    params, state, path = {"w": np.ones((2, 3))}, None, []
    state = optimizer.init(params)
    state["t"] = {"w": start}
    for g in GRADIENTS[start : start + count]:
        params, state = optimizer.step(params, {"w": g}, state)
        path.append(state["memory"])
    return path


@pytest.mark.parametrize("offset", [3, 2.5, 0.5])
@pytest.mark.parametrize("fused", [True, False])
def test_steps_that_do_not_count_are_steps(offset: float, fused: bool) -> None:
    p = {"w": np.ones((2, 3))}
    optimizer, pure = tn.Adafactor(p, lr=0.1, offset=offset, fused=fused), tw.Optimizer(tw.adafactor(offset=offset), lr=0.1)
    here, state = {"w": np.ones((2, 3))}, pure.init(p)
    for g in GRADIENTS:
        optimizer.step({"w": g})
        here, state = pure.step(here, {"w": g}, state)
        assert np.isfinite(p["w"]).all()
        np.testing.assert_allclose(p["w"], here["w"], rtol=1e-12)


def test_the_averages_start_anew_after_them() -> None:
    counted, fresh = walked(3, 6), walked(3, 3, start=3)
    for a, b in zip(counted[3:], fresh, strict=True):
        for key in a["adafactor"]:
            assert str(a["adafactor"][key]) == str(b["adafactor"][key])
