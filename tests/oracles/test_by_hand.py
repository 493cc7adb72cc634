"""Oracles against numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from . import mistakes
from .adabound import adabound
from .adagrad import adagrad
from .adam import adam, nadam
from .eve import eve, eve_v1
from .rmsprop import rmsprop, smorms3
from .schedule_free import schedule_free_adamw, schedule_free_sgd
from .streams import apart, start, stream


@pytest.mark.parametrize("oracle", [adagrad, rmsprop, adam])
def test_numerator_decay_by_hand(oracle: Any) -> None:
    """The accumulators see g = 2 alone, the fraction's top has + 0.5 * 4 = 2 more: twice the step of no decay."""
    plain = oracle(np.array(4.0), [2.0], 0.1)
    assert oracle(np.array(4.0), [2.0], 0.1, weight_decay=0.5, decay="numerator")[0] - 4.0 == pytest.approx(
        2.0 * (plain[0] - 4.0), rel=1e-12
    )


def test_the_places_of_epsilon() -> None:
    """One step, g = 0.01, eps = 1e-4: four closed forms; without eps they are one walk."""
    g, eps = 0.01, 1e-4
    root = math.sqrt(0.001)
    want = {
        "outside": g / (g + eps),
        "inside": g / math.sqrt(g * g + eps),
        "raw": root * g / (root * g + eps),
        "inside_raw": root * g / math.sqrt(0.001 * g * g + eps),
    }
    for place, step in want.items():
        assert adam(np.array(0.0), [g], 1.0, eps=eps, eps_place=place)[0] == pytest.approx(-step, rel=1e-12)
    walks = [adam(start(), stream(zeros=False), eps=0.0, eps_place=place) for place in want]
    assert max(apart(walks[0], other, start()) for other in walks) < 1e-12


def test_epsilon_inside_the_raw_moment_stifles_small_gradients() -> None:
    first = [adam(np.array(0.0), [g], 1.0, eps_place="inside_raw")[0] for g in (1e-2, 1e-3, 1e-4)]
    assert first == pytest.approx([-0.9535, -0.3015, -0.0316], abs=1e-4)


def test_constant_correction() -> None:
    """Source 003 and 004's Adam on a constant gradient, in units of lr: 1 at first, 2.077 at its height (t = 12), 0.316
    in the end.
    """
    path = mistakes.adam_without_powers_004(np.array(0.0), np.ones(20000), 1.0, eps=0.0)
    step = -np.diff(path, prepend=0.0)
    assert [step[0], step[11], step[99], step[999]] == pytest.approx([1.0, 2.077, 1.025, 0.398], abs=1e-3)
    assert int(np.argmax(step)) == 11
    assert step[-1] == pytest.approx(math.sqrt(0.1), abs=1e-3)
    right = adam(np.array(0.0), np.ones(1000), 1.0, eps=0.0)
    np.testing.assert_allclose(-np.diff(right, prepend=0.0), 1.0, rtol=1e-12)


def test_smorms3_by_hand() -> None:
    """g = 3: r = 1/2, x = 1/2, step lr sqrt(2); then g = -1: mem = 1.5, r = 0.4, g1 = 0.5, g2 = 3.1, x = 0.25 / 3.1 <
    lr = 0.2.
    """
    path = smorms3(np.array(0.0), [3.0, -1.0], 0.2)
    assert path[0] == pytest.approx(-0.2 * math.sqrt(2.0), rel=1e-12)
    assert path[1] - path[0] == pytest.approx(0.25 / 3.1 / math.sqrt(3.1), rel=1e-12)
    damped = smorms3(np.array(0.0), [3.0], 1.0, eps=0.5)  # x = 2.25 / 5 < lr, over sqrt(4.5) + 0.5
    assert damped[0] == pytest.approx(-3.0 * 0.45 / (math.sqrt(4.5) + 0.5), rel=1e-12)


def test_eve_by_hand() -> None:
    """beta3 = 0: losses 3, 2, 2.5 give d = |2 - 3| / 2 and |2.5 - 2| / 2; the step is Adam's divided by d."""
    g = np.array([1.0, 2.0, -1.0])
    step = np.diff(adam(np.array(0.0), g, 0.1), prepend=0.0)
    d = np.array([1.0, 0.5, 0.25])
    got = eve(np.array(0.0), g, [3.0, 2.0, 2.5], 0.1, beta3=0.0)
    np.testing.assert_allclose(np.diff(got, prepend=0.0), step / d, rtol=1e-12)
    still = eve(np.array(0.0), g, [2.0, 2.0, 2.0], 0.1, beta3=0.0)  # d = 0, clipped to 1/10
    np.testing.assert_allclose(np.diff(still, prepend=0.0), step * [1.0, 10.0, 10.0], rtol=1e-12)
    ends = eve(np.array(0.0), g, [2.0, 0.0, 0.0], 0.1, beta3=0.0)  # d = 2/0 -> 10; 0/0 -> 1
    np.testing.assert_allclose(np.diff(ends, prepend=0.0), step / [1.0, 10.0, 1.0], rtol=1e-12)


def test_eve_averages_d() -> None:
    """f* = -1, beta3 = 1/2: d = 1/3 and 1/6, averaged 2/3 and 5/12."""
    g = np.array([1.0, 2.0, -1.0])
    step = np.diff(adam(np.array(0.0), g, 0.1), prepend=0.0)
    got = eve(np.array(0.0), g, [3.0, 2.0, 2.5], 0.1, beta3=0.5, fstar=-1.0)
    np.testing.assert_allclose(np.diff(got, prepend=0.0), step / [1.0, 2.0 / 3.0, 5.0 / 12.0], rtol=1e-12)


