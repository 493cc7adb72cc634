"""L-BFGS beside an inverse Hessian written out as a matrix, beside SciPy, and what it must do whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from oracles.lbfgs import inverse_hessian
from scipy.optimize import rosen, rosen_der

import thalweg as tw
import thalweg.numpy as tn
from thalweg.methods.curvature.lbfgs import inverse_hessian as two_loops
from thalweg.values.trees import Vector

Array = np.ndarray


def rosenbrock(x: Array) -> tuple[float, Array]:
    """The sum of 100 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2, and its gradient."""
    return float(rosen(x)), rosen_der(x)


def chain_start(n: int) -> Array:
    """The usual start: -1.2, 1, -1.2, ..."""
    return np.where(np.arange(n) % 2, 1.0, -1.2)


def quadratic(n: int, seed: int = 0) -> tuple[Array, Callable[[Array], tuple[float, Array]]]:
    """A matrix with eigenvalues from 1 to 100, and x^T A x / 2 with its gradient."""
    Q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))
    A = Q @ np.diag(np.geomspace(1, 100, n)) @ Q.T
    return A, lambda x: (float(0.5 * x @ A @ x), A @ x)


def walk(fun: Callable[[Array], tuple[float, Array]], p: Array, steps: int, **hyper: Any) -> tuple[Array, Any]:
    optimizer = tw.Optimizer(tw.lbfgs(**hyper))
    state = optimizer.init(p)
    for _ in range(steps):
        p, state = optimizer.step(p, None, state, grad_fn=fun)
    return p, state


@pytest.mark.parametrize("n", [2, 5, 9])
def test_a_quadratic_is_done_in_as_many_steps_as_it_has_dimensions(n: int) -> None:
    """With exact line searches BFGS is a method of conjugate directions (Nocedal & Wright 2006, theorem 6.4), and H the inverse."""
    A, fun = quadratic(n)
    start = np.ones(n)
    end, state = walk(fun, start, n + 1, c2=1e-9, c1=1e-12, evaluations=100, tolerance=0.0)
    assert np.abs(end).max() < 1e-9
    S, Y = (state["memory"]["lbfgs"][slot]["p"][-n:] for slot in "SY")
    np.testing.assert_allclose(inverse_hessian(list(zip(S, Y, strict=True)), n), np.linalg.inv(A), atol=1e-7)


def test_the_two_loops_are_the_matrix() -> None:
    """Any pairs with s . y > 0, on a tree of several tensors; H y = s for the newest."""
    draw = np.random.default_rng(5)
    A, _ = quadratic(7)
    S = draw.normal(size=(4, 7))
    Y = S @ A
    S, Y = np.concatenate([np.zeros((2, 7)), S]), np.concatenate([np.zeros((2, 7)), Y])  # two rows not filled yet

    def tree(x: Array) -> Vector:
        return Vector([x[..., :6].reshape(*x.shape[:-1], 2, 3), x[..., 6]])

    H = inverse_hessian(list(zip(S[2:], Y[2:], strict=True)), 7)
    for g in draw.normal(size=(5, 7)):
        ours = two_loops(tree(S), tree(Y), tree(g))
        np.testing.assert_allclose(np.append(ours.leaves[0], ours.leaves[1]), H @ g, rtol=1e-12, atol=1e-12)
    newest = two_loops(tree(S), tree(Y), tree(Y[-1]))
    np.testing.assert_allclose(newest.leaves[0], tree(S[-1]).leaves[0], rtol=1e-12, atol=1e-12)


def test_rotated_coordinates_are_walked_alike() -> None:
    """Distances and products are all it knows of the coordinates, but for the very first step length, ||g||_1."""
    Q, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(10, 10)))
    start = chain_start(10)

    def turned(x: Array) -> tuple[float, Array]:
        f, g = rosenbrock(Q.T @ x)
        return f, Q @ g

    g = rosenbrock(start)[1]
    rates = [lambda t, size=size: size if t == 1 else 1.0 for size in (np.abs(g).sum(), np.abs(Q @ g).sum())]
    paths = []
    for fun, p, lr in ((rosenbrock, start, rates[0]), (turned, Q @ start, rates[1])):
        optimizer = tw.Optimizer(tw.lbfgs(), lr=lambda t, lr=lr: 1e-3 * lr(t) if t == 1 else 1.0)
        state, path = optimizer.init(p), []
        for _ in range(15):
            p, state = optimizer.step(p, None, state, grad_fn=fun)
            path.append(p)
        paths.append(np.array(path))
    np.testing.assert_allclose(paths[1] @ Q, paths[0], rtol=0, atol=1e-8)


def test_it_ends_where_scipys_does() -> None:
    start = chain_start(10)
    theirs = scipy.optimize.minimize(rosenbrock, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-9, "ftol": 0.0})
    ours = tw.Optimizer(tw.lbfgs())(lambda x: rosenbrock(x)[0], start, jac=lambda x: rosenbrock(x)[1], gtol=1e-9, maxiter=200)
    assert ours.success
    assert ours.nfev < 2 * theirs.nfev
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-7)
    assert ours.fun < 1e-15


def test_it_stays_where_nothing_leads_down() -> None:
    p, _ = walk(lambda x: (0.0, np.zeros(3)), np.ones(3), 3)
    np.testing.assert_array_equal(p, 1.0)


def test_a_gradient_of_nan_is_a_result() -> None:
    p, _ = walk(lambda x: (1.0, np.full(3, np.nan)), np.ones(3), 1)
    assert np.isnan(p).all()


def test_a_pair_without_curvature_is_left_out() -> None:
    """Along a straight line the gradient does not change: y = 0."""
    _, state = walk(lambda x: (float(x.sum()), np.ones(3)), np.ones(3), 3, line_search="none")
    assert not state["memory"]["lbfgs"]["S"]["p"].any()


def test_the_history_is_as_long_as_it_is_told() -> None:
    _, state = walk(quadratic(6)[1], np.ones(6), 5, history_size=3)
    S = state["memory"]["lbfgs"]["S"]["p"]
    assert S.shape == (3, 6)
    assert (np.abs(S).sum(1) > 0).all()
    assert tw.lbfgs(history_size=3).memory["S"].size == 3
    assert tw.rules["lbfgs"].cost(history_size=3).state_per_parameter == 8


def test_a_gradient_function_may_write_over_what_it_gave() -> None:
    _, fun = quadratic(5)
    held = np.zeros(5)

    def reusing(x: Array) -> tuple[float, Array]:
        f, held[:] = fun(x)
        return f, held

    np.testing.assert_array_equal(walk(reusing, np.ones(5), 6)[0], walk(fun, np.ones(5), 6)[0])


def test_gradients_at_hand_save_a_look() -> None:
    _, fun = quadratic(5)
    looked: list[Array] = []

    def ask(x: Array) -> tuple[float, Array]:
        looked.append(x)
        return fun(x)

    optimizer = tw.Optimizer(tw.lbfgs())
    p = np.ones(5)
    f, g = fun(p)
    plain, _ = optimizer.step(p, None, optimizer.init(p), grad_fn=ask)
    without_loss, _ = optimizer.step(p, g, optimizer.init(p), grad_fn=ask)
    assert [x.tolist() for x in looked[: len(looked) // 2]] == [x.tolist() for x in looked[len(looked) // 2 :]]
    looked.clear()
    saved, _ = optimizer.step(p, g, optimizer.init(p), loss=f, grad_fn=ask)
    assert not any(np.array_equal(x, p) for x in looked)
    np.testing.assert_array_equal(plain, saved)
    np.testing.assert_array_equal(plain, without_loss)


def test_what_does_not_go_together_is_said() -> None:
    p = np.ones(2)
    with pytest.raises(TypeError, match=r"lbfgs asks for gradients itself: step\(params, None, state, grad_fn=...\)"):
        tw.Optimizer(tw.lbfgs()).step(p, p, tw.Optimizer(tw.lbfgs()).init(p))
    with pytest.raises(TypeError, match=r"lbfgs asks for gradients itself: step\(grad_fn=...\)"):
        tn.LBFGS(p).step(p)
    for fused in (True, False):
        with pytest.raises(TypeError, match=r"eve asks for the loss: step\(grads, loss=...\)"):
            tn.Eve(p, fused=fused).step(p)
        with pytest.raises(TypeError, match=r"sophia asks for the curvature: step\(grads, curvature=...\), or grad_fn="):
            tn.Sophia(p, fused=fused).step(p)
    with pytest.raises(ValueError, match=r"every.*takes means of gradients handed in; lbfgs asks for its own"):
        tw.Optimizer(tw.every(2, tw.lbfgs()))
    with pytest.raises(ValueError, match="lbfgs and adabound each own the step"):
        tw.Optimizer(tw.chain(tw.lbfgs(), tw.adabound()))
    with pytest.raises(ValueError, match=r"c1 needs 0 < c1 < 1, not 1\.5"):
        tw.lbfgs(c1=1.5)


def test_decay_behind_it_takes_its_rate() -> None:
    _, fun = quadratic(3)
    p = np.ones(3)
    moved = [
        tw.Optimizer(rule, lr=0.5).step(p, None, tw.Optimizer(rule, lr=0.5).init(p), grad_fn=fun)[0]
        for rule in (tw.lbfgs(), tw.chain(tw.lbfgs(), tw.decay(0.1)))
    ]
    np.testing.assert_allclose(moved[0] - moved[1], 0.5 * 0.1 * p, rtol=1e-14)
