"""An error of the network says what was written, what was wanted, and what to write instead."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from thalweg import nn

from .networks import classifier

X = np.random.default_rng(0).normal(size=(8, 4))
Y = np.arange(8) % 3


class TestMessages:
    """An error says what was written, what was wanted, and what to write instead."""

    net = classifier(input_shape=4)
    params = net.init()
    lanes = net.init(seed=[0, 1, 2])

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"x": X[:, :3]}, r"x has shape \(8, 3\), but this network wants \(n, 4\): n samples of shape \(4,\)"),
            ({"x": X[0]}, r"x has shape \(4,\), but this network wants \(n, 4\)"),
            ({"x": X[None]}, r"x has shape \(1, 8, 4\), but this network wants \(n, 4\)"),
            ({"x": X[:0], "y": Y[:0]}, r"x has shape \(0, 4\): no samples"),
            ({"y": Y[:5]}, r"y has shape \(5,\), but x has 8 samples"),
            ({"y": Y + 1}, "class numbers run from 1 to 3, but the outputs are for 0 to 2"),
            ({"params": lanes}, r"params\['0'\]\['w'\] has shape \(3, 4, 5\), 3 lanes of \(4, 5\): write lanes=3"),
            ({"lanes": 2}, "without the 2 lanes asked for: leave out lanes=, or init with a list of 2 seeds"),
            ({"params": lanes, "lanes": 2}, r"has shape \(3, 4, 5\), but this network's is \(2, 4, 5\)"),
            ({"params": lanes, "lanes": 3, "x": X[None]}, r"wants \(n, 4\), or \(lanes, samples, ...\) = \(3, n, 4\)"),
            ({"params": lanes, "lanes": 3, "x": np.stack([X] * 3)}, r"y has shape \(8,\), but x has 3 lanes of 8 samples"),
            ({"params": {"0": params["0"]}}, r"layers \['0'\], but the network's are \['0', '2'\]"),
        ],
    )
    def test_values(self, kwargs: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            self.net.loss_and_grad(**{"params": self.params, "x": X, "y": Y, **kwargs})

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"x": X.astype(complex)}, "x has dtype complex128, but must hold real numbers"),
            ({"x": X.astype(str)}, "must hold real numbers"),
            ({"params": {**params, "2": {"w": [[1.0]], "b": params["2"]["b"]}}}, r"params\['2'\]\['w'\] is list, but"),
            (
                {"params": {**params, "2": {k: v.astype(np.float32) for k, v in params["2"].items()}}},
                "several dtypes, float32, float64",
            ),
            (
                {"params": {n: {k: v.astype(np.float16) for k, v in own.items()} for n, own in params.items()}},
                "dtype=float16: parameters are float32 or float64",
            ),
        ],
    )
    def test_types(self, kwargs: dict[str, Any], message: str) -> None:
        with pytest.raises(TypeError, match=message):
            self.net.loss_and_grad(**{"params": self.params, "x": X, "y": Y, **kwargs})

    def test_before_init(self) -> None:
        for call in (lambda n: n(self.params, X), lambda n: n.init(), lambda n: n.summary()):
            with pytest.raises(ValueError, match=r"call net.init\(\(64,\), seed=0\) first"):
                call(classifier())

    def test_before_fit(self) -> None:
        for call in (lambda n: n.predict(X), lambda n: n.evaluate(X, Y), lambda n: n.save("nowhere.npz")):
            with pytest.raises(ValueError, match=r"call net.fit\(x, y\) first"):
                call(classifier(input_shape=4))

    @pytest.mark.parametrize("shape", [(), (0,), (4.0,), (None, 4), "4"])
    def test_input_shape(self, shape: Any) -> None:
        with pytest.raises(ValueError, match=r"input_shape=|given samples of shape \(\)"):
            classifier().init(shape)

    def test_dtype(self) -> None:
        with pytest.raises(TypeError, match="dtype=int64: parameters are float32 or float64"):
            self.net.init(dtype=int)

    def test_no_lanes(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            self.net.init(seed=[])

    def test_parts(self) -> None:
        with pytest.raises(TypeError, match=r"ReLU.* is no layer.*with the brackets"):
            nn.Model([nn.Linear(3), nn.ReLU], nn.MSE())  # type: ignore[list-item]
        with pytest.raises(TypeError, match="is no loss"):
            nn.Model([nn.Linear(3)], "mse")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="at least one layer"):
            nn.Model([], nn.MSE())
        with pytest.raises(ValueError, match=r"leave Softmax out \(better\), or write CrossEntropy\(from_logits=False\)"):
            nn.Model([nn.Linear(3), nn.Softmax()], nn.CrossEntropy())
        with pytest.raises(ValueError, match="leave Sigmoid out"):
            nn.Model([nn.Linear(3), nn.Sigmoid()], nn.BinaryCrossEntropy())

    def test_metric(self) -> None:
        with pytest.raises(ValueError, match="no metric 'acc'; there are accuracy, error_rate, mse, r2"):
            self.net.evaluate(X, Y, params=self.params, metrics="acc")


def test_inputs_and_outputs_as_torch_has_them() -> None:
    with pytest.raises(TypeError, match=r"a layer takes its outputs alone.*write Linear\(8\)"):
        nn.Linear(4, 8)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="weights and biases are initialisers"):
        nn.Linear(4, weights="he")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "labels", [["a", "b"], np.array(["a", "b"]), np.array(["a", "b"], object)], ids=["list", "texts", "objects"]
)
def test_labels_that_are_names(labels: Any) -> None:
    with pytest.raises(ValueError, match=r"number the names: names, y = numpy\.unique\(labels, return_inverse=True\)"):
        nn.Model([nn.Linear(2)], nn.CrossEntropy()).fit(np.ones((2, 3)), labels, progress=False)


def test_a_history_prints_on_a_line() -> None:
    history = nn.Model([nn.Linear(1)], nn.MSE()).fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, progress=False)
    assert repr(history).startswith("<History of 2 epochs: loss ")
    assert len(repr(history)) < 80
    assert pickle.loads(pickle.dumps(history)).curves == copy.deepcopy(history).curves == history.curves