def test_eve_of_2016_by_hand() -> None:
    """k = 0.1, K = 10. The loss the method remembers: 1, 1.1 (for 1.05), 0.55, 0.5 (for 0.54), 5.5 (for 100), 0.5 (for 0)."""
    g = np.array([1.0, 2.0, -1.0, 0.5, 1.0, 1.0])
    losses = [1.0, 1.05, 0.55, 0.54, 100.0, 0.0]
    r = [0.1, 1.0, 0.1, 10.0, 10.0]
    step = np.diff(adam(np.array(0.0), g, 0.1, eps=0.0), prepend=0.0)
    got = eve_v1(np.array(0.0), g, losses, 0.1, beta3=0.0, eps=0.0)
    np.testing.assert_allclose(np.diff(got, prepend=0.0), step / [1.0, *r], rtol=1e-12)
    d = [1.0]
    for x in r:
        d.append(0.75 * d[-1] + 0.25 * x)
    got = eve_v1(np.array(0.0), g, losses, 0.1, beta3=0.75, eps=0.0)
    np.testing.assert_allclose(np.diff(got, prepend=0.0), step / d, rtol=1e-12)
    outside = eve_v1(np.array(0.0), [1.0, 1.0], losses[:2], 1.0, beta3=0.0, eps=0.5)  # d = 1 and 0.1, mhat = vhat = 1
    np.testing.assert_allclose(np.diff(outside, prepend=0.0), [-1.0 / 1.5, -1.0 / 0.6], rtol=1e-12)


@pytest.mark.parametrize(
    ("final_lr", "bound_eps", "rate"),
    [
        (0.1, 0.0, 0.1 * math.sqrt(0.4375) / 0.75 / (math.sqrt(1.75) + 0.5)),
        (1.0, 0.0, 0.25),
        (0.01, 0.0, 0.01),
        (0.01, 1.0, 0.0075),
    ],
)
def test_adabound_by_hand(final_lr: float, bound_eps: float, rate: float) -> None:
    """The authors' form, second step: m = 1.5, v = 1.75; bounds f/2 (1 - 1/2) and f/2 (1 + 1/(1 + bound_eps)): the rate has halved."""
    path = adabound(
        np.array(0.0), [2.0, 2.0], lambda t: 0.2 / t, 0.5, 0.75, final_lr, 0.5, 0.5, bound_eps, False, True, scale_final=True
    )
    assert path[1] - path[0] == pytest.approx(-1.5 * rate, rel=1e-12)


def test_nadam_by_hand() -> None:
    """One step, constant mu, nu = 0, g = 2: mhat = mu (1 - mu) g / (1 - mu^2) + g; without its nu the root is |g|."""
    got = nadam(np.array(0.0), [2.0], 0.1, mu=0.5, nu=0.0, eps=0.0, schedule=False, nu_factor=False)
    assert got[0] == pytest.approx(-0.1 * (0.5 * 0.5 / 0.75 + 1.0), rel=1e-12)
    warm = 0.975 * (1.0 - 0.5 * 0.96**0.004), 0.975 * (1.0 - 0.5 * 0.96**0.008)
    mhat = warm[1] * (1.0 - warm[0]) / (1.0 - warm[0] * warm[1]) + 1.0
    assert nadam(np.array(0.0), [2.0], 0.1, eps=0.0)[0] == pytest.approx(-0.1 * mhat / math.sqrt(0.999), rel=1e-12)


def test_schedule_free_weighs_by_the_squared_rate() -> None:
    """Rates 1 and 1/2: z = -1, -1.5; c = 1, then (1/4) / (5/4) = 0.2; equal weights would give 0.5."""
    walks = schedule_free_sgd(np.array(0.0), [1.0, 1.0], lambda t: 1.0 / t, 0.5)
    assert walks.z.tolist() == [-1.0, -1.5]
    np.testing.assert_allclose(walks.x, [-1.0, -1.1], rtol=1e-12)
    np.testing.assert_allclose(walks.y, [-1.0, -1.3], rtol=1e-12)
    equal = schedule_free_sgd(np.array(0.0), [1.0, 1.0], lambda t: 1.0 / t, 0.5, average="equal")
    np.testing.assert_allclose(equal.x, [-1.0, -1.25], rtol=1e-12)


def test_schedule_free_adamw_as_printed() -> None:
    """Algorithm 1: g = 2, beta2 = 3/4: v = 1, 1.75; gamma = 0.1 sqrt(0.25) and 0.1 sqrt(0.4375); decay 0.1 at y."""
    walks = schedule_free_adamw(np.array(1.0), [2.0, 2.0], 0.1, 0.5, 0.75, 0.5, 0.1, correction="rate")
    z1 = 1.0 - 0.05 * (2.0 / 1.5 + 0.1)
    gamma = 0.1 * math.sqrt(0.4375)
    z2 = z1 - gamma * (2.0 / (math.sqrt(1.75) + 0.5) + 0.1 * z1)
    c = 0.4375 / (0.25 + 0.4375)
    np.testing.assert_allclose(walks.z, [z1, z2], rtol=1e-12)
    np.testing.assert_allclose(walks.x, [z1, (1.0 - c) * z1 + c * z2], rtol=1e-12)
