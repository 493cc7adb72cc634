"""Hutchinson's estimate of the Hessian's diagonal, and the rule that asks for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from thalweg.core.curvature import hutchinson

pytestmark = pytest.mark.slow

DRAW = np.random.default_rng(0)
ROOT = DRAW.normal(size=(6, 6))
HESSIAN = ROOT @ ROOT.T
START = {"w": DRAW.normal(size=(2, 2)), "b": DRAW.normal(size=2)}


def joined(p: Any) -> Any:
    return np.concatenate([p["w"].ravel(), p["b"]])


def bowl(p: Any, hessian: Any = HESSIAN) -> Any:
    slope = hessian @ joined(p)
    return 0.5 * joined(p) @ slope, {"w": slope[:4].reshape(2, 2), "b": slope[4:]}


def estimate(seed: int, t: int = 1, hessian: Any = HESSIAN) -> Any:
    def ask(p: Any) -> Any:
        return bowl(p, hessian)

    return joined(hutchinson(ask, START, ask(START)[1], seed, {"w": t, "b": t}))


def test_its_mean_is_the_diagonal() -> None:
    drawn = np.array([estimate(seed) for seed in range(1000)])
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - np.diag(HESSIAN)) < 4 * error).all()
    assert (error > 1e-3).all(), "off the diagonal there is something to be averaged away"
    np.testing.assert_array_equal(estimate(5), estimate(5))
    assert np.abs(estimate(5) - estimate(5, t=2)).max() > 0.1


def test_of_a_diagonal_hessian_one_draw_is_enough() -> None:
    diagonal = np.diag([3.0, -2.0, 0.0, 1e-3, 5.0, 1.0])
    np.testing.assert_allclose(estimate(0, hessian=diagonal), np.diag(diagonal), atol=1e-6)


def test_sophia_takes_one_more_gradient_every_k_steps() -> None:
    """And then walks as if it had been handed the estimate."""
    asked = []

    def ask(p: Any) -> Any:
        asked.append(1)
        return bowl(p)

    optimizer = tw.Optimizer(tw.sophia(k=4), lr=0.01, seed=3)
    p, state = START, optimizer.init(START)
    q, other = START, optimizer.init(START)
    for t in range(1, 10):
        p, state = optimizer.step(p, None, state, grad_fn=ask)
        g = bowl(q)[1]
        curvature = hutchinson(bowl, q, g, 3, {"w": t, "b": t}) if t % 4 == 1 else g
        q, other = optimizer.step(q, g, other, curvature=curvature)
    assert len(asked) == 9 + 3
    np.testing.assert_array_equal(joined(p), joined(q))
    assert np.abs(joined(p) - joined(START)).max() > 1e-3
    bound = {k: v.copy() for k, v in START.items()}
    face = tn.of(tw.sophia)(bound, 0.01, k=4, seed=3)
    for _ in range(9):
        face.step(bowl(bound)[1], grad_fn=bowl)
    np.testing.assert_array_equal(joined(bound), joined(p))


def test_lanes_draw_as_runs_do() -> None:
    stacked = {k: np.stack([x, 2 * x]) for k, x in START.items()}

    def ask(p: Any) -> Any:
        runs = [bowl({k: x[i] for k, x in p.items()}) for i in range(2)]
        return np.array([loss for loss, _ in runs]), {k: np.stack([g[k] for _, g in runs]) for k in p}

    together = tw.Optimizer(tw.sophia(), lr=0.01, seed=np.array([4, 9]), lanes=2)
    p, state = stacked, together.init(stacked)
    for _ in range(12):
        p, state = together.step(p, None, state, grad_fn=ask)
    for lane, seed in enumerate((4, 9)):
        alone = tw.Optimizer(tw.sophia(), lr=0.01, seed=seed)
        q = {k: x[lane] for k, x in stacked.items()}
        own = alone.init(q)
        for _ in range(12):
            q, own = alone.step(q, None, own, grad_fn=bowl)
        np.testing.assert_allclose(joined({k: x[lane] for k, x in p.items()}), joined(q), rtol=1e-12)


def test_a_parameter_without_a_gradient_has_no_curvature() -> None:
    def ask(p: Any) -> Any:
        loss, g = bowl(p)
        return loss, {**g, "b": None}

    optimizer = tw.Optimizer(tw.sophia(), lr=0.01)
    p, _ = optimizer.step(START, None, optimizer.init(START), grad_fn=ask)
    assert p["b"] is START["b"]
    assert not np.array_equal(p["w"], START["w"])


def test_jaxs_is_exact_and_optaxs() -> None:
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    import thalweg.jax as tj

    with jax.enable_x64(True):

        def loss(p: Any) -> Any:
            return (jax.numpy.cos(p["w"] @ p["b"]) ** 2).sum() + (p["b"] ** 4).sum()

        params = jax.tree.map(jax.numpy.asarray, START)
        theirs, _ = (tx := optax.contrib.hutchinson_estimator_diag_hessian(jax.random.key(7))).update(
            params, tx.init(params), params, obj_fn=loss
        )
        ours = tj.hutchinson(loss, params, jax.random.split(jax.random.key(7))[1])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), ours, theirs)


def test_sophia_in_jax_takes_value_fn() -> None:
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    import thalweg.jax as tj

    def loss(p: Any) -> Any:
        return (p["w"] ** 2).sum() + (p["b"] ** 4).sum()

    params = jax.tree.map(lambda x: jax.numpy.asarray(x, "float32"), START)
    tx, handed = tj.sophia(1e-2, k=3, gamma=1.0), tj.sophia(1e-2, k=3, gamma=1.0)
    s, r, q = tx.init(params), handed.init(params), params
    update, p = jax.jit(lambda g, s, p: tx.update(g, s, p, value_fn=loss)), params
    for t in range(8):
        u, s = update(jax.grad(loss)(p), s, p)
        p = optax.apply_updates(p, u)
        diagonal = {"w": 2 + 0 * q["w"], "b": 12 * q["b"] ** 2}  # of this loss one draw is exact
        v, r = handed.update(jax.grad(loss)(q), r, q, curvature=diagonal if t % 3 == 0 else q)
        q = optax.apply_updates(q, v)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), p, q)
    with pytest.raises(TypeError, match="sophia asks for the curvature"):
        tx.update(params, s, params)


def test_torchs_goes_backward_twice() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    w, b, still = (torch.nn.Parameter(torch.tensor(x)) for x in (START["w"], START["b"], np.ones(3)))
    generator = torch.Generator().manual_seed(0)
    drawn = []
    for _ in range(500):
        both = torch.cat([w.reshape(-1), b])
        tt.hutchinson(0.5 * both @ torch.tensor(HESSIAN) @ both, [w, b], generator)
        drawn.append(np.concatenate([w.curvature.numpy().ravel(), b.curvature.numpy()]))
    error = np.std(drawn, axis=0) / np.sqrt(len(drawn))
    assert (np.abs(np.mean(drawn, axis=0) - np.diag(HESSIAN)) < 4 * error).all()

    loss = (w**2).sum() + (b**4).sum() + still.sum()
    optimizer = tt.Sophia([w, b, still], lr=0.01)
    loss.backward(retain_graph=True)
    with pytest.raises(TypeError, match=r"Sophia asks for the curvature: thalweg\.torch\.hutchinson\(loss"):
        optimizer.step()
    tt.hutchinson(loss, [w, b, still])
    np.testing.assert_allclose(b.curvature, 12 * START["b"] ** 2)
    np.testing.assert_allclose(w.curvature, 2.0)
    np.testing.assert_array_equal(still.curvature, 0.0)
    optimizer.step()
    assert not np.array_equal(w.detach(), START["w"])


@pytest.mark.parametrize(
    ("kind", "dtype", "close"),
    [("numpy", "float64", 1e-6), ("torch", "float64", 1e-6)]
    + [(kind, dtype, close) for kind in ("numpy", "torch", "jax") for dtype, close in (("float32", 1e-2), ("float16", 0.1))],
)
@pytest.mark.parametrize("size", [0.0, 1.0, 4096.0, 3e4])
def test_large_parameters_have_a_curvature_too(size: float, dtype: str, close: float, kind: str) -> None:
    """A step of the root of the spacing is none where the numbers themselves are farther apart."""
    space = pytest.importorskip({"jax": "jax.numpy"}.get(kind, kind))
    p = space.asarray(np.full(3, size, np.float64))
    p = p.to(getattr(space, dtype)) if kind == "torch" else p.astype(dtype)
    slope = 2.0**-4  # so that no gradient is too large for float16

    def ask(x: Any) -> Any:
        return 0.0, slope * x

    found = np.asarray(hutchinson(ask, p, ask(p)[1], 0, {"p": 1}), np.float64)
    np.testing.assert_allclose(found, slope, rtol=close)
