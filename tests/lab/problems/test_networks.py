"""Networks on data: losses, gradients, draws, sizes."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from lab.problems.every import ALL, DATA, PLAIN, SEEDS, each_data, each_network, each_plain, lane, leaves
from thalweg.lab.data import supervised
from thalweg.lab.data.supervised import Supervised


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
