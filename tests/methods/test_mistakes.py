"""The sources' mistakes, each far from the rule here: had one of them crept in, its test would see it.

A rule equals its paper (test_papers.py) to 1e-12; these show that the wrong formula is another one by far more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles import mistakes
from support import ASKING, RULES, normal_like, run, stream

import thalweg as tw
import thalweg.numpy as tn

APART = 1e-5
PARAMS, GRADIENTS, LOSSES = stream(seed=2)
W, GW = PARAMS["b"], [g["b"] for g in GRADIENTS]
UNIT = list(np.random.default_rng(0).normal(size=(100, 3)))


def mine(stage: Any, **options: Any) -> np.ndarray:
    return np.array([p["b"] for p in run(stage, PARAMS, GRADIENTS, **options)[0]])


def apart(right: np.ndarray, wrong: np.ndarray) -> None:
    assert np.isfinite(right).all()
    assert not np.isfinite(wrong).all() or np.abs(right - wrong).max() > APART


@pytest.mark.parametrize(
    ("stage", "wrong"),
    [
        (tw.sgd, mistakes.gradient_ascent_000),
        (lambda: tw.momentum(0.5), mistakes.sgd_previous_gradient_000),
        (tw.nesterov, mistakes.nesterov_without_rate_002),
        (tw.adamax, mistakes.adamax_constant_correction_000),
        (tw.adadelta, mistakes.adadelta_average_of_delta_000),
        (tw.adam, mistakes.adam_epoch_counter_001),
        (tw.adam, mistakes.adam_without_powers_004),
        (tw.adam, mistakes.adam_eps_added_to_step_003),
        (lambda: tw.adam(eps=tw.inside(1e-8, raw=True)), mistakes.adam_square_in_text_002),
        (tw.smorms3, mistakes.smorms3_002),
        (lambda: tw.chain(tw.rmsprop(), tw.momentum()), mistakes.rmsprop_momentum_forgotten_004),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_a_wrong_update_is_another(stage: Any, wrong: Any) -> None:
    stage = stage()
    if wrong is mistakes.nesterov_without_rate_002:

        def slope(p: np.ndarray) -> np.ndarray:
            return np.array([0.1, 1.0, 5.0]) * p

        optimizer = tw.Optimizer(stage, lr=0.05)
        p, state = W, optimizer.init(W)
        path = []
        for _ in range(100):
            p, state = optimizer.step(p, None, state, grad_fn=lambda q: (0.0, slope(q)))
            path.append(p)
        apart(np.array(path), wrong(W, slope, lr=0.05, steps=100))
        return
    apart(mine(stage), wrong(W, GW))


def test_eve_measures_how_far_the_loss_moved() -> None:
    apart(mine(tw.eve(beta3=0.9), losses=LOSSES), mistakes.eve_002(W, GW, LOSSES, beta3=0.9))
    falling = np.linspace(1.0, 0.99, 100)
    d = run(tw.eve(beta3=0.5), PARAMS, GRADIENTS, losses=falling)[1]["memory"]["eve"]["d"]
    assert d < 0.2, "a loss that hardly moves lets Eve go faster; the source's could only slow down"


def test_santa_sss_keeps_both_half_steps() -> None:
    noise = normal_like(3)
    u0 = tw.Optimizer(tw.santa_sss()).init(PARAMS)["memory"]["santa_sss"]["u"]["b"]
    right = mine(tw.santa_sss(g0="zero", guard=0.0), noise=noise, lr=1e-3)
    apart(right, mistakes.santa_sss_002(W, GW, [z["b"] for z in noise], u0, lr=1e-3))


def test_the_lower_bound_binds() -> None:
    right = np.array([p["b"] for p in run(tw.adabound(beta2=0.9), {"b": W}, [{"b": g} for g in UNIT], lr=1e-3)[0]])
    apart(right, mistakes.adabound_bounds_002(W, UNIT, lr=1e-3, beta2=0.9))


def test_amsbound_clips_the_largest_v() -> None:
    fading = [g if t < 10 else g / 10 for t, g in enumerate(UNIT)]
    right = np.array([p["b"] for p in run(tw.amsbound(), {"b": W}, [{"b": g} for g in fading], lr=0.1)[0]])
    apart(right, mistakes.amsbound_clips_v_002(W, fading, lr=0.1))


@pytest.mark.parametrize(
    ("name", "wrong"), [("adagrad", mistakes.adagrad_zero_by_zero_002), ("adamax", mistakes.adamax_zero_by_zero_002)]
)
def test_zero_by_zero_is_zero(name: str, wrong: Any) -> None:
    still = [np.zeros(3), *GW[:5]]
    assert np.isnan(wrong(W, still)).any()
    stage = tw.adagrad(eps=0.0) if name == "adagrad" else tw.adamax()
    path, _ = run(stage, {"b": W}, [{"b": g} for g in still])
    np.testing.assert_array_equal(path[0]["b"], W)
    assert np.isfinite(path[-1]["b"]).all()


def test_santa_leaves_a_coordinate_without_gradient_in_peace() -> None:
    for name in ("santa_e", "santa_sss"):
        path, _ = run(tw.rules[name](), {"b": W}, [{"b": np.zeros(3)}] * 5, lr=1e-2)
        np.testing.assert_array_equal(path[-1]["b"], W)


def test_rmsprop_with_momentum_remembers_its_momentum() -> None:
    _, state = run(tw.chain(tw.rmsprop(), tw.momentum()), PARAMS, GRADIENTS)
    assert (state["memory"]["momentum"]["v"]["b"] != 0).all()


def test_the_users_learning_rate_is_the_one_that_counts() -> None:
    for name, rule in RULES.items():
        if name == "ftrl":
            continue  # it leaves a start that is not 0 at any rate
        gradients = GRADIENTS[: 12 if name in ("adashift", "schedule_free_radam") else 3]  # they rest at first
        slow, _ = run(rule(), PARAMS, gradients, lr=1e-4, losses=LOSSES)
        fast, _ = run(rule(), PARAMS, gradients, lr=1e-1, losses=LOSSES)
        more = 1 if name in ASKING else 5  # a line search mends a rate that is too low
        assert np.abs(fast[-1]["b"] - PARAMS["b"]).max() > more * np.abs(slow[-1]["b"] - PARAMS["b"]).max(), name


def test_t_counts_updates_and_is_nobodys_duty() -> None:
    optimizer = tw.Optimizer(tw.adam(), lr=1.0)
    state = optimizer.init(W)
    first, state = optimizer.step(W, np.full(3, 1e-3), state)
    np.testing.assert_allclose(W - first, 1.0, rtol=1e-4)
    assert state["t"] == {"p": 1}


def test_two_optimizers_share_nothing() -> None:
    one, other = tw.Optimizer(tw.adam(), lr=0.1), tw.Optimizer(tw.adam(), lr=0.1)
    state = one.init(W)
    for g in GW[:5]:
        _, state = one.step(W, g, state)
    fresh, _ = other.step(W, GW[0], other.init(W))
    again, _ = one.step(W, GW[0], one.init(W))
    np.testing.assert_array_equal(fresh, again)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: tw.choose(("head", tw.sgd()), otherwise=tw.adam()), TypeError, r"write named\('head'\)"),
        (lambda: tw.only(3, tw.decay()), TypeError, "cannot be asked of a parameter; write is_matrix"),
        (lambda: tw.named("("), ValueError, "not a regular expression"),
        (lambda: tw.named(3), ValueError, "not a regular expression"),
        (lambda: tw.Optimizer(tw.adam(), lanes=2.5), TypeError, "lanes is a whole number"),
        (lambda: tw.Optimizer(tw.adam(), lanes=True), TypeError, "lanes is a whole number"),
        (lambda: tw.Optimizer(tw.adam(), seed="x"), ValueError, "seed is a whole number"),
        (lambda: tw.Optimizer(tw.adam(), seed=-1), ValueError, "seed is a whole number"),
        (lambda: tw.Optimizer(tw.adam(), seed=None), ValueError, "seed is a whole number"),
        (lambda: tw.Optimizer(tw.adam()).init(np.ones(2, ">f8")), TypeError, "another byte order than this machine's"),
        (lambda: tn.Adam(x for x in [np.ones(2)]), TypeError, "is a generator; .* hand over a list"),
        (lambda: tn.Adam({"w": 1.0}), TypeError, r"wrap it: numpy.array\(1.0"),
        (lambda: tn.Adam({"w": None}), TypeError, "leave this one out"),
    ],
)
def test_what_is_no_setting_or_no_parameter_is_told_in_a_sentence(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
