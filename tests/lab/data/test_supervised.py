"""Data on the way to a network: splits, standardised columns, fingerprints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lab.problems.every import ALL
from thalweg import nn
from thalweg.lab.data import parts, supervised
from thalweg.lab.data.parts import DataSet, Part, split, standardised
from thalweg.lab.data.supervised import Supervised


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


def test_a_network_with_statistics_is_refused() -> None:
    """Nothing here would keep them between training and judging."""
    part = Part(np.ones((4, 3), np.float32), np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="keep no statistics of batches"):
        Supervised("made", "", part, part, part, [nn.Linear(3), nn.BatchNorm(), nn.Linear(2)])


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


def test_large_problems_have_fewer_steps() -> None:
    x = np.random.default_rng(0).integers(0, 256, (30, 4000)).astype(np.uint8)
    wide = supervised.supervised("wide", "", x, np.arange(30) % 2)
    assert wide.steps < ALL["digits"].steps
    assert wide.batch_size == wide.train_size == 18
