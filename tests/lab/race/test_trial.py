"""Instances of a surface, the learning rate that is chosen on some, the success that is counted on others."""

import math
from dataclasses import replace

import numpy as np
import pytest

import thalweg as tw
from thalweg.lab.race.captions import success
from thalweg.lab.race.ground import Placed, instances
from thalweg.lab.race.trial import JUDGED_ON, NEAR, RATES, TUNED_ON, Success, judged, numbers, reached, tuned
from thalweg.lab.race.walk import ends, walk

from .surfaces import surface


def some(name: str, count: int = 6) -> Placed:
    return instances(surface(name), numbers(0, 0, count))


@pytest.mark.parametrize("name", ["quartic", "himmelblau", "saddle"])
def test_an_instance_is_the_surface_elsewhere(name: str) -> None:
    ground, flat = some(name), surface(name)
    np.testing.assert_allclose(ground.value(ground.minimum), flat.lowest, atol=1e-9)
    np.testing.assert_allclose(ground.gradient(ground.minimum), 0, atol=1e-9)
    rng, size = np.random.default_rng(1), flat.start.size
    x = ground.start + 0.1 * rng.standard_normal(ground.start.shape)
    for k in range(len(x)):  # by hand: the point as seen from the minimum, along the instance's axes
        seen = ground.turn[k] @ (x[k] - ground.minimum[k]) + flat.minima[0]
        assert ground.value(x)[k] == pytest.approx(float(flat.value(seen)))
    for i in range(size):
        nudge = 1e-6 * np.eye(size)[i]
        slope = (ground.value(x + nudge) - ground.value(x - nudge)) / 2e-6
        np.testing.assert_allclose(ground.gradient(x)[:, i], slope, rtol=1e-5, atol=1e-5)


def test_every_instance_has_axes_an_origin_and_a_start_of_its_own() -> None:
    ground = some("himmelblau", 40)
    np.testing.assert_allclose(ground.turn @ ground.turn.swapaxes(1, 2), np.tile(np.eye(2), (40, 1, 1)), atol=1e-12)
    for part in (ground.turn[:, 0, 0], ground.minimum[:, 0], ground.start[:, 0]):
        assert len(np.unique(part.round(9))) == 40
    mirrored = set(some("quartic", 40).turn.ravel().tolist())
    assert mirrored == {-1.0, 1.0}  # all that one coordinate can be turned
    (low,), (high,) = np.transpose(surface("quartic").box)
    line = some("quartic", 40)
    seen = (line.turn[:, 0, 0] * (line.start - line.minimum)[:, 0]) + 2.5
    assert (low <= seen).all()
    assert (seen <= high).all()


def test_what_is_judged_on_is_not_what_was_tuned_on() -> None:
    assert not set(numbers(0, 0, TUNED_ON)) & set(numbers(0, 1, JUDGED_ON))
    ways = [instances(surface("quartic"), numbers(seed, role, 20)).start.ravel() for seed in (0, 1) for role in (0, 1)]
    assert len(np.unique(np.concatenate(ways))) == 80
    np.testing.assert_array_equal(ways[0], some("quartic", 20).start.ravel())


def test_gradient_descent_walks_an_instance_as_it_walks_the_surface() -> None:
    ground, flat = some("himmelblau"), surface("himmelblau")
    _, values = walk(ground, tw.sgd(), [0.005] * 6, 20, ground.start, [0] * 6)
    inner = flat.minima[0] + np.einsum("tij,tj->ti", ground.turn, ground.start - ground.minimum)
    _, straight = walk(flat, tw.sgd(), [0.005] * 6, 20, inner, [0] * 6)
    np.testing.assert_allclose(values, straight, rtol=1e-6)


def test_a_method_that_averages_is_seen_at_its_average() -> None:
    flat = surface("quartic")
    rule = tw.asgd(t0=1.0)
    points, values = walk(flat, rule, [0.01], 40, flat.start, [0])
    optimizer = tw.Optimizer(rule, lr=0.01)
    x = flat.start.copy()
    state = optimizer.init(x)
    for _ in range(40):
        x, state = optimizer.step(x, flat.gradient(x), state)
    assert abs(points[0, -1] - optimizer.ship(x, state)) < 1e-12
    assert abs(points[0, -1] - x) > 1e-3
    np.testing.assert_allclose(values, flat.value(points))


