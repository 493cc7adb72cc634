"""Batch normalisation: the paper's two algorithms, beside PyTorch, and who keeps the statistics of the population."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg import nn
from thalweg.nn import functional

Array = np.ndarray[Any, Any]
rng = np.random.default_rng(0)
X, Y = 3 * rng.normal(size=(40, 5)) + 2, rng.integers(0, 3, 40)


def network(*more: nn.Layer, **options: Any) -> nn.Model:
    return nn.Model([nn.Linear(6), nn.BatchNorm(**options), nn.ReLU(), *more, nn.Linear(3)], nn.CrossEntropy())


def alone(shape: tuple[int, ...], **options: Any) -> tuple[nn.Model, Any]:
    """One layer, with drawn g and b."""
    net = nn.Model([nn.BatchNorm(**options)], nn.MSE(), input_shape=shape)
    return net, {"0": {key: rng.uniform(0.5, 2, leaf.shape) for key, leaf in net.init()["0"].items()}}


def assert_same(found: Any, wanted: Any, **tolerance: float) -> None:
    assert found.keys() == wanted.keys()
    for name, own in wanted.items():
        for key, leaf in own.items():
            np.testing.assert_allclose(found[name][key], leaf, **tolerance)


def test_the_algorithms_of_the_paper() -> None:
    """Algorithm 1, and lines 7 to 12 of algorithm 2: the mean over batches of the mean and of m / (m - 1) times the variance."""
    net, params = alone((4,), eps=0.1)
    batches = rng.normal(size=(6, 5, 4))
    means, variances = [], []
    layer, own = net.layers[0], {key: leaf[None] for key, leaf in params["0"].items()}
    for batch in batches:
        found, _ = layer.forward(own, batch[None])
        wanted = np.empty_like(batch)
        for k in range(4):
            mean = sum(batch[:, k]) / 5
            variance = sum((batch[:, k] - mean) ** 2) / 5
            wanted[:, k] = (batch[:, k] - mean) / np.sqrt(variance + 0.1) * params["0"]["g"][k] + params["0"]["b"][k]
            means.append(mean)
            variances.append(5 / 4 * variance)
        np.testing.assert_allclose(found[0], wanted, rtol=1e-12, atol=1e-12)
    population = net.population(params, batches.reshape(30, 4), batch_size=5)
    mean, variance = (np.reshape(each, (6, 4)).mean(axis=0) for each in (means, variances))
    assert_same(population, {"0": {"mean": mean, "variance": variance}}, rtol=1e-12)
    x = rng.normal(size=(3, 4))
    wanted = params["0"]["g"] / np.sqrt(variance + 0.1) * x + (
        params["0"]["b"] - params["0"]["g"] * mean / np.sqrt(variance + 0.1)
    )
    np.testing.assert_allclose(net(params, x, statistics=population), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("shape", "decay", "eps"), [((4,), 0.9, 1e-5), ((4,), 0.0, 0.3), ((6, 4), 0.75, 1e-3)])
def test_beside_torch(shape: tuple[int, ...], decay: float, eps: float) -> None:
    """Outputs, gradients and running averages over several batches, then prediction."""
    torch = pytest.importorskip("torch")
    net, params = alone(shape, decay=decay, eps=eps)
    theirs = torch.nn.BatchNorm1d(4, eps=eps, momentum=1 - decay, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(params["0"]["g"]))
        theirs.bias.copy_(torch.tensor(params["0"]["b"]))

    def told(x: Array) -> Any:
        """Their channels are the second axis."""
        return torch.tensor(np.moveaxis(x, -1, 1), requires_grad=True)

    statistics, layer = net.init_statistics(), net.layers[0]
    own = {key: leaf[None] for key, leaf in params["0"].items()}
    for _ in range(4):
        x, target = 2 * rng.normal(size=(2, 7, *shape)) + 1
        given = told(x)
        outputs = theirs(given)
        theirs.zero_grad()
        loss = (outputs - told(target)).square().mean()
        loss.backward()
        found, grads, statistics = net.loss_grad_and_statistics(params, statistics, x, target)
        assert found == pytest.approx(loss.item(), rel=1e-12)
        assert_same(grads, {"0": {"g": theirs.weight.grad, "b": theirs.bias.grad}}, rtol=1e-12, atol=1e-14)
        assert_same(statistics, {"0": {"mean": theirs.running_mean, "variance": theirs.running_var}}, rtol=1e-12, atol=1e-14)
        y, cache = layer.forward(own, x[None])
        np.testing.assert_allclose(np.moveaxis(y[0], -1, 1), outputs.detach(), rtol=1e-12, atol=1e-12)
        dx = layer.backward(own, cache, 2 * (y - target[None]) / y.size)
        np.testing.assert_allclose(np.moveaxis(dx[0], -1, 1), given.grad, rtol=1e-11, atol=1e-13)
    theirs.eval()
    wanted = theirs(told(x)).detach()
    np.testing.assert_allclose(np.moveaxis(net(params, x, statistics=statistics), -1, 1), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("place", [(0, 0, 0), (3, 1, 2)])
def test_the_gradient_of_the_input_by_differences(place: tuple[int, int, int]) -> None:
    """Not only its own sample's outputs depend on a number, but all of the batch."""
    layer = nn.BatchNorm(eps=0.01)
    own = {"g": rng.uniform(0.5, 2, (1, 3)), "b": rng.normal(size=(1, 3))}
    x, dy = rng.normal(size=(1, 4, 2, 3)), rng.normal(size=(1, 4, 2, 3))
    _, cache = layer.forward(own, x)
    dx = layer.backward(own, cache, dy.copy())
    sides = []
    for h in (1e-6, -1e-6):
        moved = x.copy()
        moved[(0, *place)] += h
        sides.append((layer.forward(own, moved)[0] * dy).sum())
    assert dx[(0, *place)] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-7)


