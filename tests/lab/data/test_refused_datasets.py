"""Data of the user's own: the sentence for everything that cannot be read or learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.data.tables import KIND, NUMBERS, RANDOM, N, columns, csv, npz, pq, refused
from thalweg.lab.data import datasets
from thalweg.lab.data.datasets import load
from thalweg.lab.data.files import kind
from thalweg.lab.refusal import Refusal


def test_what_is_no_file(tmp_path: Path) -> None:
    def nothing(_: Path) -> None: ...

    refused(tmp_path / "none.csv", nothing, "y", None, "there is no such file")
    refused(tmp_path / "none.csv" / "deeper.csv", nothing, "y", None, "there is no such file")
    refused(tmp_path, nothing, "y", None, "this is a folder; give a .csv, .tsv, .txt, .parquet or .npz file")
    refused(tmp_path / ("x" * 300 + ".csv"), nothing, "y", None, "cannot be read (File name too long)")
    refused(Path("/dev/null"), nothing, "y", None, "this is no ordinary file; give a .csv, .tsv, .txt, .parquet or .npz file")
    for name in ("data.xlsx", "data", "data.parquet.gz", "data.gz"):
        refused(tmp_path / name, lambda path: path.write_text("a,b\n1,2\n"), "b", None,
                "its name does not say what kind of file it is; give one that ends in .csv, .tsv, .txt, .parquet or .npz "
                "(of text also with .gz, .bz2 or .zst after that)")  # fmt: skip


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", closed)
    refused(tmp_path / "some.npz", lambda path: np.savez(path, x=[1], y=[1]), None, None, "cannot be read (Permission denied)")


def test_a_file_that_does_not_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(datasets, "read_table", full)
    refused(tmp_path / "some.csv", lambda path: csv(path, columns()), "kind", None, "does not fit into this machine's memory")


KINDS_OF_DAMAGE = {
    "some.csv.gz": b"a,b\n1,2\n",
    "some.csv": b'"',
    "some.parquet": b"PAR1 and then nothing that is Parquet",
    "short.parquet": b"PAR",
}


@pytest.mark.parametrize("name", KINDS_OF_DAMAGE)
def test_damaged_tables(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(KINDS_OF_DAMAGE[name])
    with pytest.raises(Refusal) as error:
        load(path, "b")
    assert error.value.message.startswith(f"{path}: this is no {kind(path)} file, or a damaged one (")
    assert "\n" not in error.value.message


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    for content in (bytes(range(256)) * 4, b"a,b\n1,\0\n", "a,b\n".encode("utf-16")[:-1]):
        refused(tmp_path / "some.csv", lambda path, own=content: path.write_bytes(own), "b", None,
                "this is no text, or it is damaged, or in an encoding other than UTF-8, UTF-16 and Latin-1")  # fmt: skip


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("name", ["some.npz", "some.parquet"])
def test_files_cut_short(tmp_path: Path, name: str, keep: float) -> None:
    path = tmp_path / name
    if path.suffix == ".npz":
        npz(path, x=RANDOM.normal(size=(N, 3)), y=KIND)
    else:
        pq(path, columns())
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(Refusal, match="damaged"):
        load(path, None if path.suffix == ".npz" else "kind")


def test_a_damaged_member_of_an_npz_file(tmp_path: Path) -> None:
    path = npz(tmp_path / "some.npz", x=RANDOM.normal(size=(N, 3)), y=KIND)
    whole = bytearray(path.read_bytes())
    whole[200:260] = bytes(60)
    path.write_bytes(whole)
    with pytest.raises(Refusal, match="damaged"):
        load(path)


TABLES: dict[str, tuple[dict[str, Any], str | None, str | None, str]] = {
    "no target": (columns(), None, None, "say with --target which column to predict: a, b, kind"),
    "no target among many": (
        {f"c{i}": [1] for i in range(23)}, None, None,
        "say with --target which column to predict: " + ", ".join(f"c{i}" for i in range(20)) + " and 3 more",
    ),
    "misspelt target": (columns(), "knid", None, "there is no column 'knid' among a, b, kind; did you mean 'kind'?"),
    "another target": (columns(), "price", None, "there is no column 'price' among a, b, kind"),
    "no rows": ({"a": [], "b": []}, "b", None, "has the names of columns, but no rows"),
    "one column": ({"kind": KIND}, "kind", None, "there is no column besides 'kind' to predict it from"),
    "nothing to learn from": (
        {"a": [1] * N, "id": range(N), "b": range(N)}, "b", None,
        "there is no column besides 'b' to predict it from; 'a' is left out: it has only one value; 'id' is left out: it numbers the rows",
    ),
    "dates to predict": (
        columns(day=["2026-01-02"] * N), "day", None, "column 'day' holds dates, which are neither numbers nor classes",
    ),
    "two complaints": (
        {"a": range(19), "day": ["2026-01-02"] * 19}, "day", None,
        "column 'day' holds dates, which are neither numbers nor classes\n  also: 19 rows cannot be split to train, tune and judge on; at least 20 can",
    ),
    "few rows": ({"a": range(19), "b": range(19)}, "b", None, "19 rows cannot be split to train, tune and judge on; at least 20 can"),
    "one row": ({"a": [1], "b": [1]}, "b", None, "1 row cannot be split to train, tune and judge on; at least 20 can"),
    "names to predict": (
        columns(name=[f"n{i}" for i in range(N)]), "name", None,
        "column 'name' holds text with 30 values; if they are classes, say --task classification",
    ),
    "names as classes": (
        columns(name=[f"n{i}" for i in range(N)]), "name", "classification",
        "class n0 of column 'name' has 1 row, class n1 of column 'name' has 1 row, class n10 of column 'name' has 1 row, class n11 of column 'name' has 1 row, "
        "class n12 of column 'name' has 1 row (and 25 more classes as few); to train, tune and judge on, each class needs at least 5",
    ),
    "one class": (
        {**columns(), "kind": ["cat"] * N}, "kind", None, "column 'kind' has only one value, cat; there are no classes to tell apart",
    ),
    "one class of numbers": (
        columns(y=[3] * N), "y", None, "column 'y' has only one value, 3; there are no classes to tell apart",
    ),
    "a rare class": (
        columns(y=[*["u"] * 26, *["rare"] * 4]), "y", None,
        "class rare of column 'y' has 4 rows; to train, tune and judge on, each class needs at least 5",
    ),
    "a rare number": (
        columns(y=[*[2] * 26, *[5] * 4]), "y", None,
        "class 5 of column 'y' has 4 rows; to train, tune and judge on, each class needs at least 5 (or say --task regression)",
    ),
    "a constant": (
        columns(y=[1.5] * N), "y", None,
        "column 'y' hardly varies; a part to train, tune or judge on would hold only the value 1.5",
    ),
    "a constant but once": (
        columns(y=[1.5, *[2] * 29]), "y", None,
        "column 'y' hardly varies; a part to train, tune or judge on would hold only the value 2",
    ),
    "text as numbers": (
        columns(), "kind", "regression", "column 'kind' holds text, and regression predicts numbers; leave --task out",
    ),
    "numbers as classes": (
        columns(), "a", "classification", "column 'a' holds 30 numbers with fractions, which are no classes; leave --task out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_tables_that_cannot_be_learned_from(tmp_path: Path, case: str) -> None:
    table, target, task, sentence = TABLES[case]
    refused(tmp_path / "some.csv", lambda path: csv(path, table), target, task, sentence)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet"):
        refused(tmp_path / f"empty{suffix}", lambda path: path.write_text(""), "b", None, "the file is empty")
    refused(tmp_path / "wide.csv", lambda path: path.write_text("a,b\n" + "1,2\n" * 30 + "1,2,3\n" * 2), "b", None,
            "2 of its 32 rows have more cells than the first line, such as '1,2,3' with 3 instead of 2; this is no table, or a damaged one")  # fmt: skip


def test_nothing_is_wrong_before_the_target_is_known(tmp_path: Path) -> None:
    """Who has yet to name the target is told the columns first, whatever these hold."""
    refused(tmp_path / "some.csv", lambda path: csv(path, columns(day=["2026-01-02"] * N)), None, None,
            "say with --target which column to predict: a, b, kind, day")  # fmt: skip


X = RANDOM.normal(size=(N, 2))
ARRAYS: dict[str, tuple[dict[str, Any], str]] = {
    "no y": ({"x": X, "z": X}, "there is no array y; wanted x and y, and there are x, z"),
    "no x": ({"y": X}, "there is no array x; wanted x and y, and there are y"),
    "lengths": ({"x": X, "y": KIND[1:]}, "x has 30 rows, but y has 29"),
    "a table of targets": (
        {"x": X, "y": X},
        "x has shape (30, 2) and y (30, 2); wanted (n, ...) and (n,), one target for each sample",
    ),
    "a number": ({"x": 1.0, "y": KIND}, "x has shape () and y (30,); wanted (n, ...) and (n,), one target for each sample"),
    "nothing": ({"x": X[:0], "y": KIND[:0]}, "x is empty, of shape (0, 2)"),
    "no features": ({"x": X[:, :0], "y": KIND}, "x is empty, of shape (30, 0)"),
    "complex": ({"x": X * 1j, "y": KIND}, "x holds complex128; wanted numbers"),
    "text": ({"x": KIND[:, None], "y": KIND}, "x holds <U3; wanted numbers"),
    "bytes": ({"x": X, "y": KIND.astype("S")}, "y holds |S3; wanted numbers or text"),
    "dates": ({"x": X, "y": np.zeros(N, "M8[s]")}, "y holds datetime64[s]; wanted numbers or text"),
    "pickles": ({"x": X, "y": KIND.astype(object)}, "holds pickled objects, which could run any program; save plain arrays"),
    "one class": ({"x": X, "y": np.ones(N, bool)}, "y has only one value, True; there are no classes to tell apart"),
    "few": ({"x": X[:4], "y": KIND[:4]}, "4 rows cannot be split to train, tune and judge on; at least 20 can"),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_cannot_be_learned_from(tmp_path: Path, case: str) -> None:
    arrays, sentence = ARRAYS[case]
    refused(tmp_path / "some.npz", lambda path: npz(path, **arrays), None, None, sentence)


def test_files_that_are_no_npz(tmp_path: Path) -> None:
    sentence = "this is no .npz file, or a damaged one; numpy.savez(path, x=x, y=y) writes one"
    refused(tmp_path / "empty.npz", lambda path: path.write_bytes(b""), None, None, sentence)
    refused(tmp_path / "text.npz", lambda path: path.write_text("x,y\n1,2\n"), None, None, sentence)
    refused(tmp_path / "some.npz", lambda path: npz(path, x=X, y=KIND), "kind", None,
            "an .npz file predicts its array y from its array x; leave --target out")  # fmt: skip


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Attack:
        def __reduce__(self) -> Any:
            return (Path.touch, (marker,))

    path = npz(tmp_path / "some.npz", x=X, y=np.array([Attack()] * N))
    with pytest.raises(Refusal, match="pickled"):
        load(path)
    assert not marker.exists()


def test_a_task_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="the task 'clustering' is neither classification nor regression"):
        load(csv(tmp_path / "some.csv", columns()), "kind", "clustering")


def test_members_that_are_no_arrays_and_text_that_is_none(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "bytes.npz", "w") as archive:
        archive.writestr("x", b"1, 2, 3")
        archive.writestr("y", b"1, 2, 3")
    npz(tmp_path / "text.npz", x=RANDOM.normal(size=(N, 2)), y=np.full(N, 0x7FFFFFFF, np.uint32).view("U1"))
    csv(tmp_path / "thousands.csv", {"a": [f'"1_{i:03}"' for i in range(N)], "y": NUMBERS.tolist()})
    for name, target in (("bytes.npz", None), ("text.npz", None), ("thousands.csv", "y")):
        with pytest.raises(Refusal):
            load(tmp_path / name, target)
