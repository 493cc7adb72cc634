"""Oracles against optax, wherever it has the same variant; float64, 1e-12 of the way walked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from oracles.adabelief import adabelief
from oracles.adadelta import adadelta
from oracles.adagrad import adagrad
from oracles.adam import adam, adamax, adamaxw, adamw, amsgrad, nadam, nadamw, radam
from oracles.adan import adan
from oracles.ademamix import ademamix, simplified_ademamix
from oracles.adopt import adopt
from oracles.common import Array
from oracles.layerwise import fromage, lamb, lars, novograd
from oracles.momentum import momentum, nesterov
from oracles.optax_walks import B, b, optax, walk
from oracles.optimistic import optimistic_adam, optimistic_gd
from oracles.rmsprop import rmsprop
from oracles.sgd import sgd
from oracles.signs import lion, signsgd, signum
from oracles.sm3 import sm3
from oracles.streams import apart, halving, start, stream
from oracles.yogi import yogi
from support import everyday

outside = {"lr_inside": False}
Case = tuple[Callable[[Any], Any], Callable[..., Array], dict[str, Any]]
CASES: dict[str, Case] = {
    "lars": (lambda lr: optax.lars(lr), lars, {"weight_decay": 0.0}),
    "lamb": (lambda lr: optax.lamb(lr, weight_decay=0.1, **b), lamb, {"weight_decay": 0.1, **B}),
    "novograd": (
        lambda lr: optax.novograd(lr, weight_decay=0.1),
        novograd,
        {"beta1": 0.9, "beta2": 0.25, "eps": 1e-6, "weight_decay": 0.1},
    ),
    "fromage": (lambda lr: optax.fromage(lr), fromage, {}),
    "optimistic_gd": (lambda lr: optax.optimistic_gradient_descent(lr, 0.8, 0.3), optimistic_gd, {"alpha": 0.8, "beta": 0.3}),
    "sgd": (lambda lr: optax.sgd(lr), sgd, {}),
    "sgd decay": (lambda lr: optax.chain(optax.add_decayed_weights(0.1), optax.sgd(lr)), sgd, {"weight_decay": 0.1}),
    "momentum": (lambda lr: optax.sgd(lr, momentum=0.9), momentum, outside),
    "nesterov": (lambda lr: optax.sgd(lr, momentum=0.9, nesterov=True), nesterov, outside),
    "average": (
        lambda lr: optax.chain(optax.ema(0.9, debias=False), optax.scale_by_learning_rate(lr)),
        momentum,
        {"dampening": 0.9, **outside},
    ),
    "adagrad": (
        lambda lr: optax.adagrad(lr, initial_accumulator_value=0.1, eps=1e-3),
        adagrad,
        {"initial": 0.1, "eps": 1e-3, "eps_place": "inside"},
    ),
    "rmsprop inside": (
        lambda lr: optax.rmsprop(lr, decay=0.95, eps=1e-3),
        rmsprop,
        {"rho": 0.95, "eps": 1e-3, "eps_place": "inside"},
    ),
    "rmsprop outside": (
        lambda lr: optax.rmsprop(lr, decay=0.95, eps=1e-3, eps_in_sqrt=False),
        rmsprop,
        {"rho": 0.95, "eps": 1e-3},
    ),
    "rmsprop starting at 1": (
        lambda lr: optax.rmsprop(lr, decay=0.95, eps=1e-3, initial_scale=1.0),
        rmsprop,
        {"rho": 0.95, "eps": 1e-3, "eps_place": "inside", "initial": 1.0},
    ),
    "rmsprop centred": (
        lambda lr: optax.rmsprop(lr, decay=0.95, eps=1e-3, centered=True),
        rmsprop,
        {"rho": 0.95, "eps": 1e-3, "eps_place": "inside", "centred": True},
    ),
    "rmsprop momentum": (
        lambda lr: optax.rmsprop(lr, decay=0.95, eps=1e-3, momentum=0.9),
        rmsprop,
        {"rho": 0.95, "eps": 1e-3, "eps_place": "inside", "mu": 0.9},
    ),
    "rmsprop nesterov": (
        lambda lr: optax.rmsprop(lr, decay=0.95, eps=1e-3, momentum=0.9, nesterov=True),
        rmsprop,
        {"rho": 0.95, "eps": 1e-3, "eps_place": "inside", "mu": 0.9, "nesterov": "shifted"},
    ),
    "adadelta": (lambda lr: optax.adadelta(lr, rho=0.95, eps=1e-6), adadelta, {}),
    "adam": (lambda lr: optax.adam(lr, **b, eps=1e-3), adam, {"eps": 1e-3, **B}),
    "adam inside": (
        lambda lr: optax.adam(lr, **b, eps=0.0, eps_root=1e-3),
        adam,
        {"eps": 1e-3, "eps_place": "inside", **B},
    ),
    "adam decay": (
        lambda lr: optax.chain(optax.add_decayed_weights(0.1), optax.adam(lr, **b, eps=1e-3)),
        adam,
        {"eps": 1e-3, "weight_decay": 0.1, **B},
    ),
    "adamw": (
        lambda lr: optax.adamw(lr, **b, eps=1e-3, weight_decay=0.1),
        adamw,
        {"eps": 1e-3, "weight_decay": 0.1, **B},
    ),
    "adamax": (lambda lr: optax.adamax(lr, **b, eps=1e-3), adamax, {"eps": 1e-3, "eps_place": "maximum", **B}),
    "nadam": (
        lambda lr: optax.nadam(lr, **b, eps=1e-3),
        nadam,
        {"mu": 0.875, "nu": 0.992, "schedule": False, "nu_factor": False, "eps": 1e-3},
    ),
    "amsgrad": (
        lambda lr: optax.amsgrad(lr, **b, eps=1e-3),
        amsgrad,
        {"eps": 1e-3, "sqrt_decay": False, "bias_correction": True, "maximum_of": "corrected", **B},
    ),
    "radam": (lambda lr: optax.radam(lr, **b, eps=1e-3), radam, {"eps": 1e-3, "threshold": 5.0, **B}),
    "radam above 8": (
        lambda lr: optax.radam(lr, **b, eps=1e-3, threshold=8.0),
        radam,
        {"eps": 1e-3, "threshold": 8.0, **B},
    ),
    "signsgd": (lambda lr: optax.sign_sgd(lr), signsgd, {}),
    "signum": (lambda lr: optax.signum(lr, beta=0.875), signum, {"beta": 0.875}),
    "lion": (lambda lr: optax.lion(lr, **b, weight_decay=0.1), lion, {"weight_decay": 0.1, **B}),
    "adabelief": (lambda lr: optax.adabelief(lr, **b, eps=1e-3, eps_root=1e-3), adabelief, {"eps": 1e-3, **B}),
    "yogi from 1e-6": (
        lambda lr: optax.yogi(lr, **b, eps=1e-3),
        yogi,
        {"bias_correction": True, "initial": 1e-6, "eps": 1e-3, **B},
    ),
    "adan, as if beta2 were the paper's": (
        lambda lr: optax.adan(lr, 0.98, 0.92, 0.99, eps=1e-3, eps_root=0.0),
        adan,
        {"bias_correction": True, "look": 0.08, "eps": 1e-3},
    ),
    "adopt": (lambda lr: optax.contrib.adopt(lr, **b, eps=1e-3), adopt, {"eps": 1e-3, **B}),
    "adopt plain": (
        lambda lr: optax.contrib.adopt(lr, **b, eps=1e-3, use_clipping=False),
        adopt,
        {"eps": 1e-3, "clipped": False, **B},
    ),
    "ademamix": (
        lambda lr: optax.contrib.ademamix(lr, **b, b3=0.995, alpha=3.0, eps=1e-3, weight_decay=0.1),
        ademamix,
        {"beta3": 0.995, "alpha": 3.0, "eps": 1e-3, "weight_decay": 0.1, **B},
    ),
    "simplified_ademamix": (
        lambda lr: optax.contrib.simplified_ademamix(lr, **b, alpha=3.0, eps=1e-3, weight_decay=0.1),
        simplified_ademamix,
        {"alpha": 3.0, "eps": 1e-3, "weight_decay": 0.1, **B},
    ),
    "optimistic_adam": (
        lambda lr: optax.optimistic_adam_v2(lr, alpha=0.8, beta=0.3, eps=1e-3, nesterov=False, **b),
        optimistic_adam,
        {"alpha": 0.8, "beta": 0.3, "eps": 1e-3, **B},
    ),
    "optimistic_adam as optax ships it": (
        lambda lr: optax.optimistic_adam_v2(lr, eps=1e-3, **b),
        optimistic_adam,
        {"nesterov": True, "eps": 1e-3, **B},
    ),
    "sm3": (
        lambda lr: optax.chain(optax.scale_by_sm3(), optax.scale_by_learning_rate(lr)),
        sm3,
        {"eps": 1e-8, "mu": 0.9},
    ),
    "adamaxw": (
        lambda lr: optax.adamaxw(lr, **b, eps=1e-3, weight_decay=0.1),
        adamaxw,
        {"eps": 1e-3, "eps_place": "maximum", "weight_decay": 0.1, **B},
    ),
    "nadamw": (
        lambda lr: optax.nadamw(lr, **b, eps=1e-3, weight_decay=0.1),
        nadamw,
        {"mu": 0.875, "nu": 0.992, "schedule": False, "nu_factor": False, "eps": 1e-3, "weight_decay": 0.1},
    ),
}


@pytest.mark.parametrize("name", everyday(CASES))
@pytest.mark.parametrize("lr", [pytest.param(2.0**-6, marks=pytest.mark.slow), halving])
def test_same_walk(name: str, lr: Any) -> None:
    make, oracle, options = CASES[name]
    assert apart(oracle(start(), stream(), lr=lr, **options), walk(make, lr), start()) < 1e-12