@pytest.mark.parametrize("rule", ["sgd", "adamw", "lamb", tw.chain(tw.adam(), tw.decay(0.5))], ids=str)
def test_nothing_but_batches_moves_the_statistics(rule: Any) -> None:
    """No optimizer, decay or penalty: they are those of a loop that only looks on."""
    net = network(decay=0.8)
    net.penalties = nn.Model(net.layers, net.loss, penalty=nn.L2(0.1, biases=True)).penalties
    history = net.fit(X, Y, rule, epochs=3, batch_size=10, seed=1)
    params, statistics = net.init(seed=1), net.init_statistics()
    opt = tw.Optimizer(tw.rules[rule]() if isinstance(rule, str) else rule, seed=1)
    state = opt.init(params)
    assert set(state["t"]) == {"0.w", "0.b", "1.g", "1.b", "3.w", "3.b"}
    for epoch in range(3):
        for at, seed in nn.training.batches(len(X), 10, 1, epoch):  # type: ignore[attr-defined]
            h = X[at] @ params["0"]["w"] + params["0"]["b"]
            seen = {"mean": h.mean(axis=0), "variance": h.var(axis=0, ddof=1)}
            statistics = {"1": {key: 0.8 * kept + 0.2 * seen[key] for key, kept in statistics["1"].items()}}
            params, state = opt.step(params, net.loss_and_grad(params, X[at], Y[at], seed=seed)[1], state)
    assert_same(history.statistics, statistics, rtol=1e-9, atol=1e-12)
    assert net.statistics is history.statistics


def test_prediction_uses_the_population_and_not_the_batch() -> None:
    net = network()
    history = net.fit(X, Y, epochs=5, batch_size=8)
    whole, one = net.predict(X), net.predict(X[:1])
    np.testing.assert_allclose(whole[:1], one, rtol=1e-12)
    np.testing.assert_array_equal(net(history.params, X, statistics=history.statistics), whole)
    assert net.evaluate(X, Y, params=history.params, statistics=history.statistics) == net.evaluate(X, Y)
    other = net.population(history.params, X)
    assert not np.allclose(net(history.params, X, statistics=other), whole)


@pytest.mark.parametrize("rule", ["adam", "nesterov", "schedule_free"])
def test_resume_is_exact(rule: str) -> None:
    def fit(epochs: int, **options: Any) -> nn.History:
        return net.fit(X, Y, chosen, epochs=epochs, batch_size=16, seed=3, validation=0.2, metrics="accuracy", **options)

    chosen = tw.chain(tw.sgd(), tw.schedule_free()) if rule == "schedule_free" else tw.rules[rule]()
    net = network(nn.Dropout(0.8))
    whole = fit(5)
    again = fit(3, resume=fit(2))
    assert again.curves == whole.curves
    assert_same(again.statistics, whole.statistics, rtol=0)


def test_an_average_of_parameters_has_statistics_of_its_own() -> None:
    """Those of the last iterates are another network's."""
    net = network()
    history = net.fit(X, Y, tw.chain(tw.sgd(), tw.schedule_free()), lr=0.5, epochs=4, batch_size=10)
    assert history.params is not history.walked
    assert_same(history.statistics, net.population(history.params, X, batch_size=10), rtol=1e-12)
    assert not np.allclose(history.statistics["1"]["mean"], net.population(history.walked, X, batch_size=10)["1"]["mean"])


