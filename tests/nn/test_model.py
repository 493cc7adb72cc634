"""The model's own doing: dtypes, shapes, penalties, evaluation, messages."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from support import first

from thalweg import nn

from .networks import CASES, NAMES, Case, classifier

Array = np.ndarray[Any, Any]


X = np.random.default_rng(0).normal(size=(8, 4))
Y = np.arange(8) % 3


@pytest.mark.parametrize("given", first([np.float64, np.float32, np.int64, np.uint8, bool], 2))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_dtype_of_params_is_kept_everywhere(case: Case, dtype: Any, given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever x is. Every array that a layer or the loss makes is looked at."""
    made: list[np.dtype[Any]] = []
    for layer in {type(layer) for layer in case.net.layers}:
        for method in ("forward", "backward"):
            monkeypatch.setattr(layer, method, noting(getattr(layer, method), made))
    params = case.net.init(case.shape, seed=1, dtype=dtype)
    x, y = case.data()
    _, grads = case.net.loss_and_grad(params, x.astype(given), y, seed=1)
    assert case.net(params, x.astype(given), statistics=case.statistics()).dtype == dtype
    assert {leaf.dtype for own in grads.values() for leaf in own.values()} == {np.dtype(dtype)}
    assert set(made) == {np.dtype(dtype)}


def noting(method: Any, made: list[np.dtype[Any]]) -> Any:
    def wrapped(self: Any, *args: Any) -> Any:
        result = method(self, *args)
        made.append((result[0] if isinstance(result, tuple) else result).dtype)
        return result

    return wrapped


def test_tree_of_params() -> None:
    net = classifier()
    params = net.init((4,), seed=0)
    assert {name: {key: leaf.shape for key, leaf in own.items()} for name, own in params.items()} == {
        "0": {"w": (4, 5), "b": (5,)},
        "2": {"w": (5, 3), "b": (3,)},
    }
    assert net.init(4, seed=0)["0"]["w"].shape == (4, 5)
    assert net.init(seed=0)["0"]["w"].shape == (4, 5)  # the shape is known by now
    assert classifier(input_shape=(4,)).init(seed=0)["0"]["w"].shape == (4, 5)


def test_summary() -> None:
    net = nn.Model([nn.Conv2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(10)], nn.CrossEntropy(), input_shape=(8, 8, 1))
    assert net.summary().splitlines() == [
        "layer      output shape  parameters",
        "0 Conv2d   (6, 6, 4)             40",
        "1 ReLU     (6, 6, 4)              0",
        "2 Flatten  (144,)                 0",
        "3 Linear   (10,)              1,450",
        "total                         1,490",
    ]


def test_penalties() -> None:
    params = classifier(input_shape=(4,)).init(seed=1)
    for own in params.values():
        own["b"] += 0.5
    plain, gradient = classifier(input_shape=(4,)).loss_and_grad(params, X, Y)
    w0, w2, b2 = params["0"]["w"], params["2"]["w"], params["2"]["b"]
    ridge = classifier(input_shape=(4,), penalty=nn.L2(0.1))
    loss, grads = ridge.loss_and_grad(params, X, Y)
    assert loss == pytest.approx(plain + 0.1 * ((w0**2).sum() + (w2**2).sum()), rel=1e-14)
    np.testing.assert_allclose(grads["2"]["w"], gradient["2"]["w"] + 0.2 * w2, rtol=1e-14)
    np.testing.assert_array_equal(grads["2"]["b"], gradient["2"]["b"])
    assert ridge.evaluate(X, Y, params=params)["loss"] == loss
    own = nn.Model([nn.Linear(5, penalty=nn.L1(0.2)), nn.ReLU(), nn.Linear(3)], nn.CrossEntropy(), input_shape=4)
    assert own.loss_and_grad(params, X, Y)[0] == pytest.approx(plain + 0.2 * np.abs(w0).sum(), rel=1e-14)
    biased = nn.Model([nn.Linear(5), nn.ReLU(), nn.Linear(3, penalty=nn.L2(0.1, biases=True))], nn.CrossEntropy())
    biased.init(4)
    assert biased.loss_and_grad(params, X, Y)[0] == pytest.approx(plain + 0.1 * ((w2**2).sum() + (b2**2).sum()), rel=1e-14)


