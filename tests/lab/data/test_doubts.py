"""Data as people have them: each doubt with its repair, which strict reading refuses."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.data.tables import KIND, NUMBERS, RANDOM, N, columns, csv, npz, pq, refused
from thalweg.lab.data.datasets import load
from thalweg.lab.refusal import Refusal

NAMES = [f"n{i}" for i in range(N)]
MANY = [f"n{i % 25}" for i in range(100)]
FILLED = "filled with the median of the training rows, and marked"

TABLES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a gap": (
        columns(c=[1.5, "", *range(28)]), "column 'c' has a missing, NaN or infinite value in 1 of 30 rows, the first in row 2", FILLED,
    ),
    "infinity": (
        columns(c=[*range(28), "inf", "-inf"]),
        "column 'c' has a missing, NaN or infinite value in 2 of 30 rows, the first in row 29", FILLED,
    ),
    "an empty column": (columns(c=[""] * N), "column 'c' has no values", "left out"),
    "a gap in text": (
        columns(c=["u", "v", " "] * 10), "column 'c' has a missing, NaN or infinite value in 10 of 30 rows, the first in row 3",
        "a gap is a value of its own",
    ),
    "a gap in the target": (
        {**columns(), "kind": ["", *KIND[1:]]}, "column 'kind' has a missing, NaN or infinite value in 1 of 30 rows, the first in row 1",
        "these rows are left out",
    ),
    "names": (columns(name=NAMES), "column 'name' holds 30 different texts in 30 rows", "left out"),
    "many texts": (
        {"a": list(range(1, 200, 2))[:100], "kind": list("uvwxy") * 20, "city": MANY}, "column 'city' holds 25 different texts",
        "the 19 most frequent are told apart",
    ),
    "row numbers by name": (columns(pet_id=range(7, 7 + N)), "column 'pet_id' numbers the rows, as its name says", "left out"),
    "row numbers by an abbreviation": (
        columns(**{"Nr.": range(N)}),
        "column 'Nr.' numbers the rows, as its name says",
        "left out",
    ),
    "row numbers by a sign": (columns(**{"#": range(N)}), "column '#' numbers the rows, as its name says", "left out"),
    "row numbers in German": (
        columns(**{"Lfd. Nummer": range(N)}),
        "column 'Lfd. Nummer' numbers the rows, as its name says",
        "left out",
    ),
    "two spellings": (columns(yes=["yes", "no", "Yes"] * 10), "column 'yes' has both 'yes' and 'Yes'", "read as one value"),
    "a name twice": (
        {**columns(), " a": [7, 8] * 15}, "two columns are called 'a'", "the second is taken as 'a (2)'",
    ),
    "days or months": (
        columns(day=["1/2/2026", "3/4/2026"] * 15), "column 'day' has dates such as '1/2/2026', whose day and month cannot be told apart",
        "read as month/day/year",
    ),
    "thousands or fractions": (
        columns(c=['"1,500"', '"12"'] * 15), "column 'c' holds '1,500', which may be 1500 or 1.5", "read as 1500",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_a_doubt_is_repaired_and_told_or_refused(case: str, tmp_path: Path) -> None:
    table, what, repair = TABLES[case]
    refused(tmp_path / "some.csv", lambda path: csv(path, table), "kind", None, what, strict=True)
    problem = load(tmp_path / "some.csv", "kind")
    assert problem.preparation is not None
    assert problem.preparation.repairs == (f"{what}: {repair}",)
    for part in (problem.train_part, problem.validation_part, problem.test_part):
        assert np.isfinite(part.x).all()


def test_one_pass_names_every_complaint(tmp_path: Path) -> None:
    table = columns(c=[1.5, "?", *range(28)], name=NAMES, empty=[""] * N, y=[3] * N)
    refused(tmp_path / "some.csv", lambda path: csv(path, table), "y", None,
            "column 'y' has only one value, 3; there are no classes to tell apart\n"
            "  also: column 'c' has '?' in 1 row among its values\n"
            "  also: column 'c' has a missing, NaN or infinite value in 1 of 30 rows, the first in row 2\n"
            "  also: column 'name' holds 30 different texts in 30 rows\n"
            "  also: column 'empty' has no values", strict=True)  # fmt: skip
    with pytest.raises(Refusal) as error:
        load(tmp_path / "some.csv", "z", ignore=["nmae", "y"])
    assert error.value.message.splitlines() == [
        f"{tmp_path / 'some.csv'}: there is no column 'z' among a, b, kind, c, name, empty, y",
        "  also: there is no column 'nmae' among a, b, kind, c, name, empty, y; did you mean 'name'?",
    ]


def test_what_is_certain_is_no_doubt(tmp_path: Path) -> None:
    """Decimal commas, dates whose order is clear, true and false, a constant column, pandas' row numbers."""
    table = {
        "": range(N), "size": [f'"{i},25"' for i in range(N)], "day": [f"{13 + i % 9}.01.2026" for i in range(N)],
        "flag": ["true", "false", "true"] * 10, "same": ["x"] * N, "kind": KIND,
    }  # fmt: skip
    problem = load(csv(tmp_path / "some.csv", table), "kind", strict=True)
    assert problem.preparation is not None
    assert problem.preparation.repairs == ()
    told = {column.name: f"{column.holds}; {column.treatment}" for column in problem.preparation.columns}
    assert told == {
        "kind": "3 different texts; the target",
        "": "numbers; left out: it numbers the rows",
        "size": "numbers (decimal commas); as it is",
        "day": "dates (day.month.year); days since 1970, time of the year (sine and cosine), day of the week (sine and cosine)",
        "flag": "numbers (true is 1, false 0); as it is",
        "same": "1 different text; left out: it has only one value",
    }