def test_saved_and_loaded(tmp_path: Path) -> None:
    net = network()
    net.fit(X, Y, epochs=2)
    net.save(tmp_path / "net.npz")
    again = nn.load(tmp_path / "net.npz")
    assert_same(again.statistics, net.statistics, rtol=0)
    np.testing.assert_array_equal(again.predict(X), net.predict(X))


def test_a_file_of_a_network_without_statistics_is_read(tmp_path: Path) -> None:
    """As it was written before there were any."""
    net = nn.Model([nn.Linear(2)], nn.MSE(), input_shape=3)
    net.params = net.init()
    net.save(tmp_path / "net.npz")
    found = tw.trees.load(tmp_path / "net.npz")
    del found["statistics"]
    tw.trees.save(tmp_path / "net.npz", found)
    assert nn.load(tmp_path / "net.npz").statistics == {}


def test_a_batch_of_one_is_refused_in_words() -> None:
    net = network()
    with pytest.raises(ValueError, match="one sample has no variance: train on at least two samples at a time"):
        net.loss_and_grad(net.init(5), X[:1], Y[:1])
    conv = nn.Model([nn.Conv2d(2), nn.BatchNorm(), nn.Flatten(), nn.Linear(3)], nn.CrossEntropy())
    assert np.isfinite(conv.loss_and_grad(conv.init((4, 4, 1)), rng.normal(size=(1, 4, 4, 1)), [1])[0])  # 4 places


@pytest.mark.parametrize(("samples", "size"), [(33, 8), (5, 1), (9, 4)])
def test_a_last_batch_of_one_is_refused_before_the_first_epoch(samples: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    epochs: list[int] = []
    monkeypatch.setattr(nn.training.Loop, "epoch", lambda *_: epochs.append(1))  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="leaves no last batch of one"):
        network().fit(X[:samples], Y[:samples], batch_size=size)
    assert epochs == []


def test_what_is_missing_is_named() -> None:
    net = network()
    params = net.init(5)
    for call in (lambda: net(params, X), lambda: net.predict(X, params=params), lambda: net.evaluate(X, Y, params=params)):
        with pytest.raises(ValueError, match=r"pass statistics= beside params=, those of fit \(history\.statistics\)"):
            call()
    net.params = params
    with pytest.raises(ValueError, match="pass statistics="):
        net.predict(X)
    with pytest.raises(ValueError, match=r"statistics\['1'\]\['mean'\] has shape \(3,\), but this network's is \(6,\)"):
        net(params, X, statistics={"1": {"mean": np.zeros(3), "variance": np.ones(6)}})
    plain = nn.Model([nn.Linear(2)], nn.MSE(), input_shape=5)
    with pytest.raises(ValueError, match=r"these statistics have layers \['1'\], but the network's are \[\]"):
        plain(plain.init(), X, statistics=net.init_statistics())
    with pytest.raises(ValueError, match="eps > 0"):
        nn.BatchNorm(eps=0)
    with pytest.raises(ValueError, match="decay is the share that stays"):
        nn.BatchNorm(decay=1.0)


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_statistics_in_other_frameworks(name: str) -> None:
    space: Any = pytest.importorskip("jax.numpy" if name == "jax" else name)
    array = space.asarray if name == "jax" else space.tensor
    net = nn.Model([nn.Residual((nn.BatchNorm(), nn.Linear(5))), nn.BatchNorm(), nn.Linear(3)], nn.CrossEntropy(), input_shape=5)
    params, kept = net.init(seed=[0, 1], dtype=np.float32), net.init_statistics(lanes=2)
    x = np.float32(np.stack([X, X[::-1]]))
    y = net.loss.targets(np.zeros((2, 40, 3)), np.stack([Y, Y]))
    loss, _, wanted = net.loss_grad_and_statistics(params, kept, x, np.stack([Y, Y]), lanes=2)
    there, before = ({n: {k: array(np.float32(v)) for k, v in own.items()} for n, own in tree.items()} for tree in (params, kept))
    value, after = functional.loss_and_statistics(net, there, before, array(x), array(y))
    np.testing.assert_allclose(np.asarray(value), loss, rtol=1e-5)
    assert_same({n: {k: np.asarray(v) for k, v in own.items()} for n, own in after.items()}, wanted, rtol=2e-5, atol=1e-6)
    _, outputs = functional.judged(net, there, array(x), array(y), after)
    np.testing.assert_allclose(np.asarray(outputs), net(params, x, lanes=2, statistics=wanted), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="pass statistics="):
        functional.judged(net, there, array(x), array(y))
