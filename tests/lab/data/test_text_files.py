"""Text files in every usual encoding, with every usual separator, compressed or not, with names or without: the same table."""

from __future__ import annotations

import bz2
import gzip
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from thalweg.lab.data.datasets import load
from thalweg.lab.refusal import Refusal

RNG = np.random.default_rng(3)
SIZES = RNG.gamma(2, 800, 60).round(2)
CITY = np.array(["Köln", "Zürich", "São Paulo"])[np.arange(60) % 3]
HEAD = ["Größe", "Stadt", "note"]


def table(separator: str = ",", decimal: str = ".", head: bool = True) -> str:
    sizes = [f"{size:.2f}".replace(".", decimal) for size in SIZES]
    quoted = [f'"{size}"' if separator == decimal else size for size in sizes]
    rows = [separator.join(row) for row in zip(quoted, CITY, ["1.5", "2.5", "3"] * 20, strict=True)]
    return "\n".join([separator.join(HEAD)] * head + rows) + "\n"


PLAIN = table()
FORMS: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "utf-8 with its mark": ("x.csv", PLAIN.encode("utf-8-sig"), ()),
    "utf-16": ("x.csv", PLAIN.encode("utf-16"), ()),
    "utf-16, without its mark": ("x.csv", PLAIN.encode("utf-16-le"), ()),
    "utf-16, the other way round": ("x.csv", PLAIN.encode("utf-16-be"), ()),
    "latin-1": ("x.csv", PLAIN.encode("latin-1"), ("its text is not in UTF-8: read as Windows-1252 (Latin-1)",)),
    "semicolons": ("x.csv", table(";").encode(), ()),
    "tabs": ("x.tsv", table("\t").encode(), ()),
    "bars": ("x.txt", table("|").encode(), ()),
    "semicolons and decimal commas": ("x.csv", table(";", ",").encode(), ()),
    "decimal commas in quotes": ("x.csv", table(",", ",").encode(), ()),
    "Excel's line": ("x.csv", f"sep=;\r\n{table(';')}".encode(), ()),
    "Windows' line ends": ("x.csv", PLAIN.replace("\n", "\r\n").encode(), ()),
    "spaces after commas": ("x.csv", PLAIN.replace(",", ", ").encode(), ()),
    "gz": ("x.csv.gz", gzip.compress(PLAIN.encode()), ()),
    "bz2": ("x.csv.bz2", bz2.compress(PLAIN.encode()), ()),
    "zst": ("x.TSV.ZST", pa.compress(table("\t").encode(), "zstd", asbytes=True), ()),
    "an empty column at the end": ("x.csv", PLAIN.replace("\n", ",\n").encode(), ("column 'column 4' has no values: left out",)),
    "an empty cell at each row's end": (
        "x.csv", PLAIN.replace("\n", ",\n").replace("note,", "note", 1).encode(), ("column 'column 4' has no values: left out",),
    ),
    "the names of R's rows": (
        "x.csv", "\n".join([PLAIN.splitlines()[0], *(f"{i},{line}" for i, line in enumerate(PLAIN.splitlines()[1:]))]).encode(), (),
    ),
    "a row too long": (
        "x.csv", (PLAIN + "1,Köln,2,3\n").encode(),
        ("1 row with more cells than there are columns, the first '1,Köln,2,3' with 4 instead of 3: left out",),
    ),
    "a title and a remark": (
        "x.csv", f"# A remark, with a comma\n\nTitle\n{PLAIN}".encode(),
        ("it begins with 2 lines of fewer cells than the 3 of most others: left out",),
    ),
    "a title and an empty line, filled up by Excel": (
        "x.csv", f"Sizes, as of 1.2.2026;;\r\n;;\r\n{table(';', ',')}".encode(),
        ("it begins with 2 lines of fewer cells than the 3 of most others: left out",),
    ),
    "sizes before the table": (
        "x.csv", f"60\n{PLAIN}".encode(), ("it begins with a line of fewer cells than the 3 of most others: left out",),
    ),
    "columns between spaces": ("x.txt", table(" ").replace("São Paulo", "São").replace(" ", "   ").encode(), ()),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_the_same_table(form: str, tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text(PLAIN, "utf-8")  # a city's name does not matter, but for its place in the alphabet
    wanted = load(tmp_path / "plain.csv", "Größe", strict=True)
    name, content, repairs = FORMS[form]
    (tmp_path / name).write_bytes(content)
    found = load(tmp_path / name, "Größe")
    assert found.fingerprint == wanted.fingerprint
    np.testing.assert_array_equal(found.train_part.x, wanted.train_part.x)
    assert found.preparation is not None
    assert found.preparation.repairs == repairs
    if repairs:
        with pytest.raises(Refusal):
            load(tmp_path / name, "Größe", strict=True)


def test_a_column_is_found_however_its_accents_are_spelled(tmp_path: Path) -> None:
    """As one letter, or as a letter and its accent; the eye sees no difference."""
    path = write(tmp_path / "x.csv", PLAIN)
    assert load(path, unicodedata.normalize("NFD", "Größe")).fingerprint == load(path, "Größe").fingerprint
    apart = write(tmp_path / "y.csv", unicodedata.normalize("NFD", PLAIN))
    assert load(apart, "Größe", ignore=["Stadt"]).train_size == load(path, "Größe", ignore=["Stadt"]).train_size


def test_short_rows_have_gaps_at_their_ends(tmp_path: Path) -> None:
    lines = PLAIN.splitlines()
    whole, short = ([*lines[:5], f"{lines[5].rpartition(',')[0]}{end}", *lines[6:]] for end in (",", ""))
    wanted = load(write(tmp_path / "x.csv", "\n".join(whole)), "Größe")
    found = load(write(tmp_path / "y.csv", "\n".join(short)), "Größe")
    assert found.fingerprint == wanted.fingerprint
    assert wanted.preparation is not None
    assert found.preparation is not None
    told = (
        f"1 row with fewer cells than there are columns, the first '{short[5]}' with 2 instead of 3: those at the end are missing"
    )
    assert found.preparation.repairs == (told, *wanted.preparation.repairs)


def test_without_names_the_columns_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(table(head=False), "utf-8")
    with pytest.raises(Refusal, match="say with --target which column to predict: column 1, column 2, column 3"):
        load(path)
    assert load(path, "column 1").fingerprint == load(write(tmp_path / "y.csv", PLAIN), "Größe").fingerprint
    with pytest.raises(Refusal, match="its first line holds numbers, and no names of columns"):
        load(path, "column 1", strict=True)


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_years_are_names(tmp_path: Path) -> None:
    years = "country,2019,2020\n" + "".join(f"{'ABC'[i % 3]},{i / 7:.3f},{i}\n" for i in range(60))
    assert "from 2 other columns" in load(write(tmp_path / "x.csv", years), "2020", strict=True).about


def test_a_separator_that_may_be_two(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "a,b;c\n" + "".join(f"{i},{i * 7 % 10};{i % 4}\n" for i in range(60)))
    with pytest.raises(Refusal, match="its columns may be separated by semicolons or commas"):
        load(path, "c", strict=True)
    problem = load(path, "c")
    assert problem.preparation is not None
    assert problem.preparation.repairs[0].endswith("read with semicolons")


@pytest.mark.parametrize(
    ("cells", "meant", "told"),
    [
        (lambda x: f"{x:.1f} %", 1, "units are left out"),
        (lambda x: f"${x * 1e6:,.0f}", 1e6, "units are left out"),
        (lambda x: f"€ {x * 1000:,.2f}".replace(",", "_").replace(".", ",").replace("_", "."), 1000, "decimal commas, units are left out"),
        (lambda x: f"{x * 1000:,.1f}".replace(",", "'"), 1000, ""),
        (lambda x: f"{x * 1000:,.1f}".replace(",", "\u202f"), 1000, ""),
        (lambda x: f"{-x:e}".replace(".", ","), -1, "decimal commas"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(cells: Callable[[float], str], meant: float, told: str, tmp_path: Path) -> None:
    values = RNG.normal(20, 5, 60).round(1)
    path = write(tmp_path / "x.csv", "a;y\n" + "".join(f"{cells(x)};{i % 2}\n" for i, x in enumerate(values)))
    problem = load(path, "y", strict=True)
    plainly = load(
        write(tmp_path / "z.csv", "a,y\n" + "".join(f"{float(f'{meant * x:.6g}')!r},{i % 2}\n" for i, x in enumerate(values))),
        "y",
    )
    np.testing.assert_allclose(problem.train_part.x, plainly.train_part.x, rtol=1e-5)
    assert problem.preparation is not None
    assert problem.preparation.columns[1].holds == f"numbers{f' ({told})' if told else ''}"


def test_a_small_file_that_holds_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from thalweg.lab.data import text_file

    monkeypatch.setattr(text_file, "LARGEST", 1 << 20)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * (1 << 19)))
    with pytest.raises(Refusal, match="holds more than"):
        load(tmp_path / "x.csv.gz", "b")