def test_ignored_columns(tmp_path: Path) -> None:
    table = columns(name=NAMES, **{"odd, name": ["", *range(29)]})
    problem = load(csv(tmp_path / "some.csv", {key if "," not in key else f'"{key}"': own for key, own in table.items()}),
                   "kind", ignore=["name", "odd, name", " b"], strict=True)  # fmt: skip
    assert "Left out: name, odd, name, b." in problem.about
    assert problem.fingerprint == load(csv(tmp_path / "bare.csv", {"a": NUMBERS, "kind": KIND}), "kind").fingerprint
    with pytest.raises(Refusal, match="column 'kind' is to be predicted and cannot be ignored"):
        load(tmp_path / "some.csv", "kind", ignore=["kind"])
    with pytest.raises(Refusal, match="no columns to ignore"):
        load(npz(tmp_path / "some.npz", x=NUMBERS[:, None], y=KIND), ignore=["x"])


def test_rare_classes_are_left_out_if_they_are_few_rows(tmp_path: Path) -> None:
    table = {"a": RANDOM.normal(size=100), "y": ["u"] * 50 + ["v"] * 47 + ["rare", "rare", "rarer"]}
    what = "class rare of column 'y' has 2 rows, class rarer of column 'y' has 1 row; to train, tune and judge on, each class needs at least 5"
    refused(tmp_path / "some.csv", lambda path: csv(path, table), "y", None, what, strict=True)
    problem = load(tmp_path / "some.csv", "y")
    assert problem.preparation is not None
    assert problem.preparation.repairs == (f"{what}: 3 rows left out",)
    assert (problem.train_size + len(problem.validation_part.x) + problem.test_size, problem.train_part.y.max()) == (97, 1)


def test_numbers_with_a_few_words_between_them(tmp_path: Path) -> None:
    """Words for missing among few numbers; any words among many; a text column where they are many."""
    few = load(csv(tmp_path / "few.csv", columns(c=[*range(3), "N/A", "?"] * 6)), "kind")
    some = load(csv(tmp_path / "some.csv", {"a": [*range(99), "lost"], "kind": ["u", "v"] * 50}), "kind")
    text = load(csv(tmp_path / "text.csv", columns(c=["1", "2", "A"] * 10)), "kind")
    assert [each.preparation and each.preparation.repairs for each in (few, some, text)] == [
        ("column 'c' has 'N/A' in 12 rows among its values: read as missing",
         f"column 'c' has a missing, NaN or infinite value in 12 of 30 rows, the first in row 4: {FILLED}"),
        ("column 'a' holds numbers, but also text such as 'lost': read as missing",
         f"column 'a' has a missing, NaN or infinite value in 1 of 100 rows, the first in row 100: {FILLED}"),
        (),
    ]  # fmt: skip
    assert "c (3 values)" in text.about


