"""L-BFGS beside torch.optim.LBFGS, beside an inverse Hessian written out as a matrix, and beside SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import torch

import thalweg as tw
import thalweg.numpy as tn
import thalweg.torch as tt
from thalweg.methods.lbfgs import inverse_hessian as two_loops
from thalweg.trees import Vector

from .lbfgs import inverse_hessian, lbfgs

Array = np.ndarray


def rosenbrock(x: Any) -> Any:
    """The sum of 100 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2, of an array or tensor."""
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def chain_start(n: int) -> Array:
    """The usual start: -1.2, 1, -1.2, ..."""
    return np.where(np.arange(n) % 2, 1.0, -1.2)


def _samples(seed: int, n: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, d))
    y = (x @ draw.normal(size=d) + 0.5 * draw.normal(size=n) > 0).astype(np.float64)
    return torch.tensor(x), torch.tensor(y)


X, LABELS = _samples(1, 80, 5)


def logistic(w: Any) -> Any:
    return torch.nn.functional.binary_cross_entropy_with_logits(X @ w[:5] + w[5], LABELS) + 0.005 * (w * w).sum()


def network(w: Any) -> Any:
    """Two layers, 5-4-1, all weights in one vector."""
    hidden = torch.tanh(X @ w[:20].reshape(5, 4) + w[20:24])
    return ((hidden @ w[24:28] + w[28] - LABELS) ** 2).mean()


LOSSES: dict[str, tuple[Callable[[Any], Any], Array]] = {
    "rosenbrock 2": (rosenbrock, chain_start(2)),
    "rosenbrock 10": (rosenbrock, chain_start(10)),
    "logistic": (logistic, np.zeros(6)),
    "network": (network, np.random.default_rng(3).normal(size=29)),
}


def with_gradient(loss: Callable[[Any], Any]) -> Callable[[Array], tuple[float, Array]]:
    """The loss and its gradient, for NumPy, by torch's differentiation."""

    def both(w: Array) -> tuple[float, Array]:
        p = torch.tensor(w, requires_grad=True)
        value = loss(p)
        (gradient,) = torch.autograd.grad(value, p)
        return value.item(), gradient.numpy()

    return both


def ours(loss: Callable[[Any], Any], start: Array, steps: int, lr: float, **hyper: Any) -> tuple[Array, list[Array]]:
    """The points after each step, and all that it looked at."""
    looked: list[Array] = []
    both = with_gradient(loss)

    def ask(w: Array) -> tuple[float, Array]:
        looked.append(w.copy())
        return both(w)

    optimizer = tw.Optimizer(tw.lbfgs(**hyper), lr=lr)
    p, state = start, optimizer.init(start)
    path = []
    for _ in range(steps):
        p, state = optimizer.step(p, None, state, grad_fn=ask)
        path.append(p)
    return np.array(path), looked


def torchs(
    loss: Callable[[Any], Any],
    start: Array,
    steps: int,
    lr: float,
    line_search: str,
    history_size: int = 10,
    evaluations: int = 25,
) -> tuple[Array, list[Array]]:
    p = torch.tensor(start, requires_grad=True)
    looked: list[Array] = []
    optimizer = torch.optim.LBFGS(
        [p], lr, max_iter=1, max_eval=evaluations, tolerance_grad=0.0, tolerance_change=0.0, history_size=history_size,
        line_search_fn=None if line_search == "none" else line_search,
    )  # fmt: skip

    def closure() -> Any:
        looked.append(p.detach().numpy().copy())
        optimizer.zero_grad()
        value = loss(p)
        value.backward()
        return value

    path = []
    for _ in range(steps):
        optimizer.step(closure)
        path.append(p.detach().numpy().copy())
    return np.array(path), looked


