"""Methods that look at other points than they walk, or ship others: averages, schedule-free, look-ahead, SAM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles import asgd, momentum, schedule_free
from papers.case import halving
from support import SHAPES, stream

import thalweg as tw
from thalweg.dialects import variants


@pytest.mark.parametrize("lr", [0.01, halving], ids=["constant", "halving"])
@pytest.mark.parametrize(
    "options",
    [{}, {"t0": 30.0}, {"t0": 2.5}, {"lam": 0.1, "alpha": 1.0}, {"lam": 0.0}, {"t0": 1e6}, {"t0": 30.0, "ahead": True}],
    ids=str,
)
def test_asgd_ships_the_mean(options: dict[str, Any], lr: Any) -> None:
    params, gradients, _ = stream()
    ours = {name: value for name, value in options.items() if name != "ahead"}
    optimizer = tw.Optimizer(variants.late_asgd(**ours) if "ahead" in options else tw.asgd(**ours), lr=lr)
    p, state = params, optimizer.init(params)
    shipped = []
    for g in gradients:
        p, state = optimizer.step(p, g, state)
        shipped.append(optimizer.ship(p, state))
    for name in SHAPES:
        truth = asgd.asgd(params[name], [g[name] for g in gradients], lr, **options)
        assert np.abs(np.array([s[name] for s in shipped]) - truth.mean).max() <= 1e-12
        if options != {"t0": 1e6}:
            assert np.abs(truth.mean[-1] - truth.w[-1]).max() > 1e-8


def quadratic(p: Any) -> tuple[Any, Any]:
    curvature = np.array([0.1, 1.0, 5.0])
    return 0.5 * (curvature * p * p).sum(), curvature * p


START = np.array([1.0, -2.0, 0.5])


def test_look_ahead_equals_the_paper_and_the_shifted_form() -> None:
    mu, lr = 0.9, 0.05
    optimizer = tw.Optimizer(tw.nesterov(mu), lr=lr)
    truth = momentum.nesterov(START, lambda p: quadratic(p)[1], lr=lr, mu=mu, form="lookahead", steps=100)
    ahead, state = START, optimizer.init(START)
    shifted, shifted_state = START, optimizer.init(START)
    for w in truth:
        ahead, state = optimizer.step(ahead, None, state, grad_fn=quadratic)
        shifted, shifted_state = optimizer.step(shifted, quadratic(shifted)[1], shifted_state)
        assert np.abs(ahead - w).max() <= 1e-12
        back = shifted + lr * mu * shifted_state["memory"]["nesterov"]["v"]["p"]
        assert np.abs(back - w).max() <= 1e-12


@pytest.mark.parametrize("base", ["sgd", "adam"])
def test_schedule_free_walks_y_and_ships_x(base: str) -> None:
    lr = 0.02
    optimizer = tw.Optimizer(tw.chain(tw.rules[base](), tw.schedule_free(0.9)), lr=lr)
    y, state = START, optimizer.init(START)
    z = x = START
    m = v = np.zeros(3)
    for t in range(1, 101):
        g = quadratic(y)[1]
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        d = g if base == "sgd" else m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        y, state = optimizer.step(y, g, state)
        z = z - lr * d
        x = (1 - 1 / t) * x + z / t
        assert np.abs(y - (0.1 * z + 0.9 * x)).max() <= 1e-12
        assert np.abs(optimizer.ship(y, state) - x).max() <= 1e-12


@pytest.mark.parametrize(
    ("power", "average", "rate"),
    [
        (0.0, "rate", 0.1),
        (2.0, "rate", 0.1),
        (0.0, "equal", tw.schedules.warm_up(20, 0.1)),
        (2.0, "rate", tw.schedules.warm_up(20, 0.1)),
    ],
)
def test_schedule_free_sgd_equals_the_oracle(power: float, average: str, rate: Any) -> None:
    optimizer = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free(0.9, power)), lr=rate)
    y, state = START, optimizer.init(START)
    truth = schedule_free.schedule_free_sgd(START, lambda p: quadratic(p)[1], lr=rate, beta=0.9, average=average, steps=100)
    for x in truth.x:
        y, state = optimizer.step(y, quadratic(y)[1], state)
        assert np.abs(optimizer.ship(y, state) - x).max() <= 1e-12


@pytest.mark.parametrize("name", ["schedule_free_sgd", "schedule_free_adamw", "schedule_free_radam"])
def test_a_schedule_free_recipe_ships_its_average(name: str) -> None:
    rate = tw.schedules.warm_up(20, 0.1)
    optimizer = tw.Optimizer(tw.rules[name](weight_decay=0.1), lr=rate)
    options = {"correction": "rate"} if "adamw" in name else {}
    truth = getattr(schedule_free, name)(START, lambda p: quadratic(p)[1], rate, weight_decay=0.1, steps=100, **options)
    y, state = START, optimizer.init(START)
    for x, then in zip(truth.x, truth.y, strict=True):
        y, state = optimizer.step(y, quadratic(y)[1], state)
        assert np.abs(y - then).max() <= 1e-12
        assert np.abs(optimizer.ship(y, state) - x).max() <= 1e-12
    assert np.abs(truth.x[-1] - truth.y[-1]).max() > 1e-4


def test_schedule_free_counts_by_the_largest_rate_so_far() -> None:
    """The third place of four at rates 0, 2, 1, 3: weights 0, 4, 4, 9."""
    optimizer = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free(0.9, 2.0)), lr=lambda t: (0.0, 2.0, 1.0, 3.0)[int(t) - 1])
    y, state = np.zeros(1), optimizer.init(np.zeros(1))
    for z in (0.0, 4 * 2.0 / 4, (4 * 2.0 + 4 * 3.0) / 8, (4 * 2.0 + 4 * 3.0 + 9 * 6.0) / 17):
        y, state = optimizer.step(y, -np.ones(1), state)
        assert np.abs(optimizer.ship(y, state) - z).max() <= 1e-12


def test_sam_takes_the_gradient_of_the_worst_point_nearby() -> None:
    optimizer = tw.Optimizer(tw.chain(tw.sam(0.1), tw.sgd()), lr=0.05)
    p = w = START
    state = optimizer.init(p)
    for _ in range(50):
        p, state = optimizer.step(p, None, state, grad_fn=quadratic)
        g = quadratic(w)[1]
        w = w - 0.05 * quadratic(w + 0.1 * g / np.sqrt((g * g).sum()))[1]
        assert np.abs(p - w).max() <= 1e-12
