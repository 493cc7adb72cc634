"""Training: that fit is the plain loop around the rule, that it repeats, resumes, and reports what it says."""

from typing import Any

import numpy as np
import pytest
from support import OF_MATRICES

import thalweg as tw
from thalweg import nn
from thalweg.nn import training

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4))
Y = (X @ RNG.normal(size=(4, 3))).argmax(axis=1)


@tw.after_step
def running_mean(z, t, x=tw.shipped(tw.like_p)):  # type: ignore[no-untyped-def]
    """The mean of all points walked."""
    return z, tw.ops.mix(x, z, 1 - 1 / t)


def network(*middle: nn.Layer, **options: Any) -> nn.Model:
    return nn.Model([nn.Linear(6), nn.Tanh(), *middle, nn.Linear(3)], nn.CrossEntropy(), **options)


def assert_same(a: nn.History, b: nn.History) -> None:
    assert a.curves == b.curves
    for mine, theirs in ((a.params, b.params), (a.walked, b.walked), (a.state, b.state)):
        names, leaves = tw.trees.flatten(mine)
        other_names, others = tw.trees.flatten(theirs)
        assert names == other_names
        for leaf, other in zip(leaves, others, strict=True):
            np.testing.assert_array_equal(leaf, other)


@pytest.mark.parametrize("name", [name for name in tw.rules if name not in {"learned", *OF_MATRICES}])
def test_every_rule_is_the_plain_loop(name: str) -> None:
    net = network()
    history = net.fit(X, Y, name, epochs=4, batch_size=None, seed=2)
    opt = tw.Optimizer(tw.rules[name](), seed=2)
    params = net.init(seed=2)
    state = opt.init(params)
    losses = []
    for _ in range(4):
        loss, grads = net.loss_and_grad(params, X, Y)
        losses.append(loss)
        if name in (
            "nesterov",
            "lbfgs",
            "sophia",
            "adahessian",
        ):  # nesterov looks ahead where it can ask for gradients, as it can in fit
            params, state = opt.step(params, None, state, grad_fn=lambda p: net.loss_and_grad(p, X, Y))
        else:
            params, state = opt.step(params, grads, state, loss=loss)
    if name != "nesterov":  # its losses are those at the points ahead
        assert history.loss == losses
    for layer, own in opt.ship(params, state).items():
        for key, leaf in own.items():
            np.testing.assert_array_equal(history.params[layer][key], leaf)


@pytest.mark.parametrize("optimizer", ["adam", tw.adam(), tw.Optimizer(tw.adam(), lr=1e-3)])
def test_ways_to_name_the_rule(optimizer: Any) -> None:
    assert_same(network().fit(X, Y, optimizer, epochs=2), network().fit(X, Y, epochs=2))


def test_learning_rates_and_schedules() -> None:
    constant = network().fit(X, Y, tw.sgd(), lr=0.1, epochs=2)
    assert_same(constant, network().fit(X, Y, tw.Optimizer(tw.sgd(), lr=lambda t: 0.1), epochs=2))
    assert constant.loss != network().fit(X, Y, "sgd", lr=0.2, epochs=2).loss


def test_two_calls_are_two_equal_runs() -> None:
    net = network(nn.Dropout(0.5))
    first = net.fit(X, Y, tw.adam(), epochs=3, seed=1)
    assert_same(first, net.fit(X, Y, tw.adam(), epochs=3, seed=1))
    assert net.fit(X, Y, tw.adam(), epochs=3, seed=2).loss != first.loss


RESUMED = ["adam", "eve", "santa_e", "nesterov", tw.chain(tw.sgd(), running_mean())]


@pytest.mark.parametrize("rule", RESUMED, ids=str)
def test_resume_is_exact(rule: Any) -> None:
    def fit(epochs: int, **options: Any) -> nn.History:
        return net.fit(X, Y, rule, epochs=epochs, batch_size=16, seed=3, validation=0.2, metrics="accuracy", **options)

    net = network(nn.Dropout(0.8))
    whole = fit(5)
    part = fit(2)
    before = {name: list(curve) for name, curve in part.curves.items()}
    assert_same(fit(3, resume=part), whole)
    assert part.curves == before
    assert whole.epochs == 5


