"""From a table to features: against the same by hand, from the training rows alone, and all of it in a trial's identity."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn

from lab.data.tables import csv, parts
from thalweg.lab.data import inputs
from thalweg.lab.data.datasets import load
from thalweg.lab.data.parts import split

N = 400
RNG = np.random.default_rng(5)
SIZE = RNG.normal(10, 3, N).round(2)
CITY = np.array([f"c{i:02}" for i in RNG.choice(34, N, p=np.repeat([0.9 / 19, 0.1 / 15], [19, 15]))])
KIND = np.where(SIZE + RNG.normal(size=N) > 10, "u", "v")
DAY = np.datetime64("2024-03-01") + RNG.integers(0, 700, N)
GAP = RNG.random(N) < 0.2


def made(path: Path, **more: Any) -> Path:
    size = ["" if gap else x for gap, x in zip(GAP, SIZE, strict=True)]
    return csv(path, {"size": size, "city": CITY, "day": DAY, "kind": KIND, **more})


def standardised(x: Any, rows: Any) -> Any:
    x = np.asarray(x, np.float64)
    spread = x[rows].std()
    return (x - x[rows].mean()) / spread if spread else np.zeros(len(x))


def by_hand(rows: Any) -> Any:
    """Gaps get the median of the training rows; the time in days, with its year and week; indicators; texts by frequency."""
    known = [i for i in rows if not GAP[i]]
    size = np.where(GAP, np.median(SIZE[known]), SIZE)
    days = (DAY - np.datetime64("1970-01-01")).astype(float)
    year, week = 2 * np.pi * days / 365.2425, 2 * np.pi * days / 7
    counts = Counter(CITY[rows].tolist())
    order = sorted(counts, key=lambda city: (-counts[city], city))
    frequent = sorted(order[:19])
    assert counts[order[18]] > counts[order[19]], "no tie, which has no right order"
    texts = [city == CITY for city in frequent] + [np.isin(CITY, order[19:])]
    found = [days, np.sin(year), np.sin(week), np.cos(year), np.cos(week), size, GAP, *texts]
    return np.stack([standardised(x, rows) for x in found], axis=1)


def test_features_are_those_made_by_hand(tmp_path: Path) -> None:
    problem = load(made(tmp_path / "x.csv"), "kind")
    rows = split(np.unique(KIND, return_inverse=True)[1])
    assert len(set(CITY[rows[0]])) > 20
    wanted = by_hand(rows[0])
    for part, own in zip(parts(problem), rows, strict=True):
        left = np.isin(CITY[own], list(set(CITY) - set(CITY[rows[0]])))  # unknown in training: with the others
        assert left.sum() < len(own) / 2
        np.testing.assert_allclose(part.x[~left], wanted[own][~left], rtol=2e-6, atol=2e-6)


def test_what_is_fitted_sees_the_training_rows_alone(tmp_path: Path) -> None:
    """Other values in the validation and test rows leave the training part as it was."""
    rows = split(np.unique(KIND, return_inverse=True)[1])
    held = np.concatenate(rows[1:])
    size, city, day = SIZE.copy(), CITY.copy(), DAY.copy()
    size[held], city[held], day[held] = 1e6, "elsewhere", np.datetime64("1999-01-01")
    other = csv(tmp_path / "y.csv", {"size": ["" if gap else x for gap, x in zip(GAP, size, strict=True)], "city": city,
                                     "day": day, "kind": KIND})  # fmt: skip
    first, second = load(made(tmp_path / "x.csv"), "kind"), load(other, "kind")
    np.testing.assert_array_equal(first.train_part.x, second.train_part.x)
    assert not np.array_equal(first.test_part.x, second.test_part.x)
    assert first.fingerprint != second.fingerprint


def test_each_block_has_its_own_split_and_treatment(tmp_path: Path) -> None:
    path = made(tmp_path / "x.csv")
    first, second = load(path, "kind"), load(path, "kind", block=1)
    assert first.fingerprint != second.fingerprint
    rows = split(np.unique(KIND, return_inverse=True)[1], 1)
    np.testing.assert_allclose(second.train_part.x[:, 5], by_hand(rows[0])[rows[0], 5], rtol=2e-6, atol=2e-6)


def test_a_trials_identity_covers_the_treatment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "x.csv", note=np.where(GAP, "1", "2"))
    as_it_is = load(path, "kind").fingerprint
    assert load(path, "kind", ignore=["note"]).fingerprint != as_it_is
    assert load(made(tmp_path / "text.csv", note=np.where(GAP, "a", "b")), "kind").fingerprint != as_it_is
    assert load(made(tmp_path / "renamed.csv", Note=np.where(GAP, "1", "2")), "kind").fingerprint == as_it_is
    monkeypatch.setattr(inputs, "KINDS", 10)
    assert load(path, "kind").fingerprint != as_it_is
    monkeypatch.undo()
    monkeypatch.setattr(sklearn, "__version__", "0.0")
    assert load(path, "kind").fingerprint != as_it_is


def test_numbers_without_gaps_need_no_steps(tmp_path: Path) -> None:
    """So their identity does not depend on scikit-learn."""
    path = csv(tmp_path / "x.csv", {"size": SIZE, "kind": KIND})
    as_it_is = load(path, "kind")
    assert inputs.Inputs(np.zeros((3, 2))).treatment == ""
    np.testing.assert_allclose(
        as_it_is.train_part.x[:, 0],
        standardised(SIZE, rows := split(np.unique(KIND, return_inverse=True)[1])[0])[rows],
        rtol=1e-6,
        atol=1e-6,
    )
