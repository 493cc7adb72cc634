"""Noise that a step does not need is not drawn, and the step is the same to the last bit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from support import first

pytest.importorskip("numba")

import thalweg as tw
import thalweg.numpy as tn
from thalweg.ops import where


@tw.rule(lr=0.1)
def at_first(g, t, noise):  # type: ignore[no-untyped-def]
    """Noise in the first two updates."""
    return g + where(t < 3, 2 * noise, 0.0 * g)


@tw.rule(lr=0.1)
def twice(g, t, noise, m=0.0):  # type: ignore[no-untyped-def]
    """Under either of two conditions."""
    return g + where(t < 3, noise, 0.0 * g), where(t > 1, noise * noise, m)


@tw.rule(lr=0.1)
def otherwise(g, t, noise):  # type: ignore[no-untyped-def]
    """Where the condition does not hold."""
    return g + where(t < 3, g, noise)


@tw.rule(lr=0.1)
def by_element(g, t, noise):  # type: ignore[no-untyped-def]
    """Where an element says so."""
    return g + where(g < 0, noise, g)


@tw.rule(lr=0.1)
def memory_too(g, t, noise, m=0.0):  # type: ignore[no-untyped-def]
    """Beside a choice, into memory."""
    return g + where(t < 3, noise, 0.0 * g), noise


STAGES = {
    "at_first": at_first, "twice": twice, "otherwise": otherwise, "by_element": by_element, "memory_too": memory_too,
    "santa_e": lambda: tw.santa_e(burnin=3), "santa_sss": lambda: tw.santa_sss(burnin=3),
    "two stages": lambda: tw.chain(at_first(), twice()),
}  # fmt: skip
SOMETIMES = {"at_first": [True], "santa_e": [True], "santa_sss": [True], "two stages": [True, False]}
"""Of each draw, whether a condition is asked; of those not listed none is."""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", first(STAGES, 3))
def test_a_step_without_its_noise(name: str, dtype: Any) -> None:
    chance = np.random.default_rng(0)
    start = chance.normal(size=1500).astype(dtype)
    pure, mine = tw.Optimizer(STAGES[name]()), [start.copy()]
    ours = tn.Optimizer(mine, STAGES[name]())
    params, state = [start], pure.init([start])
    for _ in range(5):
        g = chance.normal(size=1500).astype(dtype)
        params, state = pure.step(params, [g], state)
        ours.step([g])
    if "sss" in name:  # an exponential of the kernels' own
        np.testing.assert_allclose(mine[0], params[0], rtol=50 * float(np.finfo(dtype).eps), atol=1e-7)
    else:
        np.testing.assert_array_equal(mine[0], params[0])
    text = ours._bound._launches[0].kernel.text
    asked = [bool(line) for line in re.findall(r"( +if \w+:\n)? +normals\(", text)]
    assert asked == SOMETIMES.get(name, [False])