def test_dates_with_a_few_words_between_them(tmp_path: Path) -> None:
    """Any words among many dates; a text column where they are many, or the dates few."""
    days = [f"{1 + i % 28}.{1 + i // 28}.2026" for i in range(100)]
    kinds, gap = ["u", "v"] * 50, "has a missing, NaN or infinite value in 2 of 100 rows, the first in row 1"
    some = load(csv(tmp_path / "some.csv", {"day": ["at once", *days[1:99], "soon"], "kind": kinds}), "kind")
    assert some.preparation is not None
    assert some.preparation.repairs == (
        "column 'day' holds dates, but also text such as 'at once', 'soon': read as missing", f"column 'day' {gap}: {FILLED}",
    )  # fmt: skip
    words = [f"at {chr(97 + i)} time" for i in range(12)]
    for values in ([*words, *days[12:]], [*days[:20] * 4, *["soon"] * 20]):
        text = load(csv(tmp_path / "text.csv", {"a": range(100), "day": values, "kind": kinds}), "kind")
        assert text.preparation is not None
        assert [f"column 'day' holds {len(set(values))} different texts" in text.preparation.repairs[0]] == [True]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (pa.array([{"u": 1}] * N), "struct<u: int64>, neither numbers nor text"),
        (pa.array([b"\xff"] * N), "bytes that are no text, neither numbers nor text"),
    ],
)
def test_columns_of_other_types_are_left_out(values: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    refused(path, lambda path: pq(path, columns(c=values)), "kind", None, f"column 'c' holds {says}", strict=True)
    assert load(path, "kind").fingerprint == load(pq(tmp_path / "bare.parquet", columns()), "kind").fingerprint
    refused(path, lambda path: pq(path, columns(c=values)), "c", None, f"column 'c' holds {says}")


@pytest.mark.parametrize(
    ("values", "count"),
    [
        (pa.array([datetime.datetime(2026, 1, 2, i % 24) for i in range(N)]), 7),
        (pa.array([datetime.date(2026, 1, 2 + i % 7) for i in range(N)]), 5),
        (pa.array([datetime.timedelta(i) for i in range(N)]), 1),
        (pa.array([datetime.time(i % 24) for i in range(N)]), 1),
    ],
)
def test_times_are_numbers(values: Any, count: int, tmp_path: Path) -> None:
    problem = load(pq(tmp_path / "some.parquet", columns(c=values)), "kind", strict=True)
    assert problem.train_part.x.shape[1] == 2 + count


def test_arrays_with_gaps(tmp_path: Path) -> None:
    x = np.where(np.arange(N)[:, None] == [3, 5], np.nan, RANDOM.normal(size=(N, 2)))
    path = tmp_path / "some.npz"
    what = "x has a missing, NaN or infinite value in 2 of 30 rows, the first in row 4"
    refused(path, lambda path: npz(path, x=x, y=KIND), None, None, what, strict=True)
    for y, gap in (([*range(28), np.inf, 0.5], 29), (["", *KIND[1:]], 1)):
        what = f"y has a missing, NaN or infinite value in 1 of 30 rows, the first in row {gap}"
        refused(path, lambda path, own=y: npz(path, x=np.nan_to_num(x), y=own), None, None, what, strict=True)
        problem = load(path)
        assert problem.preparation is not None
        assert problem.preparation.repairs == (f"{what}: these rows are left out",)
        assert problem.train_size + len(problem.validation_part.x) + problem.test_size == N - 1


def test_a_gap_only_in_a_row_that_is_left_out_is_none(tmp_path: Path) -> None:
    """As in a last row with a total; rows are counted as in the file."""
    table = columns(c=[*range(29), ""], d=["", "", *range(28)])
    table["kind"] = ["", *KIND[1:29].tolist(), ""]
    problem = load(csv(tmp_path / "some.csv", table), "kind")
    assert problem.preparation is not None
    assert problem.preparation.repairs == (
        "column 'kind' has a missing, NaN or infinite value in 2 of 30 rows, the first in row 1: these rows are left out",
        f"column 'd' has a missing, NaN or infinite value in 1 of 28 rows, the first in row 2: {FILLED}",
    )
