"""Data of the user's own: what is read."""

from __future__ import annotations

import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.data.tables import KIND, NUMBERS, RANDOM, N, columns, csv, npz, parts, pq, refused
from thalweg.lab.data.datasets import load


def test_a_csv_file(tmp_path: Path) -> None:
    problem = load(csv(tmp_path / "pets.csv", columns(flag=["true", "false", "true"] * 10)), "kind")
    assert problem.name == "pets"
    assert problem.score.name == "accuracy"
    assert problem.about.startswith(
        "pets.csv: 'kind' from 3 other columns, 30 rows. Network: 3-32-3, ReLU, cross-entropy; 18 samples"
    )
    assert (problem.train_size, problem.batch_size) == (18, 18)
    loss, _ = problem.loss_and_grad(problem.init([0]), next(problem.draws([0], 4)))
    assert np.isfinite(loss).all()


def test_the_same_data_from_each_kind_of_file_are_the_same_problem(tmp_path: Path) -> None:
    from_csv = load(csv(tmp_path / "one.CSV", columns()), "kind")
    from_parquet = load(pq(tmp_path / "two.parquet", columns()), "kind")
    x = np.stack([NUMBERS, np.arange(N)], axis=1)
    from_npz = load(npz(tmp_path / "three.npz", x=x, y=KIND))
    assert from_csv.fingerprint == from_parquet.fingerprint == from_npz.fingerprint


def test_features_of_every_kind_are_told_apart_right(tmp_path: Path) -> None:
    """A parquet file with all types that are taken, against the same numbers worked out by hand."""
    colour = np.array(["red", "green", "blue"])[RANDOM.integers(0, 3, N)]
    table = {
        "small": pa.array(np.arange(N) % 7, pa.int8()),
        "half": pa.array(NUMBERS.astype(np.float16)),
        "flag": pa.array(np.arange(N) % 2 == 0),
        "price": pa.array([decimal.Decimal(i) / 4 for i in range(N)], pa.decimal128(9, 2)),
        "colour": pa.array(colour).dictionary_encode(),
        "year": pa.array(2000 + np.arange(N) % 5).dictionary_encode(),
        "large": pa.array(colour, pa.large_string()),
        "y": pa.array(NUMBERS * 3),
    }
    problem = load(pq(tmp_path / "all.parquet", table), "y")
    one_hot = colour[:, None] == np.array(["blue", "green", "red"])
    numbers = [np.arange(N) % 7, NUMBERS.astype(np.float16), np.arange(N) % 2 == 0, np.arange(N) / 4]
    x = np.column_stack([*numbers, one_hot, 2000 + np.arange(N) % 5, one_hot]).astype(np.float64)
    by_hand = load(npz(tmp_path / "all.npz", x=x, y=NUMBERS * 3))
    texts_last = [0, 1, 2, 3, 7, 4, 5, 6, 8, 9, 10]
    for part, own in zip(parts(problem), parts(by_hand), strict=True):
        np.testing.assert_array_equal(part.x, own.x[:, texts_last])
        np.testing.assert_array_equal(part.y, own.y)
    assert problem.score.name == "R²"
    assert "One-hot encoded: colour (3 values), large (3 values)." in problem.about


def test_images_are_flattened_and_stay_small(tmp_path: Path) -> None:
    images = RANDOM.integers(0, 256, (N, 4, 5, 3)).astype(np.uint8)
    y = (np.arange(N) % 2).astype(np.uint8)
    problem = load(npz(tmp_path / "images.npz", x=images, y=y[:, None]))
    assert problem.train_part.x.shape == (18, 60)
    assert "30 rows, 60 inputs" in problem.about
    assert problem.fingerprint == load(npz(tmp_path / "flat.npz", x=images.reshape(N, 60), y=y)).fingerprint


@pytest.mark.parametrize(
    ("y", "task", "score"),
    [
        (np.arange(N) % 3, None, "accuracy"),
        (np.arange(N) % 3 - 7.0, None, "accuracy"),
        (np.arange(N) % 2 == 0, None, "accuracy"),
        (KIND, None, "accuracy"),
        (np.arange(N) % 3, "regression", "R²"),
        (np.arange(N), None, "R²"),
        (np.arange(N) // 2, None, "R²"),
        (NUMBERS, None, "R²"),
        (NUMBERS, "regression", "R²"),
        (np.arange(N) % 3 / 2, None, "R²"),
        (np.arange(N) % 3 / 2, "classification", "accuracy"),
    ],
)
def test_the_task(tmp_path: Path, y: Any, task: str | None, score: str) -> None:
    path = npz(tmp_path / "some.npz", x=RANDOM.normal(size=(N, 2)), y=y)
    assert load(path, task=task).score.name == score


def test_many_classes_are_taken_where_the_user_says_so(tmp_path: Path) -> None:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))[np.arange(26 * 5) % 26]
    path = npz(tmp_path / "letters.npz", x=RANDOM.normal(size=(130, 2)), y=letters)
    assert "2-32-26" in load(path, task="classification").about


def test_labels_follow_the_order_of_the_classes(tmp_path: Path) -> None:
    x = np.arange(N)[:, None] % 3
    problem = load(npz(tmp_path / "some.npz", x=x, y=np.array(["c", "a", "b"])[x[:, 0]]))
    order = problem.train_part.x[:, 0].argsort()
    np.testing.assert_array_equal(problem.train_part.y[order], np.repeat([2, 0, 1], 6))


def test_na_is_a_text_and_a_missing_number(tmp_path: Path) -> None:
    """Namibia's code is NA."""
    country = np.array(["DE", "NA"])[np.arange(N) % 2]
    assert "country (2 values)" in load(csv(tmp_path / "c.csv", columns(country=country)), "kind", strict=True).about
    refused(tmp_path / "d.csv", lambda path: csv(path, columns(size=["1.5", "NA"] * 15)), "kind", None,
            "column 'size' has a missing, NaN or infinite value in 15 of 30 rows, the first in row 2", strict=True)  # fmt: skip


def test_row_numbers_of_pandas_are_no_feature(tmp_path: Path) -> None:
    for name in ("", "__index_level_0__"):
        table = {name: list(range(N)), **columns()}
        for path in (csv(tmp_path / "pets.csv", table), pq(tmp_path / "pets.parquet", table)):
            problem = load(path, "kind")
            assert "2 other columns" in problem.about
            assert "The column of row numbers is left out." in problem.about


def test_lines_longer_than_arrow_s_blocks(tmp_path: Path) -> None:
    wide = {f"{i:020000}": range(i, i + N) for i in range(60)}
    assert "60-32-1" in load(csv(tmp_path / "wide.csv", {**wide, "y": NUMBERS}), "y").about


def test_a_fraction_far_down_a_column_of_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("a,y\n" + "1,2\n0,3\n" * 150_000 + "0.5,2\n" * 5)
    assert load(path, "y").train_size > 150_000
