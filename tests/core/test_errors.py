"""What the pure core refuses, and what it makes of numbers that are not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import RULES, run

import thalweg as tw
from core.trees import G, P, same


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda o, s: o.step(P, {"w": G["w"]}, s), KeyError, "gradients: nothing for 'b'; give its array, or None"),
        (lambda o, s: o.step(P, {**G, "c": G["b"]}, s), KeyError, r"gradients: 'c' is none of the parameters \(w, b\)"),
        (lambda o, s: o.step(P, [G["w"], G["b"]], s), TypeError, "the tree is a dict among the parameters, but a list here"),
        (lambda o, s: o.step(P, G["w"], s), TypeError, "the tree is a dict among the parameters, but a ndarray here"),
        (
            lambda o, s: o.step(P, {"w": {"x": G["w"]}, "b": G["b"]}, s),
            TypeError,
            "'w' is one array among the parameters, but a dict here",
        ),
        (
            lambda o, s: o.step(P, {"w": G["w"].T[:1], "b": G["b"]}, s),
            ValueError,
            r"the gradient of 'w' has shape \(1, 2\), the parameter \(2, 2\)",
        ),
        (
            lambda o, s: o.step(P, {"w": G["w"].astype(np.float32), "b": G["b"]}, s),
            TypeError,
            "the gradient of 'w' is float32, the parameter float64",
        ),
        (
            lambda o, s: o.step(P, {"w": 3.0, "b": G["b"]}, s),
            TypeError,
            "the gradient of 'w' is a float value, the parameter a numpy array",
        ),
        (lambda o, s: o.step(P, None, s), TypeError, "gradients are missing"),
        (
            lambda o, s: o.init({"w": np.array([1, 2])}),
            TypeError,
            "parameter 'w' has dtype int64; optimizers need floating point",
        ),
        (lambda o, s: o.init({"w": 1.5}), TypeError, r"parameter 'w' is 1.5, no array; wrap it: numpy.array\(1.5, dtype=float\)"),
        (lambda o, s: o.init({"w": np.array([1j])}), TypeError, "complex128"),
        (lambda o, s: o.init({}), ValueError, "there are no parameters"),
        (
            lambda o, s: tw.Optimizer(tw.eve()).step(P, G, tw.Optimizer(tw.eve()).init(P)),
            TypeError,
            r"eve asks for the loss: step\(params, grads, state, loss=...\)",
        ),
        (
            lambda o, s: tw.Optimizer(tw.sophia()).step(P, G, tw.Optimizer(tw.sophia()).init(P)),
            TypeError,
            r"sophia asks for the curvature: step\(params, grads, state, curvature=...\), or grad_fn=",
        ),
        (
            lambda o, s: tw.Optimizer(tw.chain(tw.sam(), tw.sgd())).step(P, G, s),
            TypeError,
            "sam asks for gradients itself: .*grad_fn",
        ),
        (lambda o, s: tw.Optimizer(tw.adam(), lr=-1.0), ValueError, "adam: lr needs 0 <= lr, not -1.0"),
        (lambda o, s: tw.Optimizer(tw.adam(), lr="fast"), TypeError, "lr is a number or a schedule"),
        (
            lambda o, s: tw.Optimizer(tw.clip()),
            ValueError,
            r"clip has no learning rate of its own; write Optimizer\(..., lr=0.01\)",
        ),
        (lambda o, s: tw.Optimizer("adam"), TypeError, "wanted a rule such as adam"),
        (
            lambda o, s: tw.Optimizer(tw.adam(), nonfinite="ignore"),
            ValueError,
            "nonfinite is one of 'propagate', 'skip' or 'raise'",
        ),
        (lambda o, s: tw.Optimizer(tw.adam(), lanes=0), ValueError, "lanes"),
        (
            lambda o, s: tw.Optimizer(tw.adam(), lanes=3).init(P),
            ValueError,
            r"parameter 'w' has shape \(2, 2\); with lanes=3 its first axis",
        ),
    ],
)
def test_errors_say_what_was_wrong_and_what_to_write(call: Any, error: Any, says: str) -> None:
    optimizer = tw.Optimizer(tw.adam())
    with pytest.raises(error, match=says):
        call(optimizer, optimizer.init(P))


def test_what_a_nan_does_is_the_users_choice() -> None:
    bad = {"w": G["w"], "b": np.array([np.nan, 1.0])}
    worse = {"w": np.array([[np.inf, 0.0], [0.0, 0.0]]), "b": G["b"]}
    for gradient in (bad, worse):
        through = tw.Optimizer(tw.adam())
        moved, state = through.step(P, gradient, through.init(P))
        assert not np.isfinite(np.concatenate([x.ravel() for x in moved.values()])).all()
        assert state["t"]["w"] == 1
        skipping = tw.Optimizer(tw.adam(), nonfinite="skip")
        moved, state = skipping.step(P, gradient, skipping.init(P))
        assert same(moved, P)
        assert state["t"] == {"w": 0, "b": 0}
        moved, state = skipping.step(P, G, state)
        first, _ = through.step(P, G, through.init(P))
        assert same(moved, first)
        with pytest.raises(FloatingPointError, match=r"the gradient of '[wb]' holds inf or NaN"):
            tw.Optimizer(tw.adam(), nonfinite="raise").step(P, gradient, state)


@pytest.mark.parametrize("name", RULES)
def test_overflow_and_nan_are_results_not_warnings(name: str) -> None:
    params = {"w": np.array([1.0, 2.0], np.float32)}
    huge = {"w": np.array([3e38, -3e38], np.float32)}
    path, _ = run(RULES[name](), params, [huge, huge, {"w": np.array([np.nan, 1.0], np.float32)}], losses=[1e308, np.inf, np.nan])
    assert path[-1]["w"].dtype == np.float32


def test_compiled_code_cannot_raise_for_what_a_gradient_holds() -> None:
    jax = pytest.importorskip("jax")
    p = {"w": jax.numpy.ones(3)}
    optimizer = tw.Optimizer(tw.adam(), nonfinite="raise")
    with pytest.raises(TypeError, match=r"nonfinite='raise' looks at the gradients' numbers.*write nonfinite='skip'"):
        jax.jit(optimizer.step)(p, p, optimizer.init(p))
    with pytest.raises(FloatingPointError, match="the gradient of 'w' holds inf or NaN"):
        optimizer.step(p, {"w": jax.numpy.array([1.0, jax.numpy.nan, 0.0])}, optimizer.init(p))