def test_start_from_given_params() -> None:
    net = network()
    params = net.init(4, seed=7, dtype=np.float32)
    history = net.fit(X, Y, epochs=1, batch_size=None, params=params)
    assert history.loss[0] == pytest.approx(net.loss_and_grad(params, X, Y)[0])
    assert {leaf.dtype for own in history.params.values() for leaf in own.values()} == {np.dtype(np.float32)}
    assert net.predict(X).dtype == np.float32


def test_trained_params_are_kept() -> None:
    net = network()
    history = net.fit(X, Y, epochs=30, lr=0.05, metrics="accuracy")
    np.testing.assert_array_equal(net.predict(X), net(history.params, X))
    assert net.evaluate(X, Y, metrics="accuracy")["accuracy"] == history["accuracy"][-1] > 0.9


@pytest.mark.parametrize(("n", "size"), [(10, 3), (9, 3), (3, 5), (1, 1), (7, None), (5, 1)])
def test_batches_hold_every_sample_once(n: int, size: int | None) -> None:
    index = np.arange(n)
    first, second = ([index[at] for at, _ in training.batches(n, size, 0, epoch)] for epoch in (0, 1))
    for parts in (first, second):
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), index)
    assert [len(part) for part in first[:-1]] == [size] * (len(first) - 1)
    if len(first) > 1:
        assert not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("size", "updates"), [(16, 4), (50, 1), (None, 1), (64, 1), (1, 50), (49, 2)])
def test_number_of_updates(size: int | None, updates: int) -> None:
    history = network().fit(X, Y, epochs=3, batch_size=size)
    assert set(history.state["t"].values()) == {3 * updates}
    assert history.epochs == len(history.loss) == 3


def test_the_curve_is_the_mean_over_all_samples() -> None:
    """Not over batches, of which the last has 2 samples here, and not the last one's."""
    net = network()
    history = net.fit(X, Y, "sgd", lr=0.0, epochs=1, batch_size=16)
    assert history.loss[0] == pytest.approx(net.evaluate(X, Y)["loss"], rel=1e-14)


def test_validation_and_metrics() -> None:
    net = network(nn.Dropout(0.5))
    held = X[:10], Y[:10]
    history = net.fit(X[10:], Y[10:], epochs=3, validation=held, metrics=["accuracy", nn.error_rate])
    assert list(history.curves) == ["loss", "accuracy", "error_rate", "val_loss", "val_accuracy", "val_error_rate"]
    found = net.evaluate(*held, metrics="accuracy")
    assert (history.val_loss[-1], history["val_accuracy"][-1]) == (found["loss"], found["accuracy"])
    assert history["accuracy"][-1] == net.evaluate(X[10:], Y[10:], metrics="accuracy")["accuracy"]
    with pytest.raises(KeyError, match="no curve 'acc'; there are loss, accuracy"):
        history["acc"]


def test_validation_fraction() -> None:
    (x, y), held = training.split((X, Y), 0.3, seed=0)
    assert held is not None
    assert (len(x), len(held[0])) == (35, 15)
    rows = np.concatenate([x, held[0]])
    np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(X, axis=0))
    for row, label in zip(np.concatenate([x, held[0]]), np.concatenate([y, held[1]]), strict=True):
        assert Y[(row == X).all(axis=1)] == label


def test_tolerance() -> None:
    net = network()
    whole = net.fit(X, Y, "sgd", lr=0.5, epochs=60, batch_size=None).loss
    changes = np.abs(np.diff(whole))
    tolerance = float(changes[29])
    stopped = net.fit(X, Y, "sgd", lr=0.5, epochs=60, batch_size=None, tolerance=tolerance * (1 + 1e-9)).loss
    first = int(np.flatnonzero(changes < tolerance * (1 + 1e-9))[0])
    assert stopped == whole[: first + 2]
    assert len(net.fit(X, Y, "sgd", lr=0.0, epochs=5, batch_size=None).loss) == 5  # off by default
    assert len(net.fit(X, Y, "sgd", lr=0.0, epochs=5, batch_size=None, tolerance=1e-8).loss) == 2


