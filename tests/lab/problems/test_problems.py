"""The lab's problems: gradients, minima, splits, draws, lanes."""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.mnist import HAS_MNIST
from thalweg import nn
from thalweg.lab import problems
from thalweg.lab.data import parts, supervised
from thalweg.lab.data.parts import DataSet, Part, split, standardised
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.data.surface import Surface
from thalweg.lab.refusal import Refusal
from thalweg.values.trees import flatten

ALL = {name: problems.problem(name) for name in problems.names() if HAS_MNIST or not name.startswith("mnist5k")}
SURFACES = [p for p in ALL.values() if isinstance(p, Surface)]
NETWORKS = [p for p in ALL.values() if isinstance(p, Supervised)]
DATA = [p for p in NETWORKS if p.name != "xor"]
PLAIN = [p for p in NETWORKS if p.name in ("breast_cancer", "diabetes", "digits", "wine", "xor")]
"""One hidden layer, standardised inputs."""
SEEDS = [5, 3, 8]

each_problem = pytest.mark.parametrize("problem", ALL.values(), ids=ALL.keys())
each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.name)
each_network = pytest.mark.parametrize("problem", NETWORKS, ids=lambda p: p.name)
each_plain = pytest.mark.parametrize("problem", PLAIN, ids=lambda p: p.name)
each_data = pytest.mark.parametrize("problem", DATA, ids=lambda p: p.name)


def leaves(tree: Any) -> list[Any]:
    return flatten(tree)[1]


def lane(tree: Any, i: int) -> Any:
    """Lane i alone, still as a lane."""
    if isinstance(tree, dict):
        return {key: lane(value, i) for key, value in tree.items()}
    return tree[i : i + 1]


def descended(params: Any, grads: Any, lr: float = 1e-3) -> Any:
    if isinstance(params, dict):
        return {key: descended(params[key], grads[key], lr) for key in params}
    return params - params.dtype.type(lr) * grads


# All problems.


def test_a_problem_is_there_because_its_file_is() -> None:
    files = {path.stem for path in Path(problems.__path__[0]).rglob("*.py")} - {"__init__"}
    assert set(problems.names()) == files
    assert all(problem.name == name for name, problem in ALL.items())


def test_names_are_forgiving_and_errors_name_the_nearest() -> None:
    assert problems.problem(" Breast-Cancer").name == "breast_cancer"
    with pytest.raises(Refusal, match="no problem is called 'digit'; did you mean 'digits'") as refused:
        problems.problem("digit")
    assert refused.value.exit_code == 2


@each_problem
def test_lanes_equal_runs(problem: Any) -> None:
    """Three lanes, and each of them alone, to the last bit: starts, draws, losses, gradients, validation, test."""
    params, draws = problem.init(SEEDS), problem.draws(SEEDS, problem.batch_size)
    alone = [problem.init([seed]) for seed in SEEDS]
    own_draws = [problem.draws([seed], problem.batch_size) for seed in SEEDS]
    for _ in range(4):
        loss, grads = problem.loss_and_grad(params, next(draws))
        judged = problem.validate(params, SEEDS), problem.test(params, SEEDS)
        assert loss.shape == (3,)
        for i in range(3):
            for mine, ours in zip(leaves(alone[i]), leaves(lane(params, i)), strict=True):
                np.testing.assert_array_equal(mine, ours)
            own_loss, own_grads = problem.loss_and_grad(alone[i], next(own_draws[i]))
            assert own_loss[0] == loss[i]
            for own_pair, pair in zip(
                (problem.validate(alone[i], SEEDS[i : i + 1]), problem.test(alone[i], SEEDS[i : i + 1])), judged, strict=True
            ):
                assert (own_pair[0][0], own_pair[1][0]) == (pair[0][i], pair[1][i])
            alone[i] = descended(alone[i], own_grads)
        params = descended(params, grads)


@each_problem
def test_seeds_matter_and_repeat(problem: Any) -> None:
    first, again = problem.init([1, 2, 1]), problem.init([1, 2, 1])
    for a, b in zip(leaves(first), leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a[0], a[2])
    assert any((a[0] != a[1]).any() for a in leaves(first))


