"""Oracles against what in optax is more than one call: wrapped transformations, stages before and after, schedules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles.mechanic import mechanic_adam
from oracles.muon import muon
from oracles.optax_walks import float64, jax, optax, walk
from oracles.schedule_free import schedule_free_adamw, schedule_free_sgd
from oracles.stages import clip_by_global_norm, cosine, ema_of_weights, exponential, linear
from oracles.streams import apart, halving, start, stream

EXACT = (3.5, -4.75, 2.0)
"""optax keeps the coefficients in float32; it has these whole."""


@pytest.mark.parametrize("lr", [pytest.param(2.0**-6, marks=pytest.mark.slow), halving])
@pytest.mark.parametrize("nesterov", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.1}, {"consistent_rms": 0.2}])
def test_muon(more: dict[str, Any], nesterov: bool, lr: Any) -> None:
    theirs = walk(lambda lr: optax.contrib.muon(lr, ns_coeffs=EXACT, nesterov=nesterov, **more), lr)
    options: dict[str, Any] = {
        "coefficients": EXACT,
        "nesterov": nesterov,
        "eps": 1e-8,
        "weight_decay": more.get("weight_decay", 0.0),
    }
    scale = "match_rms_adamw" if "consistent_rms" in more else "transposed"
    ours = muon(start(), stream(), lr, momentum="corrected", scale=scale, **options)
    assert apart(ours, theirs, start()) < 1e-12
    other = muon(
        start(),
        stream(),
        lr,
        momentum="average" if nesterov else "corrected",
        scale="original" if scale == "transposed" else "none",
        **options,
    )
    assert apart(other, theirs, start()) > 1e-2


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_schedule_free_adamw(decay: float) -> None:
    """The points where gradients are taken. (At a rate that falls optax goes on weighing with the largest rate so far.)"""
    lr = 2.0**-6
    theirs = walk(lambda lr: optax.contrib.schedule_free_adamw(lr, b1=0.9, b2=0.992, eps=1e-3, weight_decay=decay), lr)
    ours = schedule_free_adamw(start(), stream(), lr, 0.9, 0.992, 1e-3, decay)
    paper = schedule_free_adamw(start(), stream(), lr, 0.9, 0.992, 1e-3, decay, correction="rate")
    assert apart(ours.y, theirs, start()) < 1e-12
    assert apart(paper.y, theirs, start()) > 1e-3


def test_schedule_free_sgd() -> None:
    theirs = walk(lambda lr: optax.contrib.schedule_free_sgd(lr), 2.0**-6)
    ours = schedule_free_sgd(start(), stream(), 2.0**-6)
    printed = schedule_free_sgd(start(), stream(), 2.0**-6, average="equal", start_counts=True)
    assert apart(ours.y, theirs, start()) < 1e-12
    assert apart(printed.y, theirs, start()) > 1e-3


@pytest.mark.parametrize("limit", [0.5, 1e3])
def test_clip_by_global_norm(limit: float) -> None:
    g = [stream()[5], stream()[6][0]]
    with float64():
        tx = optax.clip_by_global_norm(limit)
        theirs, _ = tx.update([jax.numpy.asarray(a) for a in g], tx.init(g))
    for ours, other in zip(clip_by_global_norm(g, limit), theirs, strict=True):
        np.testing.assert_allclose(ours, np.asarray(other), rtol=1e-12)


def test_average_of_weights() -> None:
    path = stream()
    with float64():
        tx = optax.ema(0.9, debias=True)
        state = tx.init(jax.numpy.asarray(start()))
        theirs = []
        for w in path:
            e, state = tx.update(jax.numpy.asarray(w), state)
            theirs.append(np.asarray(e))
    np.testing.assert_allclose(ema_of_weights(start(), path, 0.9, debias=True), np.array(theirs), rtol=1e-12)


def test_schedules() -> None:
    with float64():
        pairs = [
            (exponential(0.1, 0.9), optax.exponential_decay(0.1, 1, 0.9)),
            (cosine(0.1, 29), optax.cosine_decay_schedule(0.1, 29)),
            (linear(0.1, 29, 0.01), optax.linear_schedule(0.1, 0.01, 29)),
        ]
        for ours, theirs in pairs:
            for t in range(1, 41):
                assert ours(t) == pytest.approx(float(theirs(jax.numpy.asarray(t - 1))), rel=1e-12, abs=1e-17)


@pytest.mark.parametrize("lr", [1.0, halving])
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.3, "s_init": 1e-2}])
def test_mechanic_in_optax_is_the_authors(options: dict[str, Any], lr: Any) -> None:
    """It cuts products off, remembers sums below 0, and works Delta out from where it is; the paper does not."""
    theirs = walk(lambda lr: optax.contrib.mechanize(optax.adam(lr), **options), lr)
    options = {"s_init": 1e-6, **options}
    ours = mechanic_adam(start(), stream(), lr, form="optax", recomputed=True, **options)
    kept = mechanic_adam(start(), stream(), lr, form="optax", **options)
    paper = mechanic_adam(start(), stream(), lr, **options)
    assert apart(ours, theirs, start()) < 1e-12
    forgotten = 1e-8 / options["s_init"]  # of Delta, at each step while the scale is what it was at first
    assert forgotten < apart(kept, theirs, start()) < 100 * forgotten
    assert apart(paper, theirs, start()) > 0.1


@pytest.mark.parametrize("rho", [0.05, 0.7])
def test_sam(rho: float) -> None:
    """Foret et al. 2021, arXiv 2010.01412, Algorithm 1: optax's, asked for its gradients at once, and the plain loop."""
    A = np.linspace(-1.0, 1.0, 20).reshape(4, 5)

    def slope(w: Any) -> Any:
        return w + A * w**2

    with float64():
        tx = optax.contrib.sam(
            optax.sgd(0.05),
            optax.chain(optax.contrib.normalize(), optax.sgd(rho)),
            opaque_mode=True,
            reset_state=True,
        )
        w = jax.numpy.asarray(start())
        state = tx.init(w)
        ours = start()
        for _ in range(200):
            updates, state = tx.update(slope(w), state, w, grad_fn=lambda p, _: slope(p))
            w = optax.apply_updates(w, updates)
            g = slope(ours)
            ours = ours - 0.05 * slope(ours + rho * g / np.sqrt(np.sum(g * g)))
        assert np.abs(ours - np.asarray(w)).max() <= 1e-12 * np.abs(ours - start()).max()
        assert np.abs(ours - start()).max() > 0.1
