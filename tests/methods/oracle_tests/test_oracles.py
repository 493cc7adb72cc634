"""Oracles against each other and against what can be worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from oracles import mistakes
from oracles.adabound import adabound, amsbound
from oracles.adagrad import adagrad
from oracles.adam import adam, adamax, adamw, amsgrad
from oracles.adan import adan
from oracles.ademamix import ademamix
from oracles.adopt import adopt
from oracles.asgd import asgd
from oracles.common import Array
from oracles.momentum import momentum, nesterov
from oracles.rmsprop import rmsprop
from oracles.schedule_free import schedule_free_sgd
from oracles.sgd import sgd
from oracles.signs import lion, signsgd, signum
from oracles.stages import clip_by_global_norm, clip_by_value, constant, inverse_sqrt, inverse_time, mean_of_weights, warmed_up
from oracles.streams import STEPS, apart, df, halving, start, stream

MU = 0.9


def bowl(w: Array) -> Array:
    """The gradient of a bowl with curvatures 0.1 ... 2."""
    return np.linspace(0.1, 2.0, w.size).reshape(w.shape) * w


def test_damped_momentum_is_momentum_at_a_smaller_rate() -> None:
    damped = momentum(start(), stream(), 2.0**-4, MU, dampening=MU)
    assert apart(damped, momentum(start(), stream(), (1.0 - MU) * 2.0**-4, MU), start()) < 1e-12


def test_the_average_is_damped_momentum() -> None:
    """m = mu m + (1 - mu) g; w -= lr m, source 001."""
    w, m, path = start(), np.zeros_like(start()), []
    for g in stream():
        m = MU * m + (1.0 - MU) * g
        w = w - 2.0**-4 * m
        path.append(w)
    assert apart(momentum(start(), stream(), 2.0**-4, MU, dampening=MU), np.array(path), start()) < 1e-12


@pytest.mark.parametrize("oracle", [momentum, nesterov])
def test_rate_inside_or_outside(oracle: Any) -> None:
    assert apart(oracle(start(), stream(), 0.1), oracle(start(), stream(), 0.1, lr_inside=False), start()) < 1e-12
    assert apart(oracle(start(), stream(), halving), oracle(start(), stream(), halving, lr_inside=False), start()) > 1e-2


def test_shifted_nesterov_is_the_look_ahead() -> None:
    """w = W - mu v at every step; v from the walk of W itself: v_t = w_t - w_(t-1)."""
    ahead = nesterov(start(), bowl, 0.1, MU, form="lookahead", steps=STEPS)
    shifted = nesterov(start(), bowl, 0.1, MU, steps=STEPS)
    v = np.diff(ahead, axis=0, prepend=start()[None])
    assert apart(ahead, shifted - MU * v, start()) < 1e-12
    assert apart(ahead, shifted, start()) > 1e-2


def test_shifted_rmsprop_is_the_look_ahead() -> None:
    options: dict[str, Any] = {"lr": 1e-3, "mu": MU, "eps": 1e-3, "steps": STEPS}
    ahead = rmsprop(start(), bowl, nesterov="lookahead", **options)
    shifted = rmsprop(start(), bowl, nesterov="shifted", **options)
    v = np.diff(ahead, axis=0, prepend=start()[None])
    assert apart(ahead, shifted - MU * v, start()) < 1e-12
    assert apart(ahead, rmsprop(start(), bowl, **options), start()) > 1e-2
    outside = rmsprop(start(), bowl, nesterov="shifted", lr_inside=False, **options)
    assert apart(shifted, outside, start()) < 1e-12


def test_coupled_decay_is_a_change_of_the_gradient() -> None:
    for oracle, options in ((sgd, {}), (momentum, {}), (adagrad, {}), (rmsprop, {}), (adam, {})):
        with_decay = oracle(start(), bowl, 0.01, weight_decay=0.1, steps=STEPS, **options)
        changed = oracle(start(), lambda w: bowl(w) + 0.1 * w, 0.01, steps=STEPS, **options)
        assert apart(with_decay, changed, start()) < 1e-12


@pytest.mark.parametrize("oracle", [sgd, momentum, adagrad, rmsprop, adam])
def test_decoupled_decay_shrinks_beside_the_step(oracle: Any) -> None:
    """Along one stream of gradients the steps d_t do not feel the decay: w_t = (1 - lr lambda) w_(t-1) + d_t."""
    for options in ({}, {"lr_inside": False}) if oracle in (momentum, rmsprop) else ({},):
        w, path = start(), []
        for d in np.diff(oracle(start(), stream(), 0.05, **options), axis=0, prepend=start()[None]):
            w = (1.0 - 0.05 * 0.1) * w + d
            path.append(w)
        ours = oracle(start(), stream(), 0.05, weight_decay=0.1, decay="decoupled", **options)
        assert apart(ours, np.array(path), start()) < 1e-12


def test_numerator_decay_without_a_denominator() -> None:
    options: dict[str, Any] = {"lr": 0.05, "weight_decay": 0.1}
    numerator, coupled = (sgd(start(), bowl, decay=d, steps=STEPS, **options) for d in ("numerator", "coupled"))
    assert np.array_equal(numerator, coupled)
    beside = momentum(start(), stream(), decay="numerator", lr_inside=False, dampening=0.3, **options)
    apart_from = momentum(start(), stream(), decay="decoupled", lr_inside=False, dampening=0.3, **options)
    assert apart(beside, apart_from, start()) < 1e-12


@pytest.mark.parametrize("options", [{"form": "lookahead"}, {"form": "shifted"}, {"lr_inside": False}])
def test_damped_nesterov_is_nesterov_at_a_smaller_rate(options: dict[str, Any]) -> None:
    damped = nesterov(start(), bowl, 0.1, MU, dampening=MU, steps=STEPS, **options)
    assert apart(damped, nesterov(start(), bowl, (1.0 - MU) * 0.1, MU, steps=STEPS, **options), start()) < 1e-12


def test_decoupled_adam_is_adamw() -> None:
    ours = adam(start(), stream(), weight_decay=0.1, decay="decoupled")
    assert apart(ours, adamw(start(), stream(), weight_decay=0.1), start()) < 1e-12
    assert apart(ours, adam(start(), stream(), weight_decay=0.1), start()) > 1e-3


def test_signum_does_not_see_how_its_momentum_is_scaled() -> None:
    """The sign of a heavy ball, of an average, of a corrected one: the same; without memory signSGD, as is Lion then."""
    w, v, path = start(), np.zeros_like(start()), []
    for g in stream(zeros=False):
        v = 0.9 * v + g
        w = w - 0.01 * np.sign(v)
        path.append(w)
    assert apart(signum(start(), stream(zeros=False), 0.01), np.array(path), start()) < 1e-12
    bare = signsgd(start(), stream(), 0.01)
    assert np.array_equal(signum(start(), stream(), 0.01, beta=0.0), bare)
    assert np.array_equal(lion(start(), stream(), 0.01, beta1=0.0), bare)
    same = lion(start(), stream(zeros=False), 0.01, beta1=0.9, beta2=0.9)
    assert np.array_equal(same, signum(start(), stream(zeros=False), 0.01, beta=0.9))


def test_ademamix_and_adan_without_their_news_are_adam() -> None:
    assert apart(ademamix(start(), stream(), 0.01, alpha=0.0), adam(start(), stream(), 0.01), start()) < 1e-12
    still = adan(start(), stream(), 0.01, 0.1, 0.08, 0.001, bias_correction=True, look=0.0)
    assert apart(still, adam(start(), stream(), 0.01), start()) < 1e-12


def test_adopts_first_gradient_only_measures() -> None:
    path = adopt(start(), stream(zeros=False), 0.01)
    assert np.array_equal(path[0], start())
    assert (
        apart(path[1:2], path[:1] - 0.001 * np.clip(stream(zeros=False)[1] / np.abs(stream(zeros=False)[0]), -1, 1), start())
        < 1e-12
    )
    plain = adopt(start(), stream(), 0.01, clipped=False)
    assert np.max(np.abs(plain - path)) > 1e-2


def test_adamax_with_constant_correction_ends_ten_times_too_fast() -> None:
    wrong = mistakes.adamax_constant_correction_000(np.array(0.0), np.ones(400), 1.0)
    right = adamax(np.array(0.0), np.ones(400), 1.0)
    assert np.diff(wrong)[-1] / np.diff(right)[-1] == pytest.approx(10.0, rel=1e-6)


def test_forgotten_momentum_is_descent_at_316_times_the_rate() -> None:
    wrong = mistakes.rmsprop_momentum_forgotten_004(start(), stream(), 1e-3)
    assert apart(wrong, sgd(start(), stream(), 1e-3 / math.sqrt(1e-5)), start()) < 1e-12


def test_zero_by_zero() -> None:
    """A coordinate without gradient stays; the sources' forms make it NaN."""
    for oracle in (adagrad, adamax, amsgrad, adabound, amsbound):
        options = {"eps_place": "none"} if oracle in (adagrad, adamax) else {}
        path = oracle(start(), stream(), **options)
        assert np.all(np.isfinite(path))
        assert np.all(path[:, 0, 0] == start()[0, 0])
        assert np.all(path[:3, 1] == start()[1])
        assert np.all(path[-1, 1] != start()[1])
    for wrong in (mistakes.adagrad_zero_by_zero_002, mistakes.adamax_zero_by_zero_002):
        assert np.all(np.isnan(wrong(start(), stream())[:, 0, 0]))
    assert np.isnan(mistakes.adam_eps_added_to_step_003(np.zeros(1), np.zeros((1, 1)))[0, 0])
    assert np.isnan(mistakes.adadelta_average_of_delta_000(np.zeros(1), np.ones((2, 1)))[1, 0])