def test_fingerprints_differ() -> None:
    assert len({problem.fingerprint for problem in ALL.values()}) == len(ALL)
    for name, problem in ALL.items():
        assert problems.problem(name).fingerprint == problem.fingerprint


@each_problem
def test_a_nan_lane_touches_no_neighbour(problem: Any) -> None:
    params = problem.init(SEEDS)
    loss, grads = problem.loss_and_grad(params, next(problem.draws(SEEDS, problem.batch_size)))
    judged = problem.validate(params, SEEDS)
    for leaf in leaves(params):
        leaf[1] = np.nan
    hurt, hurt_grads = problem.loss_and_grad(params, next(problem.draws(SEEDS, problem.batch_size)))
    hurt_judged = problem.validate(params, SEEDS)
    assert np.isnan(hurt[1])
    assert np.isnan(hurt_judged[0][1])
    for i in (0, 2):
        assert hurt[i] == loss[i]
        assert all(was[i] == now[i] for was, now in zip(judged, hurt_judged, strict=True))
        for a, b in zip(leaves(lane(grads, i)), leaves(lane(hurt_grads, i)), strict=True):
            np.testing.assert_array_equal(a, b)


# Surfaces.


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


# Data and networks.


def by_hand(problem: Supervised, params: Any, x: Any, y: Any) -> tuple[float, float]:
    """Loss and score of one lane, in float64 and in words of NumPy alone."""
    first, second = (params[name] for name in sorted(params))
    inner = x.astype(np.float64) @ first["w"][0] + first["b"][0]
    z = (np.tanh(inner) if problem.name == "xor" else np.maximum(inner, 0)) @ second["w"][0] + second["b"][0]
    if y.dtype.kind == "i":
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return float(-np.log(p[np.arange(len(y)), y]).mean()), float((z.argmax(axis=1) == y).mean())
    return float(((z - y) ** 2).mean()), float(1 - ((z - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())


@each_plain
def test_losses_and_scores_by_hand(problem: Supervised) -> None:
    params = problem.init(SEEDS)
    draw = next(problem.draws(SEEDS, problem.batch_size))
    loss, _ = problem.loss_and_grad(params, draw)
    judged = {"validation_part": problem.validate(params), "test_part": problem.test(params)}
    for i in range(3):
        rows = slice(None) if draw is None else draw[i]
        expected, _ = by_hand(problem, lane(params, i), problem.train_part.x[rows], problem.train_part.y[rows])
        assert loss[i] == pytest.approx(expected, rel=1e-5)
        for part, (losses, scores) in judged.items():
            data = getattr(problem, part)
            expected_loss, expected_score = by_hand(problem, lane(params, i), data.x, data.y)
            assert losses[i] == pytest.approx(expected_loss, rel=1e-5)
            assert scores[i] == pytest.approx(expected_score, rel=1e-5)


@each_network
def test_gradients_of_the_loss_by_finite_differences(problem: Supervised) -> None:
    params = problem.init([0])
    draw = next(problem.draws([0], problem.batch_size))
    random = np.random.default_rng(0)
    for own in params.values():  # biases of 0 behind inputs of 0 would stand on the kink of a ReLU
        for leaf in own.values():
            leaf += (0.02 * random.standard_normal(leaf.shape)).astype(leaf.dtype)
    wide = {name: {key: leaf.astype(np.float64) for key, leaf in own.items()} for name, own in params.items()}
    narrow_grads, grads = problem.loss_and_grad(params, draw)[1], problem.loss_and_grad(wide, draw)[1]
    for name, own in wide.items():
        for key, leaf in own.items():
            whole = np.abs(grads[name][key]).max()
            np.testing.assert_allclose(narrow_grads[name][key], grads[name][key], rtol=1e-3, atol=1e-3 * whole)
            at = np.unravel_index(np.abs(grads[name][key]).argmax(), leaf.shape)
            losses = []
            for h in (1e-6, -1e-6):
                leaf[at] += h
                losses.append(problem.loss_and_grad(wide, draw)[0][0])
                leaf[at] -= h
            assert grads[name][key][at] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-5)


@each_data
def test_draws_are_epochs_in_batches(problem: Supervised) -> None:
    """Batches of one size; and after 7 epochs' worth of them, every sample was there 7 times, whatever the size."""
    n = problem.train_size
    for size in (1, 7, n // 2 + 1, n - 1):
        steps = -(-7 * n // size)
        drawn = list(islice(problem.draws([4], size), steps))
        assert {d.shape for d in drawn} == {(1, size)}
        order = np.concatenate([d[0] for d in drawn])[: 7 * n].reshape(7, n)
        np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(n), (7, 1)))
        assert (order[0] != order[1]).any()


@each_data
def test_a_lane_s_draws_are_its_seed_s_alone(problem: Supervised) -> None:
    alone = list(islice(problem.draws([9], 16), 30))
    among = list(islice(problem.draws([2, 9, 1, 9, 4], 16), 30))
    for mine, ours in zip(alone, among, strict=True):
        np.testing.assert_array_equal(mine[0], ours[1])
        np.testing.assert_array_equal(mine[0], ours[3])
    assert any((d[0] != d[1]).any() for d in among)


@each_plain
def test_a_batch_that_would_hold_everything_is_the_whole(problem: Supervised) -> None:
    params = problem.init([0])
    for size in (problem.train_size, problem.train_size + 5):
        assert next(problem.draws([0], size)) is None
    loss, _ = problem.loss_and_grad(params, None)
    every = np.arange(problem.train_size)[None]
    assert loss[0] == pytest.approx(problem.loss_and_grad(params, every)[0][0], rel=1e-5)


def test_sizes_are_as_said() -> None:
    digits = ALL["digits"]
    assert [leaf.shape[1:] for leaf in leaves(digits.init([0]))] == [(64, 32), (32,), (32, 10), (10,)]
    assert sum(map(len, (digits.train_part.x, digits.validation_part.x, digits.test_part.x))) == 1797
    assert "64-32-10" in digits.about
    assert {p.name: (p.score.name, p.score.share) for p in DATA if p in PLAIN} == {
        "digits": ("accuracy", True), "breast_cancer": ("accuracy", True), "wine": ("accuracy", True), "diabetes": ("R²", False)
    }  # fmt: skip


@each_plain
def test_everything_is_float32_and_standardised_on_the_training_part(problem: Supervised) -> None:
    assert {leaf.dtype for leaf in leaves(problem.init([0]))} == {np.dtype(np.float32)}
    assert problem.train_part.x.dtype == np.float32
    if problem.name != "xor":
        x = problem.train_part.x.astype(np.float64)
        varies = x.std(axis=0) > 0
        np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(x.std(axis=0)[varies], 1, rtol=1e-5)
        assert np.abs(problem.test_part.x.mean(axis=0)).max() > 1e-3  # its own mean was not taken off


@pytest.mark.parametrize("counts", [(5, 5), (5, 6, 7, 8, 9, 1000), (100, 331), (442,)])
def test_splits_are_disjoint_complete_and_stratified(counts: tuple[int, ...]) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    parts = split(labels)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))
    for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True):
        found = np.bincount(labels[part], minlength=len(counts))
        assert (np.abs(found - share * np.array(counts)) <= 1).all()
        assert (found >= 1).all()
    for part, again in zip(parts, split(labels), strict=True):
        np.testing.assert_array_equal(part, again)