@pytest.mark.parametrize(("history_size", "steps"), [(3, 12), (10, 22)])
@pytest.mark.parametrize(("line_search", "lr"), [("strong_wolfe", 1.0), ("strong_wolfe", 0.3), ("none", 0.3), ("none", 1.0)])
@pytest.mark.parametrize("name", LOSSES)
def test_the_points_are_torchs(name: str, line_search: str, lr: float, history_size: int, steps: int) -> None:
    """Every point that is looked at, those within a line search too."""
    loss, start = LOSSES[name]
    path, looked = ours(loss, start, steps, lr, line_search=line_search, history_size=history_size)
    theirs, seen = torchs(loss, start, steps, lr, line_search, history_size)
    assert len(looked) == len(seen)
    np.testing.assert_allclose(looked, seen, rtol=0, atol=1e-10 * np.abs(seen).max())
    np.testing.assert_allclose(path, theirs, rtol=0, atol=1e-10 * np.abs(theirs).max())


def waves(seed: int) -> tuple[Callable[[Any], Any], Array, float]:
    """A hilly loss in three dimensions, a start and a learning rate between 0.1 and 100."""
    draw = np.random.default_rng(seed)
    A, c, phase = (torch.tensor(draw.normal(size=shape)) for shape in ((6, 3), 6, 6))
    return lambda x: (c * torch.sin(A @ x + phase)).sum() + 0.05 * (x * x).sum(), draw.normal(size=3), 10 ** draw.uniform(-1, 2)


@pytest.mark.parametrize("seed", range(40))
def test_line_searches_over_hills_are_torchs(seed: int) -> None:
    """Steps far too long and too short: extrapolations, brackets, points moved inside."""
    loss, start, lr = waves(seed)
    looked, seen = ours(loss, start, 2, lr)[1], torchs(loss, start, 2, lr, "strong_wolfe")[1]
    assert len(looked) == len(seen)
    np.testing.assert_allclose(looked, seen, rtol=0, atol=1e-8)


@pytest.mark.parametrize("evaluations", [1, 2, 3])
def test_few_evaluations_are_torchs(evaluations: int) -> None:
    """As many as its max_eval, with max_iter=1."""
    for seed in range(12):
        loss, start, lr = waves(seed)
        looked = ours(loss, start, 2, lr, evaluations=evaluations)[1]
        seen = torchs(loss, start, 2, lr, "strong_wolfe", evaluations=evaluations)[1]
        np.testing.assert_allclose(looked, seen, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("line_search", "lr"), [("strong_wolfe", 1.0), ("strong_wolfe", 0.3), ("none", 0.3)])
@pytest.mark.parametrize("name", LOSSES)
def test_the_oracle(name: str, line_search: str, lr: float) -> None:
    loss, start = LOSSES[name]
    for history_size, steps in ((1, 12), (4, 12), (10, 18)):
        path, _ = ours(loss, start, steps, lr, line_search=line_search, history_size=history_size)
        book = lbfgs(start, with_gradient(loss), lr, history_size, line_search, steps=steps)
        np.testing.assert_allclose(path, book, rtol=0, atol=1e-10 * np.abs(book).max())


@pytest.mark.parametrize("seed", range(40))
def test_line_searches_over_hills_are_the_oracles(seed: int) -> None:
    loss, start, lr = waves(seed)
    for evaluations in (1, 2, 4, 25):
        path, _ = ours(loss, start, 3, lr, evaluations=evaluations)
        np.testing.assert_allclose(
            path, lbfgs(start, with_gradient(loss), lr, evaluations=evaluations, steps=3), rtol=0, atol=1e-8
        )


# Where torch.optim.LBFGS does something else