def test_adabound_between_adam_and_sgd() -> None:
    """Bounds that have met: descent along the average at final_lr; bounds far apart (the authors' form): Adam."""
    met = adabound(start(), stream(), gamma=1e12, final_lr=0.25, sqrt_decay=False)
    assert apart(met, momentum(start(), stream(), 0.25, dampening=0.9), start()) < 1e-9
    wide: dict[str, Any] = {"gamma": 1e-15, "final_lr": 1.0, "sqrt_decay": False, "bias_correction": True, "eps": 1e-8}
    assert apart(adabound(start(), stream(), **wide), adam(start(), stream(), eps_place="raw"), start()) < 1e-9


def test_schedule_free_is_an_average() -> None:
    y, z, x = schedule_free_sgd(start(), bowl, 0.1, 0.9, steps=STEPS)
    assert apart(x, mean_of_weights(start(), z), start()) < 1e-12
    assert apart(y, 0.1 * z + 0.9 * x, start()) < 1e-12
    plain = schedule_free_sgd(start(), bowl, 0.1, 0.0, steps=STEPS)  # y = z: descent, and Polyak's average of it
    assert apart(plain.z, sgd(start(), bowl, 0.1, steps=STEPS), start()) < 1e-12


@pytest.mark.parametrize("t0", [0, 7])
def test_averaged_descent_ships_the_mean_of_its_walk(t0: int) -> None:
    """Without a penalty it is descent; with alpha = 0 and one, descent on the penalized loss."""
    plain = asgd(start(), stream(), 0.05, lam=0.0, t0=t0)
    assert apart(plain.w, sgd(start(), stream(), 0.05), start()) < 1e-12
    assert apart(plain.mean, mean_of_weights(start(), plain.w, start=t0 + 1), start()) < 1e-12
    penalized = asgd(start(), stream(), 0.05, lam=0.1, alpha=0.0, t0=t0)
    assert apart(penalized.w, sgd(start(), stream(), 0.05, weight_decay=0.1), start()) < 1e-12