def made(classes: bool = True, n: int = 60) -> tuple[Any, Any]:
    random = np.random.default_rng(1)
    return random.normal(3, 5, (n, 4)), np.arange(n) % 3 if classes else random.normal(10, 4, n)


def test_features_that_are_alike_share_their_mean_and_spread() -> None:
    x, y = made()
    found = supervised.parted("made", "", DataSet(x, y, alike=True), [nn.Linear(3)], tune_on=5)
    known = x[split(y)[0]]
    np.testing.assert_allclose(found.train_part.x, (known - known.mean()) / known.std(), rtol=1e-5, atol=1e-6)
    assert len(found.validation_part.x) == 5
    wanted = (x[split(y)[2]] - known.mean()) / known.std()
    np.testing.assert_allclose(found.test_part.x, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("classes", [True, False])
def test_no_statistic_leaks(classes: bool) -> None:
    """Whatever the validation and test rows hold, the training part stays as it is."""
    x, y = made(classes)
    rows = split(y if classes else np.zeros(len(y), int))
    before = supervised.supervised("made", "", x, y)
    x, y = x.copy(), y.copy()
    for held in rows[1:]:
        x[held] *= 100
        if not classes:
            y[held] += 1000
    after = supervised.supervised("made", "", x, y)
    np.testing.assert_array_equal(before.train_part.x, after.train_part.x)
    np.testing.assert_array_equal(before.train_part.y, after.train_part.y)
    assert (before.test_part.x != after.test_part.x).all()


def test_fingerprints_change_with_the_data() -> None:
    x, y = made()
    first = supervised.supervised("made", "", x, y).fingerprint
    assert supervised.supervised("another name", "other words", x.copy(), y.copy()).fingerprint == first
    changed_x, changed_y = x.copy(), y.copy()
    changed_x[-1, -1] = np.nextafter(x[-1, -1], 0)
    changed_y[0] = 2
    others = [(changed_x, y), (x, changed_y), (x[:, ::-1], y), (x, y.astype(float))]
    assert len({first, *(supervised.supervised("made", "", a, b).fingerprint for a, b in others)}) == 5


def test_fingerprints_change_with_the_values_to_predict() -> None:
    x, y = made(classes=False)
    first, other = (supervised.supervised("made", "", x, values).fingerprint for values in (y, y + (np.arange(len(y)) == 3)))
    assert first != other


def test_fingerprints_change_with_the_network() -> None:
    part = Part(np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1]))
    wide, narrow = (Supervised("made", "", part, part, part, [nn.Linear(n), nn.Tanh(), nn.Linear(2)]) for n in (3, 4))
    assert wide.fingerprint != narrow.fingerprint


