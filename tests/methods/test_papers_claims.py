"""What papers say of their methods beside the update: where they rest, what they land on, what they are the same as."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles import acprop, adam, layerwise
from support import SHAPES, run, stream

import thalweg as tw


def test_scion_light_walks_as_scion() -> None:
    """Its gradient is added to what is left of the one before: the average over 1 - mu, of which the ball's point is the same."""
    params, gradients, _ = stream()
    light = tw.chain(
        tw.momentum(0.9),
        tw.choose((tw.is_matrix, tw.ball_minimizer("spectral", 50.0)), otherwise=tw.ball_minimizer("rms", 50.0)),
        tw.decay(1.0),
    )
    (path, _), (scion, _) = run(light, params, gradients, lr=2e-3), run(tw.rules["scion_light"](), params, gradients)
    for name in SHAPES:  # of matrices the iteration begins with an epsilon beside the norm
        apart = max(np.abs(p[name] - q[name]).max() for p, q in zip(path, scion, strict=True))
        assert apart <= (1e-3 if name == "w" else 1e-12)


@pytest.mark.parametrize("place", ["outside", "raw"])
def test_sparse_adam_rests_where_there_is_no_gradient(place: Any) -> None:
    params, gradients, _ = stream()
    draw = np.random.default_rng(1)
    sparse = [{k: g * (draw.uniform(size=np.shape(g)) < 0.2) for k, g in each.items()} for each in gradients]
    sparse[7] = {k: 0.0 * g for k, g in sparse[7].items()}
    eps = tw.outside(1e-8, raw=place == "raw")
    path, _ = run(tw.sparse_adam(eps=eps), params, sparse, lr=0.01)
    dense, _ = run(tw.adam(eps=eps), params, sparse, lr=0.01)
    for name in SHAPES:
        mine = np.array([p[name] for p in path])
        truth = adam.sparse_adam(params[name], [g[name] for g in sparse], 0.01, eps_place=place)
        assert np.abs(mine - truth).max() <= 1e-12
        still = np.array([g[name] for g in sparse[1:]]) == 0
        assert still.any()
        assert np.array_equal(mine[1:][still], mine[:-1][still])
        assert np.abs(mine[-1] - dense[-1][name]).max() > 1e-3


@pytest.mark.parametrize("raw", [False, True])
def test_sparse_adam_is_adam_where_no_gradient_is_zero(raw: bool) -> None:
    params, gradients, _ = stream()
    paths = [run(rule(eps=tw.outside(1e-8, raw=raw)), params, gradients)[0] for rule in (tw.sparse_adam, tw.adam)]
    for ours, theirs in zip(*paths, strict=True):
        assert all(np.array_equal(ours[k], theirs[k]) for k in SHAPES)


@pytest.mark.parametrize("name", ["lars", "lamb", "novograd", "fromage"])
def test_a_layer_at_zero_leaves_it_and_one_without_gradient_stays_finite(name: str) -> None:
    _, gradients, _ = stream(steps=60)
    given = [np.zeros((4, 3)) if t in (0, 7) else g["w"] for t, g in enumerate(gradients)]
    path, _ = run(tw.rules[name](), {"w": np.zeros((4, 3))}, [{"w": g} for g in given], lr=0.01)
    truth = getattr(layerwise, name)(np.zeros((4, 3)), given, 0.01)
    assert np.array_equal(path[0]["w"], np.zeros((4, 3)))
    assert np.abs(truth[-1]).max() > 1e-4
    assert np.abs(np.array([p["w"] for p in path]) - truth).max() <= 1e-12


def test_optimists_meet_where_descent_circles() -> None:
    """The game x y, x played down and y up: gradient descent spirals outward, the optimist comes in."""
    distance = {}
    for name in ("sgd", "optimistic_gd"):
        optimizer = tw.Optimizer(tw.rules[name](), lr=0.1)
        p = {"x": np.array(1.0), "y": np.array(1.0)}
        state = optimizer.init(p)
        for _ in range(1000):
            p, state = optimizer.step(p, {"x": p["y"], "y": -p["x"]}, state)
        distance[name] = np.hypot(p["x"], p["y"])
    assert distance["sgd"] > 10
    assert distance["optimistic_gd"] < 0.1


def test_acprop_of_optax_is_the_papers_at_a_smaller_rate() -> None:
    """Its mean of one step before makes g - m larger by 1 / beta1."""
    params, gradients, _ = stream()
    path, _ = run(tw.acprop(0.8, 0.99, 0.8e-3), params, gradients, lr=0.8e-3)
    for name in SHAPES:
        late = acprop.acprop(params[name], [g[name] for g in gradients], 1e-3, 0.8, 0.99, 1e-3, late=True)
        np.testing.assert_allclose(np.diff([p[name] for p in path], axis=0), np.diff(late, axis=0), rtol=1e-9, atol=1e-15)


def test_polyaks_step_lands_on_the_minimum_of_a_parabola() -> None:
    """With c = 1/2 on |p|^2 / 2; with f* too high it stops where the loss is f*, and moves no more."""
    for fstar, level in ((0.0, 0.0), (0.125, 0.125)):
        optimizer = tw.Optimizer(tw.polyak_sgd(fstar=fstar), lr=10.0)
        p = {"p": np.array([3.0, -4.0])}
        state = optimizer.init(p)
        for _ in range(200):
            p, state = optimizer.step(p, dict(p), state, loss=0.5 * float(p["p"] @ p["p"]))
        assert 0.5 * float(p["p"] @ p["p"]) <= level + 1e-12
    p, _ = optimizer.step({"p": np.array([0.1, 0.0])}, {"p": np.array([1.0, 0.0])}, optimizer.init(p), loss=0.005)
    np.testing.assert_array_equal(p["p"], [0.1, 0.0])