def test_averaged_descent_ahead_is_a_step_late() -> None:
    """Its mean begins one step later, its schedule is that of the step before."""
    ahead = asgd(start(), stream(), halving, 0.1, t0=5.0, ahead=True)
    late = asgd(start(), stream(), lambda t: halving(max(t - 1, 1)), 0.1, t0=6.0)
    assert apart(ahead.w, late.w, start()) < 1e-12
    assert apart(ahead.mean, late.mean, start()) < 1e-12


def test_schedules_and_clipping() -> None:
    assert [constant(0.5)(7), inverse_sqrt(0.5)(4), inverse_time(0.5, 0.25)(5)] == [0.5, 0.25, 0.25]
    assert [warmed_up(constant(1.0), 4)(t) for t in (1, 2, 4, 9)] == [0.25, 0.5, 1.0, 1.0]
    assert clip_by_value([np.array([-3.0, 0.5, 2.0])], 1.0)[0].tolist() == [-1.0, 0.5, 1.0]
    assert clip_by_global_norm([np.array([3.0]), np.array([4.0])], 5.25, eps=1.0)[1][0] == 4.0 * 5.25 / 6.0
    assert clip_by_global_norm([np.array([3.0]), np.array([4.0])], 5.25)[1][0] == 4.0


def test_mean_of_weights_from_a_step_on() -> None:
    mean = mean_of_weights(np.array(0.0), [1.0, 2.0, 4.0, 6.0], start=3)
    assert mean.tolist() == [1.0, 2.0, 4.0, 5.0]


def test_no_steps_and_wrong_calls() -> None:
    assert sgd(start(), []).shape == (0, 4, 5)
    with pytest.raises(ValueError, match="how many steps"):
        sgd(start(), bowl)
    with pytest.raises(ValueError, match="shape"):
        sgd(start(), [np.zeros(3)])
    with pytest.raises(ValueError, match="eps_place='outsde'"):
        adam(start(), stream(), eps_place="outsde")
    assert np.isfinite(df(np.array(1.0)))