def test_constant_columns_are_harmless() -> None:
    x, y = made()
    rows = split(y)
    x[:, 0] = 0.1
    x[:, 1] = 7.0
    x[rows[2], 1] = 1e9  # constant to train on, never seen otherwise: there is nothing to learn from it
    problem = supervised.supervised("made", "", x, y)
    for part in (problem.train_part, problem.validation_part, problem.test_part):
        np.testing.assert_array_equal(part.x[:, :2], 0)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_the_unit_of_a_column_does_not_matter(scale: float) -> None:
    x, _ = made()
    np.testing.assert_allclose(standardised(x * scale, np.arange(40)), standardised(x, np.arange(40)), rtol=1e-6)


def test_columns_are_standardised_alike_however_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).integers(0, 256, (30, 17)).astype(np.uint8)
    at_once = standardised(x, np.arange(20))
    monkeypatch.setattr(parts, "PREPARED", 30 * 5)
    np.testing.assert_array_equal(standardised(x, np.arange(20)), at_once)


def test_lanes_are_judged_alike_however_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = ALL["digits"]
    params = digits.init(list(range(7)))
    at_once = digits.validate(params)
    monkeypatch.setattr(supervised, "JUDGED", 2 * len(digits.validation_part.x) * 32)
    for one, other in zip(digits.validate(params), at_once, strict=True):
        assert one.shape == (7,)
        np.testing.assert_array_equal(one, other)


def test_lanes_are_trained_alike_however_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = ALL["digits"]
    params, draw = digits.init(list(range(7))), next(digits.draws(list(range(7)), 64))
    at_once = digits.loss_and_grad(params, draw)
    monkeypatch.setattr(supervised, "TRAINED", 2 * 64 * 64)
    in_turn = digits.loss_and_grad(params, draw)
    for one, other in zip([*leaves(in_turn[1]), in_turn[0]], [*leaves(at_once[1]), at_once[0]], strict=True):
        np.testing.assert_array_equal(one, other)


def test_large_problems_have_fewer_steps() -> None:
    x = np.random.default_rng(0).integers(0, 256, (30, 4000)).astype(np.uint8)
    wide = supervised.supervised("wide", "", x, np.arange(30) % 2)
    assert wide.steps < ALL["digits"].steps
    assert wide.batch_size == wide.train_size == 18