def test_divergence_is_recorded_and_goes_on() -> None:
    net = nn.Model([nn.Linear(3)], nn.MSE())
    history = net.fit(X, np.eye(3)[Y], "sgd", lr=1e200, epochs=4, tolerance=1e-3)
    assert len(history.loss) == 4
    assert np.isnan(history.loss[-1])


def test_the_point_to_ship_is_the_one_kept() -> None:
    net = network()
    history = net.fit(X, Y, tw.chain(tw.sgd(), running_mean()), lr=0.1, epochs=3, batch_size=None)
    np.testing.assert_array_equal(net.params["0"]["w"], history.params["0"]["w"])  # type: ignore[index]
    points = [net.fit(X, Y, "sgd", lr=0.1, epochs=n, batch_size=None).params["0"]["w"] for n in (1, 2, 3)]
    np.testing.assert_allclose(history.walked["0"]["w"], points[2], rtol=1e-14)
    np.testing.assert_allclose(history.params["0"]["w"], np.mean(points, axis=0), rtol=1e-12)


@tw.around
def ascent(p, *, rho: tw.Positive = 0.05):  # type: ignore[no-untyped-def]
    """Sharpness-aware minimisation: the gradient at p + rho g / |g|."""
    _, g = yield p
    _, g = yield p + rho * g / tw.ops.norm(g)
    return g


def test_a_method_that_asks_twice_sees_the_same_batch_and_masks() -> None:
    net = network(nn.Dropout(0.5))
    history = net.fit(X, Y, tw.chain(ascent(), tw.sgd()), lr=0.1, epochs=1, batch_size=None, seed=4)
    params = net.init(seed=4)
    ((_, seed),) = training.batches(50, None, 4, 0)
    loss, grads = net.loss_and_grad(params, X, Y, seed=seed)
    assert history.loss == [loss]
    norm = np.sqrt(sum((g**2).sum() for own in grads.values() for g in own.values()))
    up = {n: {k: p + 0.05 * grads[n][k] / norm for k, p in own.items()} for n, own in params.items()}
    _, grads = net.loss_and_grad(up, X, Y, seed=seed)
    for n, own in params.items():
        for k, p in own.items():
            np.testing.assert_allclose(history.params[n][k], p - 0.1 * grads[n][k], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"epochs": 0}, "epochs=0: want an integer of at least 1"),
        ({"batch_size": 0}, "batch_size=0: want an integer of at least 1"),
        ({"optimizer": tw.Optimizer(tw.sgd()), "lr": 0.1}, r"lr=0.1 beside a ready tw.Optimizer"),
        ({"optimizer": tw.Optimizer(tw.sgd(), lanes=2)}, "fit trains one network"),
        ({"validation": 1.5}, "validation=1.5 of 50 samples"),
        ({"validation": (X, Y[:20])}, r"y has shape \(20,\), but x has 50 samples"),
        ({"validation": 0.001}, "leaves both sides some"),
        ({"metrics": "acc"}, "no metric 'acc'"),
        ({"x": X[:0], "y": Y[:0]}, "no samples"),
        ({"y": Y[:20]}, r"y has shape \(20,\), but x has 50 samples"),
        ({"y": Y + 1}, "class numbers run from 1 to 3"),
        ({"x": X[:, 0]}, r"given samples of shape \(\).*nn.Flatten"),
        ({"params": {}}, r"these parameters have layers \[\]"),
    ],
)
def test_messages(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network().fit(**{"x": X, "y": Y, **kwargs})


def test_more_messages() -> None:
    net = network()
    history = net.fit(X, Y)
    with pytest.raises(ValueError, match="params= and resume= both say where to start"):
        net.fit(X, Y, params=history.params, resume=history)
    with pytest.raises(ValueError, match=r"x has shape \(50, 3\), but this network wants \(n, 4\)"):
        net.fit(X[:, :3], Y)
    with pytest.raises(KeyError, match="adam"):
        net.fit(X, Y, "adm")
    with pytest.raises(TypeError, match=r"seed='0'.*must be an integer"):
        net.fit(X, Y, seed="0")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="which must be an integer"):
        net.fit(X, Y, seed=np.random.default_rng(0), params=history.params)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there are no parameters"):
        nn.Model([nn.ReLU()], nn.MSE()).fit(X, X)
