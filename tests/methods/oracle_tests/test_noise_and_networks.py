"""Santa, AdaSecant and the learned optimizer: what can be said of them by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from oracles import mistakes
from oracles.adasecant import adasecant, adasecant_j
from oracles.common import Array
from oracles.learned import learned, preprocess, random_weights
from oracles.santa import santa, santa_e, santa_sss
from oracles.streams import STEPS, apart, start, stream

DRAW = np.random.default_rng(5)
NOISE = DRAW.standard_normal((STEPS, *start().shape))
U0 = DRAW.standard_normal(start().shape)


@pytest.mark.parametrize("oracle", [santa_e, santa_sss])
def test_santa_rests_without_a_gradient(oracle: Any) -> None:
    """As printed the coordinate leaves by hundreds in one step; at rest it stays, and its neighbours do not notice."""
    rest = oracle(start(), stream(), NOISE, U0, 1e-2)
    printed = oracle(start(), stream(), NOISE, U0, 1e-2, rest=False)
    assert np.all(rest[:, 0, 0] == start()[0, 0])
    assert abs(printed[0, 0, 0] - start()[0, 0]) > 100.0
    always = stream(zeros=False)
    assert apart(oracle(start(), always, NOISE, U0), oracle(start(), always, NOISE, U0, rest=False), start()) < 1e-12
    assert np.all(rest[7] == rest[6])
    assert np.all(rest[2, 1] == start()[1])
    assert np.all(rest[3, 1] != start()[1])


@pytest.mark.parametrize("oracle", [santa_e, santa_sss])
def test_santa_refines_without_noise(oracle: Any) -> None:
    at_once = oracle(start(), stream(), NOISE, U0, burnin=0)
    assert np.array_equal(at_once, oracle(start(), stream(), np.full_like(NOISE, np.nan), U0, burnin=0))
    assert not np.array_equal(oracle(start(), stream(), NOISE, U0), oracle(start(), stream(), -NOISE, U0))


@pytest.mark.parametrize("oracle", [santa_e, santa_sss])
def test_santa_survives_a_small_u(oracle: Any) -> None:
    """g_0 = 0 makes the kick eta / (beta u) at once: with u = 1e-9 sqrt(eta) the printed form leaves the world in one
    step.
    """
    tiny = np.full_like(U0, 1e-9)
    options: dict[str, Any] = {"lr": 1e-6, "g0": "zero", "lam": 1e-4}
    assert np.max(np.abs(oracle(start(), stream(), NOISE, tiny, **options)[0] - start())) < 1.0
    assert np.max(np.abs(oracle(start(), stream(), NOISE, tiny, guard=0.0, **options)[0] - start())) > 1e7
    assert np.all(np.isfinite(oracle(start(), stream(), NOISE, 0.0 * U0, guard=0.0, **options)[0]))


@pytest.mark.parametrize("oracle", [santa_e, santa_sss])
def test_santa_without_the_curvature_term(oracle: Any) -> None:
    """The term counts the change of g: it is gone at the first step (g_0 = g_1), and not after."""
    whole, without = (oracle(start(), stream(zeros=False), NOISE, U0, 1e-6, curvature=c) for c in (True, False))
    assert np.array_equal(whole[0], without[0])
    assert apart(whole, without, start()) > 1e-4


def test_santa_by_hand() -> None:
    """One number, eta = 0.01, N = 10, lam = 0, g = 2, then 2 again: v = 0.05 * 4 and 0.0975 * 4; u0 = 0.3, C = 5, noise
    1 and -1.
    """
    G = np.array([(0.05 * 4.0) ** -0.25, (0.0975 * 4.0) ** -0.25])
    eta, f, before = 0.01, 20.0, np.array([G[0], G[0]])
    u, alpha, w = 0.03, 0.5, 1.0
    for t in (1, 2):
        b = math.sqrt(t)
        alpha += u * u - eta / b
        kick = eta / b * (1.0 - before[t - 1] / G[t - 1]) / u
        noise = math.sqrt(2.0 * eta / b * before[t - 1]) * (1.0, -1.0)[t - 1]
        u = kick + noise + (1.0 - alpha) * u - eta * G[t - 1] * f
        w += G[t - 1] * u
    got = santa_e(np.array(1.0), [2.0, 2.0], [1.0, -1.0], np.array(0.3), 0.01, N=10, lam=0.0, guard=0.0)
    assert got[1] == pytest.approx(w, rel=1e-12)


def test_santa_guard_by_hand() -> None:
    """guard = 1,000 holds |u| at 1,000 sqrt(eta / beta_2) in the second step: the kick shrinks to what that leaves of
    it.
    """
    G = [(0.05 * 4.0) ** -0.25, (0.0975 * 4.0) ** -0.25]
    last = []
    for guard in (1000.0, math.inf):
        path = santa_e(np.array(1.0), [2.0, 2.0], [1.0, -1.0], np.array(0.3), 0.01, lam=0.0, guard=guard)
        last.append((path[1] - path[0]) / G[1])
    temperature = 0.01 / math.sqrt(2.0)
    kick = temperature * (1.0 - G[0] / G[1]) / (1000.0 * math.sqrt(temperature))
    assert abs(last[0] - last[1]) == pytest.approx(abs(kick), rel=1e-6)


def test_santa_splitting_by_hand() -> None:
    """Refinement only: alpha stays sqrt(eta) C = 0.5; w moves by G u/2 before and after."""
    G = (0.05 * 4.0) ** -0.25
    u = math.exp(-0.25) * (math.exp(-0.25) * 0.03 - 0.01 * G * 20.0)
    got = santa_sss(np.array(1.0), [2.0], [0.0], np.array(0.3), 0.01, N=10, lam=0.0, burnin=0)
    assert got[0] == pytest.approx(1.0 + G * (0.03 + u) / 2.0, rel=1e-12)


def test_santa_splitting_explores() -> None:
    """Along one stream of gradients, u is the same in the source's code, whose result was printed (`test_sources.py`),
    and w alone differs: it moved by d_t = G_t u_t / 2; the lost half is G_t u_(t-1) / 2 = d_(t-1) G_t / G_(t-1).
    """
    g = stream(zeros=False)
    wrong = mistakes.santa_sss_002(start(), g, NOISE, U0, 1e-4, lam=1e-3, burnin=25, N=1.0)
    v, G = np.zeros_like(start()), []
    for x in g:
        v = 0.95 * v + 0.05 * x * x
        G.append(1.0 / np.sqrt(1e-3 + np.sqrt(v)))
    d = np.diff(wrong, axis=0, prepend=start()[None])
    lost = [0.5 * G[0] * 1e-2 * U0] + [d[t - 1] * G[t] / G[t - 1] for t in range(1, len(g))]
    right = santa_sss(start(), g, NOISE, U0, 1e-4, lam=1e-3, burnin=25, g0="zero", guard=0.0)
    assert apart(right, start() + np.cumsum(d + np.array(lost), axis=0), start()) < 1e-12


def test_santa_scales_the_gradient_by_the_data() -> None:
    """Without noise, ten times the data at a tenth of the rate is the same walk: v is of the mean gradient, the drift
    of the whole.
    """
    still: dict[str, Any] = {"burnin": 0, "C": 0.0, "lam": 1e-4}
    a = santa(start(), stream(), NOISE, 0.0 * U0, "euler", 1e-5, N=10, **still)
    b = santa(start(), stream(), NOISE, 0.0 * U0, "euler", 1e-4, N=1, **still)
    assert apart(a, b, start()) < 1e-12
    c = santa(start(), stream(), NOISE, 0.0 * U0, "euler", 1e-4, N=1, gradient_scale=10.0, **still)
    assert apart(b, c, start()) > 1e-2


def hilly(w: Array) -> Array:
    return np.linspace(0.1, 5.0, 10) * w


@pytest.mark.parametrize("oracle", [adasecant, adasecant_j])
def test_adasecant_needs_no_rate(oracle: Any) -> None:
    """A bowl of curvatures 0.1 ... 5 from f = 94, no rate given: f < 1e-4 after 2,000 steps."""
    p = np.full(10, math.sqrt(2.0 * 94.0 / 25.5))
    w = oracle(p, hilly, steps=2000)[-1]
    assert 0.5 * float(w @ hilly(w)) < 1e-4


def test_adasecant_by_hand() -> None:
    """The first step of a block (3, 4): every average still holds its 1e-7, tau is 2.1."""
    e = 1e-7
    g = np.array([3.0, 4.0]) / (5.0 + e)
    tau = 2.1 * (1.0 + e)
    mg = 0.95 * e + 0.05 * g
    gam = math.sqrt(e) / math.sqrt(2.0 * e)
    a2 = e + ((g - e) ** 2 - e) / tau
    eta = np.sqrt(g * g + e) / np.sqrt(a2 + e) - e / (a2 + e)
    got = adasecant(np.zeros(2), [[3.0, 4.0]])
    np.testing.assert_allclose(got[0], -eta * (g + gam * mg) / (1.0 + gam), rtol=1e-12)
    assert not np.allclose(adasecant(np.zeros(2), [[3.0, 4.0]], start_var_reduction=1)[0], got[0])


def test_adasecant_does_not_see_the_scale_of_the_loss() -> None:
    g = stream(steps=10, zeros=False)
    assert apart(adasecant(start(), g), adasecant(start(), 64.0 * g), start()) < 1e-5
    raw = [adasecant_j(start(), scale * g, norm_of="raw") for scale in (1.0, 64.0)]
    assert apart(raw[0], raw[1], start()) < 1e-5
    assert apart(raw[0], adasecant_j(start(), g), start()) > 1e-6


def test_learned_optimizer() -> None:
    """5,141 numbers or 5,061; every coordinate alone; the output scaled."""
    with_log, without = random_weights(0), random_weights(0, preprocessing=False)
    assert sum(a.size for a in with_log.values()) == 5141
    assert sum(a.size for a in without.values()) == 5061
    g = stream(steps=8)
    path = learned(start(), g, with_log)
    assert path.shape == g.shape
    turned = learned(start().T, g.transpose(0, 2, 1), with_log)
    assert np.array_equal(path.transpose(0, 2, 1), turned)
    alone = learned(start()[2, 3], g[:, 2, 3], with_log)
    np.testing.assert_allclose(alone, path[:, 2, 3], rtol=1e-12)
    assert apart(10.0 * (path - start()), learned(0.0 * start(), g, with_log, scale=1.0), 0.0 * start()) < 1e-12
    assert apart(path, learned(start(), g, without, preprocessing=False), start()) > 1e-3


def test_preprocessing() -> None:
    assert preprocess(math.e) == pytest.approx([0.1, 1.0])
    assert preprocess(-math.exp(-5.0)) == pytest.approx([-0.5, -1.0])
    assert preprocess(-0.5 * math.exp(-10.0)) == pytest.approx([-1.0, -0.5])
    assert preprocess(0.0) == [-1.0, 0.0]
    assert preprocess(math.exp(-10.0)) == pytest.approx([-1.0, 1.0])
