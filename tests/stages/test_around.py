"""What takes several gradients a step: sharpness-aware minimization and its kin, against their papers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles.sharpness import sharpness_aware
from support import flat

import thalweg as tw

DRAW = np.random.default_rng(3)
P = {"w": DRAW.normal(size=(3, 2)), "b": DRAW.normal(size=2)}
A = DRAW.normal(size=(8, 8)) / 4 + np.eye(8)


def slope(x: np.ndarray) -> np.ndarray:
    """The gradient of x A x / 2 + sum(log(cosh(3 x))) / 3."""
    bent: np.ndarray = 0.5 * (A + A.T) @ x + np.tanh(3 * x)
    return bent


def asked(p: Any) -> Any:
    g = slope(flat(p))
    return 0.0, {"w": g[:6].reshape(3, 2), "b": g[6:]}


FORMS: dict[str, Any] = {
    "sam": {}, "sam wide": {"rho": 0.5}, "asam": {"rho": 0.5}, "asam wide": {"rho": 1.5, "eta": 0.3}, "gsam": {}, "gsam wide": {"rho": 0.5, "alpha": 0.9},
    "wsam": {}, "wsam wide": {"rho": 0.5, "gamma": 0.3}, "looksam": {"alpha": 0.7, "rho": 0.1}, "looksam often": {"rho": 0.5, "alpha": 0.3, "k": 3}, "looksam each": {"rho": 0.5, "k": 1},
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_equals_its_paper(case: str) -> None:
    name, options = case.split()[0], FORMS[case]
    optimizer = tw.Optimizer(tw.chain(getattr(tw, name)(**options), tw.sgd()), lr=0.02)
    p, state = P, optimizer.init(P)
    truth = sharpness_aware(flat(P), slope, 0.02, name, **options, steps=60)
    for w in truth:
        p, state = optimizer.step(p, None, state, grad_fn=asked)
        np.testing.assert_allclose(flat(p), w, rtol=0, atol=1e-12)
    assert np.abs(truth[-1] - flat(P)).max() > 0.1


def test_half_the_weight_is_sam() -> None:
    half, plain = (
        sharpness_aware(flat(P), slope, 0.02, "wsam", gamma=0.5, steps=9),
        sharpness_aware(flat(P), slope, 0.02, steps=9),
    )
    np.testing.assert_allclose(half, plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["sam", "asam", "gsam", "wsam", "looksam"])
def test_a_zero_gradient_moves_nothing(name: str) -> None:
    optimizer = tw.Optimizer(tw.chain(getattr(tw, name)(), tw.sgd()), lr=0.1)
    zero = {k: np.zeros_like(x) for k, x in P.items()}
    p, _ = optimizer.step(P, None, optimizer.init(P), grad_fn=lambda q: (0.0, zero))
    np.testing.assert_array_equal(flat(p), flat(P))
