"""A draw that is looked at every few steps is made in those alone, wherever t is known."""

from __future__ import annotations

import numpy as np
import pytest

import thalweg as tw
from thalweg.core import array_step


def test_nothing_is_drawn_between(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    draw = array_step.draw
    monkeypatch.setattr(array_step, "draw", lambda seed, t, *rest: (drawn.append(int(t)), draw(seed, t, *rest))[1])
    optimizer = tw.Optimizer(tw.apollo_adamw(rank=2, T=4), lr=0.1)
    p, g = np.ones((4, 3)), np.arange(12.0).reshape(4, 3)
    state = optimizer.init(p)
    for _ in range(10):
        p, state = optimizer.step(p, g, state)
    assert drawn == [1, 5, 9]


def test_under_jit_it_is_the_same_draw() -> None:
    jax = pytest.importorskip("jax")
    optimizer = tw.Optimizer(tw.apollo_adamw(rank=2, T=3), lr=0.1)
    g = jax.numpy.arange(12.0).reshape(4, 3)
    ends = []
    for step in (optimizer.step, jax.jit(optimizer.step)):
        p, state = jax.numpy.ones((4, 3)), optimizer.init(jax.numpy.ones((4, 3)))
        for _ in range(7):
            p, state = step(p, g, state)
        ends.append(p)
    np.testing.assert_allclose(ends[0], ends[1], rtol=0, atol=1e-3)