def test_the_second_point_of_a_search_must_be_lower_than_the_first() -> None:
    """Algorithm 3.5 asks it for i > 1; torch, counting from 0, begins a point later and takes a point higher than one seen."""

    def dale(x: Any) -> Any:  # down at slope 1 to -5.25, then up at slope 0.9
        return torch.where(x < 5.25, -x, 0.9 * (x - 5.25) - 5.25).sum()

    path, looked = ours(dale, np.zeros(1), 1, 1.0)
    theirs, seen = torchs(dale, np.zeros(1), 1, 1.0, "strong_wolfe")
    assert np.ravel(looked)[:3].tolist() == np.ravel(seen)[:3].tolist() == [0.0, 1.0, 10.0]
    f = [dale(torch.tensor(x)).item() for x in (seen[1], theirs[-1], path[-1])]
    assert theirs[-1, 0] == 10.0
    assert f[1] > f[0] > f[2]
    np.testing.assert_allclose(path, lbfgs(np.zeros(1), with_gradient(dale), steps=1), rtol=1e-14)


def walled(x: Any) -> Any:
    """NaN from 1 on."""
    return ((x - 0.5) ** 2 - 0.01 * torch.log(1 - x)).sum()


def steep(x: Any) -> Any:
    """Too large a number from 710 on."""
    return torch.cosh(x).sum()


@pytest.mark.parametrize(("loss", "lr"), [(walled, 100.0), (steep, 2000.0)])
def test_a_loss_that_is_no_finite_number_is_too_high(loss: Any, lr: float) -> None:
    """Torch takes it, or looks at NaN next."""
    path, _ = ours(loss, np.array([-3.0]), 1, lr)
    assert abs(path[-1, 0]) < 2.0
    theirs, _ = torchs(loss, np.array([-3.0]), 1, lr, "strong_wolfe")
    assert not abs(theirs[-1, 0]) < 2.0


def test_out_of_evaluations_the_lowest_good_point_is_taken() -> None:
    """The first point was good, the second overshot: torch knows only the start and the last."""

    def cliff(x: Any) -> Any:
        return torch.where(x < 2.0, -x, 20.0 * (x - 2.0) - 2.0).sum()

    path, _ = ours(cliff, np.zeros(1), 1, 1.0, evaluations=2)
    theirs, _ = torchs(cliff, np.zeros(1), 1, 1.0, "strong_wolfe", evaluations=2)
    assert (path[-1, 0], theirs[-1, 0]) == (1.0, 0.0)


# What it must do, whoever wrote it


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
    both = with_gradient(rosenbrock)
    start = chain_start(10)

    def turned(x: Array) -> tuple[float, Array]:
        f, g = both(Q.T @ x)
        return f, Q @ g

    g = both(start)[1]
    rates = [lambda t, size=size: size if t == 1 else 1.0 for size in (np.abs(g).sum(), np.abs(Q @ g).sum())]
    paths = []
    for fun, p, lr in ((both, start, rates[0]), (turned, Q @ start, rates[1])):
        optimizer = tw.Optimizer(tw.lbfgs(), lr=lambda t, lr=lr: 1e-3 * lr(t) if t == 1 else 1.0)
        state, path = optimizer.init(p), []
        for _ in range(15):
            p, state = optimizer.step(p, None, state, grad_fn=fun)
            path.append(p)
        paths.append(np.array(path))
    np.testing.assert_allclose(paths[1] @ Q, paths[0], rtol=0, atol=1e-8)


def test_it_ends_where_scipys_does() -> None:
    start, both = chain_start(10), with_gradient(rosenbrock)
    theirs = scipy.optimize.minimize(both, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-9, "ftol": 0.0})
    ours = tw.Optimizer(tw.lbfgs())(lambda x: both(x)[0], start, jac=lambda x: both(x)[1], gtol=1e-9, maxiter=200)
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
    for take in (tw.Optimizer(tw.lbfgs()).step, lambda p, g, state: tn.LBFGS(p).step(g)):
        with pytest.raises(TypeError, match=r"lbfgs asks for gradients itself: step\(params, None, state, grad_fn=...\)"):
            take(p, p, tw.Optimizer(tw.lbfgs()).init(p))
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


def test_torchs_own_keeps_its_name() -> None:
    assert tt.LBFGS is torch.optim.LBFGS
    assert "LBFGS" in dir(tt)
    assert tt.of(tw.lbfgs) is tt.lbfgs
