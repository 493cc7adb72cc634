"""Surfaces: their gradients, minima and starts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from lab.problems.every import ALL, SEEDS, SURFACES, each_surface
from thalweg.lab.data.surface import Surface


def inside(points: Any, sides: Any) -> bool:
    low, high = np.transpose(sides)
    return bool(((points >= low) & (points <= high)).all())


@each_surface
def test_gradients_by_finite_differences(surface: Surface) -> None:
    low, high = np.transpose(surface.window)
    points = np.random.default_rng(0).uniform(low, high, (200, len(low)))
    h = 1e-5
    steps = h * np.eye(len(low))
    slopes = np.stack([(surface.value(points + e) - surface.value(points - e)) / (2 * h) for e in steps], axis=-1)
    np.testing.assert_allclose(surface.gradient(points), slopes, rtol=1e-6, atol=1e-6)


@each_surface
def test_minima_are_minima(surface: Surface) -> None:
    assert surface.minima.shape[1] == len(surface.window) == surface.start.size
    assert np.abs(surface.gradient(surface.minima)).max() < 1e-11
    np.testing.assert_allclose(surface.value(surface.minima), surface.lowest, rtol=1e-14, atol=1e-14)
    grid = np.stack(np.meshgrid(*(np.linspace(low, high, 301) for low, high in surface.window)), axis=-1)
    assert surface.value(grid).min() >= surface.lowest - 1e-12


@each_surface
def test_starts_and_minima_are_in_the_picture(surface: Surface) -> None:
    for points, sides in ((surface.minima, surface.window), (surface.start, surface.window), (surface.start, surface.box),
                          (np.transpose(surface.box), surface.window), (surface.init(list(range(50))), surface.box)):  # fmt: skip
        assert inside(points, sides)


@each_surface
def test_surfaces_take_any_leading_shape_in_float64(surface: Surface) -> None:
    points = surface.init(list(range(6)))
    for shape in ((6,), (2, 3), (1, 6, 1)):
        shaped = points.reshape(*shape, -1)
        np.testing.assert_array_equal(surface.value(shaped), surface.value(points).reshape(shape))
        np.testing.assert_array_equal(surface.gradient(shaped), surface.gradient(points).reshape(shaped.shape))
    assert surface.value(points.astype(np.float32)).dtype == surface.gradient(points).dtype == np.float64
    assert surface.value(surface.start).shape == ()


@each_surface
def test_overflow_is_a_result(surface: Surface) -> None:
    far = np.full((1, surface.start.size), 1e200)
    loss, _ = surface.loss_and_grad(far, None)
    assert not np.isfinite(loss[0])


@each_surface
def test_scores_are_what_is_left_above_the_minimum(surface: Surface) -> None:
    losses, scores = surface.test(surface.init(SEEDS))
    np.testing.assert_allclose(losses - scores, surface.lowest, atol=1e-9)
    assert not surface.score.higher_is_better
    np.testing.assert_array_equal(surface.test(surface.minima)[1] < 1e-13, True)
    assert (surface.test(surface.minima)[1] >= 0).all()


def test_a_changed_surface_is_another_problem() -> None:
    surface = SURFACES[0]
    assert dataclasses.replace(surface, box=((0.0, 1.0), (0.0, 1.0))).fingerprint != surface.fingerprint
    assert dataclasses.replace(surface, f=SURFACES[1].f).fingerprint != surface.fingerprint
    assert dataclasses.replace(surface, about="in other words").fingerprint == surface.fingerprint


def test_the_sources_quartic() -> None:
    quartic = ALL["quartic"]
    points = np.array([[-3.0], [-1.5], [-0.5], [2.5]])
    np.testing.assert_allclose(quartic.value(points), [45, -0.5625, 1.7708333333333333, -2075 / 48], rtol=1e-14)
    np.testing.assert_array_equal(quartic.gradient(points), [[-82.5], [0], [0], [0]])
    assert quartic.start == [-3]


def test_the_saddle_is_flat_in_the_middle_and_falls_aside() -> None:
    saddle = ALL["saddle"]
    np.testing.assert_array_equal(saddle.gradient([0.0, 0.0]), [0, 0])
    assert saddle.value([0.0, 0.1]) < saddle.value([0.0, 0.0]) < saddle.value([0.1, 0.0])


def test_scaling_holds_one_problem_twice() -> None:
    x = np.linspace(-3, 3, 7)
    zero = np.zeros_like(x)
    scaling = ALL["scaling"]
    np.testing.assert_allclose(scaling.value(np.stack([x, zero], -1)), scaling.value(np.stack([zero, x / 10], -1)), rtol=1e-14)


def test_the_ravine_is_steep_across_and_turned() -> None:
    ravine = ALL["ravine"]
    curvature = np.stack([ravine.gradient(e) for e in np.eye(2)])  # of a quadratic the gradient is linear
    np.testing.assert_allclose(np.linalg.eigvalsh(curvature), [1, 100], rtol=1e-12)
    assert abs(curvature[0, 1]) > 10
