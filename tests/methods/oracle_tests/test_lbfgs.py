"""L-BFGS beside torch.optim.LBFGS, and where it does something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles.lbfgs import lbfgs

import thalweg as tw

torch = pytest.importorskip("torch")
import thalweg.torch as tt  # noqa: E402

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

DECIDED = {"logistic": 14}
"""Steps until it falls by so little that rounding, another one on each processor, decides for a line search."""


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
    steps = min(steps, DECIDED.get(name, steps))
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


def test_torchs_own_keeps_its_name() -> None:
    assert tt.LBFGS is torch.optim.LBFGS
    assert "LBFGS" in dir(tt)
    assert tt.of(tw.lbfgs) is tt.lbfgs
