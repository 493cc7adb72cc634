"""Oracles against numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from oracles import mistakes
from oracles.adabound import adabound
from oracles.adafactor import adafactor
from oracles.adagrad import adagrad
from oracles.adam import adam, nadam, radam, sparse_adam
from oracles.asgd import asgd
from oracles.eve import eve, eve_v1
from oracles.muon import POST, by_singular_values, muon, newton_schulz, to_bfloat16
from oracles.rmsprop import rmsprop, smorms3
from oracles.rprop import rprop
from oracles.schedule_free import schedule_free_adamw, schedule_free_sgd
from oracles.streams import apart, start, stream


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


def test_radam_by_hand() -> None:
    """beta2 = 0.875: rho_inf = 15, rho = 1, 1.93, 2.81, 3.62, 4.38 (momentum until there, by the paper's threshold 4) ..."""
    g = np.full(5, 2.0)
    path = radam(np.array(0.0), g, 0.1, beta2=0.875)
    rho = 15.0 - 10.0 * 0.875**5 / (1.0 - 0.875**5)
    assert 4.0 < rho < 5.0
    r = math.sqrt((rho - 4.0) * (rho - 2.0) * 15.0 / (11.0 * 13.0 * rho))
    np.testing.assert_allclose(np.diff(path, prepend=0.0), [-0.2, -0.2, -0.2, -0.2, -0.1 * r], rtol=1e-12)
    torchs = radam(np.array(0.0), g, 0.1, beta2=0.875, threshold=5.0)
    np.testing.assert_allclose(np.diff(torchs, prepend=0.0), -0.2, rtol=1e-12)
    never = radam(np.array(0.0), np.full(60, 2.0), 0.1, beta2=0.6)  # rho_inf = 4
    np.testing.assert_allclose(np.diff(never, prepend=0.0), -0.2, rtol=1e-12)


def test_sparse_adam_by_hand() -> None:
    """A gradient 2, nine rests, a gradient 2 again: m = 0.38, v = 0.007996; t is 11. One that comes first at t = 10000 is
    hardly corrected: (1 - beta1) / sqrt(1 - beta2).
    """
    path = sparse_adam(np.array(0.0), [2.0] + [0.0] * 9 + [2.0], 0.1, eps=0.0)
    second = 0.1 * (0.38 / (1.0 - 0.9**11)) / math.sqrt(0.007996 / (1.0 - 0.999**11))
    np.testing.assert_allclose(path, [-0.1] * 10 + [-0.1 - second], rtol=1e-12)
    late = sparse_adam(np.array(0.0), [0.0] * 9999 + [2.0], 1.0)
    assert late[-1] == pytest.approx(-0.1 / math.sqrt(0.001), rel=1e-4)


def test_asgd_by_hand() -> None:
    """lam = 1/2, lr = 1, alpha = 1: rates 1, 2/3, 1/2; w = 4 -> 1 -> 0 -> -1/2 -> ...; means after t0 = 1: of w_2, w_3."""
    walks = asgd(np.array(4.0), [1.0, 1.0, 1.0], 1.0, 0.5, 1.0, t0=1.0)
    w = [1.0, 1.0 * (1.0 - 1.0 / 3.0) - 2.0 / 3.0, -0.5]
    np.testing.assert_allclose(walks.w, w, rtol=1e-12)
    np.testing.assert_allclose(walks.mean, [w[0], w[1], (w[1] + w[2]) / 2.0], rtol=1e-12)
    plain = asgd(np.array(4.0), [1.0, 1.0, 1.0], 1.0, 0.5, 1.0)
    np.testing.assert_allclose(plain.mean, [w[0], (w[0] + w[1]) / 2.0, sum(w) / 3.0], rtol=1e-12)


def test_rprop_by_hand() -> None:
    """Steps 0.1, 0.12, then a turn: the size is halved, and the last step stays (or is taken back); then 0.06, then 0.072."""
    g = [3.0, 0.5, -7.0, -1.0, -2.0]
    rests = rprop(np.array(0.0), g, 0.1)
    np.testing.assert_allclose(rests, [-0.1, -0.22, -0.22, -0.16, -0.088], rtol=1e-12)
    back = rprop(np.array(0.0), g, 0.1, backtracking=True)
    np.testing.assert_allclose(back, [-0.1, -0.22, -0.1, -0.04, 0.032], rtol=1e-12)
    bounded = rprop(np.array(0.0), g, 0.1, size_min=0.09, size_max=0.11)
    np.testing.assert_allclose(bounded, [-0.1, -0.21, -0.21, -0.12, -0.012], rtol=1e-12)


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


def test_newton_schulz_moves_singular_values_alone() -> None:
    """The loop of the post and phi on the singular values; their products with one factor 1 / ||G|| or with several."""
    for shape in ((4, 5), (5, 4), (3, 3), (1, 6)):
        g = np.random.default_rng(0).standard_normal(shape)
        for floor in (False, True):
            loop = newton_schulz(g, POST, 5, 1e-7, floor)
            np.testing.assert_allclose(loop, by_singular_values(g, POST, 5, 1e-7, floor, "frobenius"), rtol=0, atol=1e-14)
        assert np.all(np.abs(np.linalg.svd(loop)[1] - 0.9) < 0.3), "not 1, but near"
    exact = newton_schulz(np.diag([3.0, 4.0]), (1.5, -0.5, 0.0), 40, 0.0, False)
    np.testing.assert_allclose(exact, np.eye(2), rtol=0, atol=1e-14)
    assert np.all(newton_schulz(np.zeros((2, 3)), POST, 5, 1e-7, False) == 0)


def test_one_step_of_muon_on_a_diagonal_matrix() -> None:
    """G = diag(3, 4) / 5 has the norm 1; one round: a x + b x^3 + c x^5 at 0.6 and 0.8, with a, b, c = 2, -1.5, 0.5."""
    step = muon(np.zeros((2, 2)), [np.diag([3.0, 4.0])], 1.0, 0.0, ns_steps=1, coefficients=(2.0, -1.5, 0.5), eps=0.0)
    np.testing.assert_allclose(step[0], -np.diag([0.91488, 0.99584]), rtol=1e-12)
    wide = muon(np.zeros((1, 4)), [np.array([[3.0, 0.0, 0.0, 4.0]])], 1.0, 0.0, ns_steps=1, coefficients=(0.5, 0.0, 0.0), eps=5.0)
    np.testing.assert_allclose(wide[0], [[-0.15, 0.0, 0.0, -0.2]], rtol=1e-12)
    tall = muon(
        np.zeros((4, 1)),
        [np.array([[3.0], [0.0], [0.0], [4.0]])],
        1.0,
        0.0,
        ns_steps=1,
        coefficients=(0.5, 0.0, 0.0),
        eps=5.0,
        eps_place="floor",
    )
    np.testing.assert_allclose(tall[0].T, [[-0.6, 0.0, 0.0, -0.8]], rtol=1e-12)


def test_rounding_to_bfloat16() -> None:
    given = [1.0, 1.0 + 2.0**-8, 1.0 + 3 * 2.0**-8, 1.0 + 2.0**-8 + 2.0**-20, -0.3, 0.0]
    assert to_bfloat16(np.array(given)).tolist() == [1.0, 1.0, 1.0 + 2.0**-6, 1.0 + 2.0**-7, -0.30078125, 0.0]


def test_two_steps_of_adafactor() -> None:
    """Algorithm 4 on [[1, 2], [3, 4]], then on ones: sums of squares 5, 25 and 10, 20; V = R C / 30."""
    one, ones = np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2))
    first, second = adafactor(np.full((2, 2), 2.0), [one, ones], 0.5, eps1=0.0, d=10.0)
    u = one / np.sqrt(np.array([[50.0, 100.0], [250.0, 500.0]]) / 30.0)
    np.testing.assert_allclose(first, 2.0 - 2.0 * 0.5 * u, rtol=1e-12)
    share = 2.0**-0.8
    rows, columns = np.array([[5.0], [25.0]]) * (1 - share) + 2 * share, np.array([[10.0, 20.0]]) * (1 - share) + 2 * share
    v = rows * columns / (30.0 * (1 - share) + 4 * share)
    size = math.sqrt(np.mean(first**2))
    np.testing.assert_allclose(second, first - size * 0.5 / np.sqrt(v), rtol=1e-12)
    flat = adafactor(np.full(4, 2.0), [one.ravel()], 0.5, eps1=0.0, d=0.5)
    np.testing.assert_allclose(flat[0], 2.0 - 2.0 * 0.5 * 0.5, rtol=1e-12)  # U = sign(G), clipped to an RMS of 0.5
    small = adafactor(np.zeros(2), [np.array([1e-3, -1e-3])], 1.0, eps1=0.0)
    np.testing.assert_allclose(small[0], [-1e-3, 1e-3], rtol=1e-12)  # eps2, where the parameter has no size
