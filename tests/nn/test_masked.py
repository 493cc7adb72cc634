"""A masked array is refused wherever a network, a loss, a metric or `minimize` takes an array: its hidden numbers are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg import nn

MASK = np.array([[0, 1], [0, 0], [1, 0], [0, 0]], bool)
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])
MX, MY = np.ma.array(X, mask=MASK), np.ma.array(Y, mask=MASK[:, :1])
CLASSES = np.ma.array([0, 1, 1, 0], mask=[0, 1, 0, 0])
SAYS = r"is a masked array, of which no rule says what is to happen; hand over array.filled\(0.0\)"


def net() -> nn.Model:
    made = nn.Model([nn.Linear(1)], loss=nn.MSE(), input_shape=(2,))
    made.params = made.init(seed=0)
    return made


def masked_params() -> Any:
    params = net().init(seed=0)
    name = next(iter(params))
    key = next(iter(params[name]))
    params[name][key] = np.ma.array(params[name][key], mask=False)
    return params


CALLS: dict[str, Callable[[], Any]] = {
    "fit x": lambda: net().fit(MX, Y, progress=False),
    "fit y": lambda: net().fit(X, MY, progress=False),
    "fit a list of rows": lambda: net().fit(list(MX), Y, progress=False),
    "fit validation": lambda: net().fit(X, Y, validation=(MX, Y), progress=False),
    "fit a part": lambda: net().fit(MX, Y, validation=0.5, progress=False),
    "fit params": lambda: net().fit(X, Y, params=masked_params(), progress=False),
    "call": lambda: net()(net().init(seed=0), MX),
    "predict": lambda: net().predict(MX),
    "evaluate x": lambda: net().evaluate(MX, Y),
    "evaluate y": lambda: net().evaluate(X, MY),
    "loss and gradient": lambda: net().loss_and_grad(net().init(seed=0), X, MY),
    "MSE": lambda: nn.MSE().targets(Y[None], MY[None]),
    "BinaryCrossEntropy": lambda: nn.BinaryCrossEntropy().targets(Y[None], MY[None]),
    "CrossEntropy of classes": lambda: nn.CrossEntropy().targets(X[None], CLASSES[None]),
    "CrossEntropy of rows": lambda: nn.CrossEntropy().targets(X[None], MX[None]),
    "CrossEntropy of outputs": lambda: nn.CrossEntropy().targets(MX[None], X[None]),
    "accuracy": lambda: nn.accuracy(X, CLASSES),
    "error rate": lambda: nn.error_rate(MX, np.array([0, 1, 1, 0])),
    "mse": lambda: nn.mse(Y, MY),
    "mse of outputs": lambda: nn.mse(MY, Y),
    "r2": lambda: nn.r2(Y, MY),
    "r2 of outputs": lambda: nn.r2(MY, Y),
    "minimize x0": lambda: tw.Optimizer(tw.sgd(), lr=0.1)(lambda x: (x**2).sum(), np.ma.array([1.0, 2.0], mask=[0, 1])),
    "minimize a list": lambda: tw.Optimizer(tw.sgd(), lr=0.1)(lambda x: (x**2).sum(), [np.ma.array(1.0)]),
    "minimize jac": lambda: tw.Optimizer(tw.sgd(), lr=0.1)(
        lambda x: (x**2).sum(), [1.0, 2.0], jac=lambda x: np.ma.array(2 * x, mask=[0, 1])
    ),
    "minimize fun": lambda: tw.Optimizer(tw.sgd(), lr=0.1)(lambda x: np.ma.array((x**2).sum()), [1.0, 2.0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_it_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(TypeError, match=SAYS):
        CALLS[name]()
