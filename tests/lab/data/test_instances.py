"""Families of which every seed is another instance: gradients, minima, what the seed draws, noise, the score."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from thalweg.lab import problems
from thalweg.lab.data.instances import FLOOR, SHIFT, Instances, quadratic, rotation, turned
from thalweg.lab.problems.surfaces import beale, rosenbrock

FAMILIES: list[Any] = [problems.problem(name) for name in problems.of_kind(Instances)]
SEEDS = [5, 3, 8]

each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)


def parts(family: Any, seed: int) -> tuple[Any, ...]:
    """A seed's instance: the start first, then the minimum."""
    made: tuple[Any, ...] = family.make(np.random.default_rng(seed))
    return made


def test_there_are_some() -> None:
    assert {f.name for f in FAMILIES} >= {"quadratic_10", "quadratic_1000", "quadratic_noisy", "turned_rosenbrock"}


@each_family
def test_gradients_by_finite_differences(family: Any) -> None:
    """At points around the start, the noise of one draw held fast."""
    draw = next(family.draws(SEEDS, 0))
    points = family.init(SEEDS) + 0.1 * np.random.default_rng(0).standard_normal(family.init(SEEDS).shape)
    _, grads = family.loss_and_grad(points, draw)
    h = 1e-5
    for i in range(points.shape[1]):
        step = h * (np.arange(points.shape[1]) == i)
        rise = family.loss_and_grad(points + step, draw)[0] - family.loss_and_grad(points - step, draw)[0]
        np.testing.assert_allclose(grads[:, i], rise / (2 * h), rtol=1e-5, atol=1e-4)


@each_family
def test_the_value_alone_is_the_value_in_any_framework(family: Any) -> None:
    """And its gradient in PyTorch is the one written by hand."""
    torch = pytest.importorskip("torch")
    noise, own = draw = next(family.draws(SEEDS, 0))
    points = family.init(SEEDS)
    values, grads = family.loss_and_grad(points, draw)
    np.testing.assert_allclose(family.loss(points, family.batch(draw)), values, rtol=1e-11)
    x = torch.tensor(points, requires_grad=True)
    family.loss(x, (torch.tensor(noise), tuple(map(torch.tensor, own)))).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), grads, rtol=1e-10, atol=1e-10)
    for found, wanted in zip(family.judge(points, family.held_out(SEEDS)), family.validate(points, SEEDS), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-12)


@each_family
def test_the_minimum_is_0_where_the_seed_says_and_nowhere_lower(family: Any) -> None:
    minima = np.stack([parts(family, seed)[1] for seed in SEEDS])
    values, scores = family.test(minima, SEEDS)
    np.testing.assert_allclose(values, 0, atol=1e-12)
    np.testing.assert_array_equal(scores, FLOOR)
    assert (np.abs(minima) <= SHIFT).all()
    assert np.abs(minima[0] - minima[1]).max() > 0.1
    near = minima[:, None] + np.random.default_rng(1).standard_normal((3, 50, minima.shape[1]))
    for i in range(50):
        assert (family.validate(near[:, i], SEEDS)[0] >= 0).all()


@each_family
def test_scores_are_the_share_of_the_start_that_is_left(family: Any) -> None:
    starts = family.init(SEEDS)
    values, scores = family.validate(starts, SEEDS)
    np.testing.assert_array_equal(scores, 0)
    minima = np.stack([parts(family, seed)[1] for seed in SEEDS])
    nearer = minima + 1e-3 * (starts - minima)
    less, better = family.validate(nearer, SEEDS)
    np.testing.assert_allclose(better, np.log10(less / values), rtol=1e-12)
    assert (better < -2).all()
    for bad in (np.nan, np.inf, 1e200):
        np.testing.assert_array_equal(family.test(np.full_like(starts, bad), SEEDS)[1], 0)
    assert not family.score.higher_is_better