@pytest.mark.parametrize("name", ["sgd", "adam", "santa_e"])
def test_ends_are_the_ends_of_the_walks(name: str) -> None:
    ground, rates, seeds = some("quartic").times(2), [0.01] * 6 + [0.03] * 6, [*range(6), *range(6)]
    final, mean = ends(ground, tw.rules[name](), rates, 15, ground.start, seeds)
    _, values = walk(ground, tw.rules[name](), rates, 15, ground.start, seeds)
    np.testing.assert_array_equal(final, values[:, -1])
    np.testing.assert_allclose(mean, values.mean(axis=1))
    lost, _ = ends(ground, tw.sgd(), [5.0] * 12, 15, ground.start, seeds)
    assert (lost == math.inf).all()


def test_the_tuned_rate_has_the_least_median_of_those_tried() -> None:
    search, steps = (1e-3, 1e1), 60
    chosen = tuned(surface("quartic"), tw.momentum(mu=0.95), search, steps, 0)
    ground = some("quartic", TUNED_ON)
    medians, means = [], []
    for lr in np.geomspace(*search, RATES):  # one rate after another, instances by hand
        final = []
        for k in range(TUNED_ON):
            x, v, side = ground.start[k, 0], 0.0, ground.turn[k, 0, 0]
            for _ in range(steps):
                z = side * (x - ground.minimum[k, 0]) + 2.5
                if abs(z) < 1e50:
                    v = 0.95 * v + side * 4 * (z + 1.5) * (z + 0.5) * (z - 2.5)
                    x -= lr * v
            z = side * (x - ground.minimum[k, 0]) + 2.5
            value = z**4 - 2 / 3 * z**3 - 8.5 * z**2 - 7.5 * z if abs(z) < 1e50 else math.inf
            final.append(value)
        medians.append(float(np.median(final)))
        means.append(float(np.mean(final)))
    best = int(np.argmin(medians))
    assert chosen == pytest.approx(np.geomspace(*search, RATES)[best])
    assert sorted(medians)[1] > medians[best] + 1e-6  # it was no tie
    assert best not in (0, RATES - 1, int(np.argmin(means)))


def test_a_rate_that_diverges_on_most_instances_is_not_chosen() -> None:
    chosen = tuned(surface("ravine"), tw.sgd(), (1e-3, 1e3), 20, 0)
    assert chosen < 2 / 100  # above, the steep direction diverges on all of them
    assert tuned(surface("ravine"), tw.sgd(), (1e2, 1e3), 50, 0) == 1e2  # nothing to choose from


def test_success_is_near_the_minimum_in_the_loss() -> None:
    ground = some("quartic")
    lowest = ground.surface.lowest
    first = ground.value(ground.start) - lowest
    left = np.array([0.0, 0.5 * NEAR, 0.999 * NEAR, 1.001 * NEAR, 1.0, math.inf])
    assert reached(ground, lowest + left * first).tolist() == [True, True, True, False, False, False]


def test_success_is_counted_on_fresh_instances() -> None:
    ravine = surface("ravine")
    assert judged(ravine, tw.sgd(), 0.015, 600, 0) == Success(JUDGED_ON, JUDGED_ON)
    assert judged(ravine, tw.sgd(), 0.03, 200, 0) == Success(0, JUDGED_ON)  # diverges
    quartic = surface("quartic")
    found = judged(quartic, tw.momentum(), 0.017, 100, 0)
    ground = instances(quartic, numbers(0, 1, JUDGED_ON))
    _, values = walk(ground, tw.momentum(), [0.017] * JUDGED_ON, 100, ground.start, [0] * JUDGED_ON)
    gaps = values - quartic.lowest
    assert found.hits == (gaps[:, -1] <= 1e-3 * gaps[:, 0]).sum()
    assert 0 < found.hits < JUDGED_ON


@pytest.mark.parametrize(("hits", "runs"), [(0, 50), (29, 50), (50, 50), (1, 3)])
def test_the_interval_is_wilsons(hits: int, runs: int) -> None:
    p, z = hits / runs, 1.959963984540054
    middle, half = p + z * z / (2 * runs), z * math.sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs))
    low, high = ((middle + sign * half) / (1 + z * z / runs) for sign in (-1, 1))
    assert Success(hits, runs).interval == pytest.approx((low, high), abs=1e-12)


def test_success_in_words() -> None:
    assert success(Success(29, 50)) == "58 % [44, 71]"
    assert success(None) == ""


def test_the_minimum_is_not_told() -> None:
    quartic = surface("quartic")
    elsewhere = replace(quartic, lowest=-1e6)
    for name in ("sgd", "adam"):
        search = tw.rules[name].search or (0, 0)
        assert tuned(quartic, tw.rules[name](), search, 40, 0) == tuned(elsewhere, tw.rules[name](), search, 40, 0)