def test_evaluate_in_parts_equals_the_whole() -> None:
    net = classifier()
    params = net.init(4, seed=[0, 1])
    whole = net.evaluate(X, Y, params=params, lanes=2, metrics=("accuracy", nn.error_rate))
    parts = net.evaluate(X, Y, params=params, lanes=2, metrics=("accuracy", nn.error_rate), batch_size=3)
    for i in range(2):
        alone = net.evaluate(X, Y, params={k: {a: v[i] for a, v in p.items()} for k, p in params.items()}, metrics="accuracy")
        assert alone["accuracy"] == whole["accuracy"][i] == 1 - whole["error_rate"][i]
        assert alone["loss"] == whole["loss"][i] == pytest.approx(parts["loss"][i], rel=1e-14)
    own = net.evaluate(np.stack([X, X]), np.stack([Y, Y]), params=params, lanes=2, batch_size=3)
    np.testing.assert_allclose(own["loss"], whole["loss"], rtol=1e-14)
    np.testing.assert_allclose(
        net.predict(X, params=params, lanes=2, batch_size=3), net(params, X, lanes=2), rtol=1e-13, atol=1e-15
    )


@dataclass(frozen=True)
class Scale(nn.Trainable):
    """A layer of a user's own: y = s x."""

    penalty: Any = ()

    def init(self, shape: Any, rng: Any) -> Any:
        return {"s": np.full(shape, 2.0)}, shape

    def forward(self, params: Any, x: Array) -> Any:
        return x * params["s"][:, None], x

    def grads(self, params: Any, cache: Any, dy: Array) -> Any:
        return {"s": (cache * dy).sum(axis=1)}

    def backward(self, params: Any, cache: Any, dy: Array) -> Array:
        return dy * params["s"][:, None]


def test_a_layer_of_ones_own() -> None:
    net = nn.Model([Scale(), nn.Linear(3)], nn.CrossEntropy())
    plain = nn.Model([nn.Linear(3)], nn.CrossEntropy())
    params = net.init(4, seed=0)
    plain.init(4)
    loss, grads = net.loss_and_grad(params, X, Y)
    wanted, plain_grads = plain.loss_and_grad({"0": params["1"]}, 2 * X, Y)
    assert loss == wanted
    np.testing.assert_array_equal(grads["1"]["w"], plain_grads["0"]["w"])


def test_a_network_without_parameters() -> None:
    net = nn.Model([nn.Softmax()], nn.CrossEntropy(from_logits=False))
    assert net.init((3,)) == {}
    loss, grads = net.loss_and_grad({}, np.zeros((2, 3)), [0, 1])
    assert loss == pytest.approx(np.log(3))
    assert grads == {}
    lanes, _ = net.loss_and_grad({}, np.zeros((2, 3)), [0, 1], lanes=2)
    np.testing.assert_allclose(lanes, [np.log(3)] * 2)
    assert net({}, np.zeros((2, 3)), lanes=2).shape == (2, 2, 3)


def test_overflow_is_a_result_without_a_warning() -> None:
    net = classifier()
    params = net.init(4, dtype=np.float32)
    params["0"]["w"] *= 1e38
    params["2"]["w"] *= 1e38
    loss, _ = net.loss_and_grad(params, X, Y)
    assert not np.isfinite(loss)
    net(params, X)
    net.evaluate(X, Y, params=params, metrics="accuracy")


def test_nan_in_the_data_goes_through() -> None:
    net = classifier()
    x = X.copy()
    x[0, 0] = np.nan
    assert np.isnan(net.loss_and_grad(net.init(4), x, Y)[0])