@pytest.mark.parametrize("condition", [10.0, 1000.0])
def test_a_quadratic_has_the_condition_that_it_says_and_turned_axes(condition: float) -> None:
    family = quadratic("made", condition, size=12)
    draw = next(family.draws([4], 0))
    minimum = parts(family, 4)[1]
    hessian = np.stack([family.loss_and_grad((minimum + e)[None], draw)[1][0] for e in np.eye(12)])  # the gradient is linear
    found = np.linalg.eigvalsh(hessian)
    np.testing.assert_allclose(found, np.geomspace(1 / condition, 1, 12), rtol=1e-9)
    assert np.abs(hessian - np.diag(np.diag(hessian))).max() > 0.05


def test_the_noise_has_the_hessian_as_its_covariance_and_no_mean() -> None:
    family = quadratic("made", 10.0, size=4, noise=0.5)
    minimum, root = parts(family, 7)[1:]
    drawn = [family.loss_and_grad(minimum[None], draw)[1][0] for draw in islice(family.draws([7], 0), 20_000)]
    np.testing.assert_allclose(np.cov(np.array(drawn).T), 0.25 * root @ root, atol=0.01)
    np.testing.assert_allclose(np.mean(drawn, axis=0), 0, atol=0.02)
    value, _ = family.validate(minimum[None], [7])
    assert value[0] == 0


def test_a_lane_s_noise_is_its_seed_s_alone_and_new_at_each_step() -> None:
    family = quadratic("made", 10.0, size=4, noise=0.5)
    alone = [draw[0] for draw in islice(family.draws([9], 0), 3)]
    among = [draw[0] for draw in islice(family.draws([2, 9, 9], 0), 3)]
    for mine, ours in zip(alone, among, strict=True):
        np.testing.assert_array_equal(mine[0], ours[1])
        np.testing.assert_array_equal(mine[0], ours[2])
        assert (ours[0] != ours[1]).all()
    assert (alone[0] != alone[1]).all()


def test_rotations_are_orthogonal_and_without_a_preferred_axis() -> None:
    several = np.stack([rotation(np.random.default_rng(seed), 3) for seed in range(2000)])
    np.testing.assert_allclose(several @ several.swapaxes(1, 2), np.broadcast_to(np.eye(3), several.shape), atol=1e-14)
    np.testing.assert_allclose(
        several.mean(axis=0), 0, atol=0.06
    )  # without the correction by signs, the diagonal's would be far off
    np.testing.assert_allclose((several**2).mean(axis=0), 1 / 3, atol=0.03)


@pytest.mark.parametrize("surface", [rosenbrock.problem(), beale.problem()], ids=lambda s: s.name)
def test_turned_surfaces_by_hand(surface: Any) -> None:
    """Straightened and shifted back, pair by pair, in a plain loop."""
    family = turned("made", surface, copies=3)
    start, minimum, turn = parts(family, 6)
    rng = np.random.default_rng(0)
    for x in [start, *(minimum + rng.standard_normal((5, 6)))]:
        z = turn @ (x - minimum)
        pairs = [surface.minima[0] + z[2 * k : 2 * k + 2] for k in range(3)]
        wanted = sum(surface.value(pair) - surface.lowest for pair in pairs)
        assert family.validate(x[None], [6])[0][0] == pytest.approx(wanted, rel=1e-9)
    low, high = np.transpose(surface.box)
    begun = [surface.minima[0] + (turn @ (start - minimum))[2 * k : 2 * k + 2] for k in range(3)]
    assert all(((low <= pair) & (pair <= high)).all() for pair in begun)


def test_families_differ_by_what_they_are_made_of() -> None:
    made = [
        quadratic("a", 10.0), quadratic("a", 20.0), quadratic("a", 10.0, size=5), quadratic("a", 10.0, noise=0.1),
        turned("a", rosenbrock.problem()), turned("a", beale.problem()), turned("a", beale.problem(), copies=2),
    ]  # fmt: skip
    assert len({family.fingerprint for family in made}) == len(made)
    assert quadratic("b", 10.0).fingerprint == made[0].fingerprint
