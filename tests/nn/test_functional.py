"""Networks as functions of JAX arrays and torch tensors: the same values, and by differentiation the same gradients."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from thalweg import nn
from thalweg.nn import functional

from .networks import CASES, NAMES, Case

pytestmark = pytest.mark.slow

LANES, BATCH = 2, 5
SEEDS = [11, 12]
TIED = np.array([0.0, 1.0, 1.0, 0.0, np.pi])
"""So coarse that windows have several largest numbers, and units exactly 0: derivatives at corners count too."""


def arguments(case: Case, coarse: bool) -> tuple[Any, Any, Any]:
    """Parameters, samples and targets, with lanes."""
    params = case.net.init(case.shape, seed=[3, 4])
    x, y = case.data(BATCH, LANES)
    if coarse and not case.symbols:
        x = np.random.default_rng(2).choice(TIED, x.shape)
    z = case.net(params, x, lanes=LANES, statistics=case.statistics(LANES))
    return params, x, case.net.loss.targets(z, y)


def drawn(shape: tuple[int, ...]) -> Any:
    """What Dropout draws with the seeds SEEDS: in this file layers draw once a pass."""
    return np.stack([np.random.default_rng(seed).random(shape) for seed in SEEDS])


def wanted(case: Case, params: Any, x: Any) -> tuple[Any, Any]:
    """The NumPy form's loss and gradients."""
    return case.net.loss_and_grad(params, x, case.data(BATCH, LANES)[1], lanes=LANES, seed=SEEDS)


each_case = pytest.mark.parametrize("case", CASES, ids=NAMES)


@pytest.mark.parametrize("coarse", [False, True])
@each_case
def test_torch(case: Case, coarse: bool) -> None:
    torch = pytest.importorskip("torch")
    params, x, y = arguments(case, coarse)
    leaves = {name: {k: torch.tensor(leaf, requires_grad=True) for k, leaf in own.items()} for name, own in params.items()}
    loss = functional.loss(case.net, leaves, torch.tensor(x), torch.tensor(y), lambda shape: torch.tensor(drawn(shape)))
    loss.sum().backward()
    expected, grads = wanted(case, params, x)
    np.testing.assert_allclose(loss.detach().numpy(), expected, rtol=1e-12)
    for name, own in grads.items():
        for key, grad in own.items():
            np.testing.assert_allclose(leaves[name][key].grad.numpy(), grad, rtol=1e-10, atol=1e-13)


@each_case
def test_jax(case: Case) -> None:
    jax = pytest.importorskip("jax")
    params, x, y = arguments(case, coarse=True)
    with jax.enable_x64(True):

        @jax.jit
        def both(params: Any, x: Any, y: Any) -> Any:
            def total(params: Any) -> Any:
                loss = functional.loss(case.net, params, x, y, lambda shape: jax.numpy.asarray(drawn(shape)))
                return loss.sum(), loss

            return jax.value_and_grad(total, has_aux=True)(params)

        (_, loss), found = both(params, x, y)
    expected, grads = wanted(case, params, x)
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    for name, own in grads.items():
        for key, grad in own.items():
            np.testing.assert_allclose(found[name][key], grad, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("shared", [False, True])
def test_symbols_are_looked_up_as_in_numpy(shared: bool) -> None:
    """One table a lane, and symbols that all lanes share or not."""
    jnp, torch = pytest.importorskip("jax.numpy"), pytest.importorskip("torch")
    layer, random = nn.Embedding(5, 3), np.random.default_rng(0)
    w, x = random.standard_normal((2, 5, 3)), random.integers(0, 5, (1 if shared else 2, 4, 6))
    expected, _ = layer.forward({"w": w}, x)
    for to in (jnp.asarray, torch.tensor):
        found, _ = layer.forward({"w": to(w)}, to(x))
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-7)


@each_case
def test_the_value_alone_is_the_value(case: Case) -> None:
    params, x, y = arguments(case, coarse=False)
    z = case.net(params, x, lanes=LANES, statistics=case.statistics(LANES))
    np.testing.assert_allclose(case.net.loss.value(z, y), case.net.loss.value_and_grad(z, y)[0], rtol=1e-14)


def test_a_network_that_draws_asks_for_a_source() -> None:
    drawing = [case for case in CASES if any(isinstance(layer, nn.Dropout) for layer in case.net.layers)]
    assert drawing
    for case in drawing:
        params, x, y = arguments(case, coarse=False)
        with pytest.raises(ValueError, match="pass draw=, a function that gives uniform numbers"):
            functional.loss(case.net, params, x, y)


def test_every_layer_of_ours_has_a_form_and_occurs_in_these_tests() -> None:
    given = {getattr(nn, name) for name in nn.__all__}
    ours = {one for one in given if isinstance(one, type) and issubclass(one, nn.Layer) and not inspect.isabstract(one)}
    assert set(functional.FORMS) == ours
    assert all(functional.has_form(case.net) for case in CASES)
    texts = [repr(case.net.layers) for case in CASES]
    assert all(any(f"{form.__name__}(" in text for text in texts) for form in ours)


class Doubling(nn.Activation):
    """A layer of a user's own."""

    def forward(self, params: Any, x: Any) -> tuple[Any, Any]:
        return 2 * x, None

    def backward(self, params: Any, cache: Any, dy: Any) -> Any:
        return 2 * dy


@pytest.mark.parametrize(
    "layers", [(nn.Linear(3), Doubling()), (nn.Residual((nn.Linear(3), Doubling())),)], ids=["alone", "inside"]
)
def test_a_layer_of_the_user_s_own_is_refused_by_name(layers: Any) -> None:
    net = nn.Model(layers, nn.MSE())
    assert not functional.has_form(net)
    params, x = net.init(3, seed=[1]), np.ones((1, 2, 3))
    with pytest.raises(ValueError, match="Doubling runs on NumPy arrays alone; these run on others too: Linear, "):
        functional.loss(net, params, x, x)
