"""Whatever is in a user's data file: a problem, or a refusal in one sentence. THALWEG_FUZZ: how many cases of each kind."""

from __future__ import annotations

import datetime
import decimal
import gzip
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from thalweg.lab.data.datasets import load
from thalweg.lab.refusal import CONTROLS, Refusal

fuzz = settings(
    deadline=None,
    max_examples=int(os.environ.get("THALWEG_FUZZ", "60")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ODD_NAMES = ["", " ", "a", "y", "Y", "\x1b[31mred", "\x9b31m", "a\0b", "\u202ereversed", "<b>", "'", '"', "a,b", "\n", "\r", "\t", "{x}", "%s", "[bold]",
             "__index_level_0__", "ä" * 300, "\ufeff", "\ud7ff", "-1", "None", "NaN"]  # fmt: skip
names = st.one_of(st.sampled_from(ODD_NAMES), st.text(max_size=6))
cells = st.one_of(
    st.sampled_from(["", " ", "NA", "nan", "inf", "-inf", "1e999", "1_000", "1,000", "0x1F", "true", "True", "2026-01-02", "12:30", "1e-400", "1" * 400,
                     "9223372036854775808", "1,5", "1.234,56", "$5", "5 %", "01.02.2026", "31/12/99", "2 Jan 2026", "-", "\x1b", "\0", "=1+1", "?", "None", "\ufeff1", '"', "1;2"]),
    st.integers(-3, 3).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(max_size=4),
)  # fmt: skip
ARROW = [
    pa.array([], pa.null()),
    pa.array([1, None, 3]),
    pa.array([2**63], pa.uint64()),
    pa.array([True, False, None]),
    pa.array([0.5, float("nan"), float("inf")]),
    pa.array([1.0, -2.0], pa.float16()),
    pa.array(["a", "\x1b[0m", "", None]),
    pa.array(["a", "b"], pa.large_string()),
    pa.array([b"\xff", b"a"]),
    pa.array([b"\xff", b"a"], pa.large_binary()),
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([1, 2, 1]).dictionary_encode(),
    pa.array([datetime.date(2026, 1, 2)]),
    pa.array([datetime.timedelta(1)]),
    pa.array([datetime.time(12)]),
    pa.array([decimal.Decimal("1.50"), decimal.Decimal("-2.25")]),
    pa.array([[1, 2], []]),
    pa.array([{"u": 1}]),
    pa.array([{"u": {"v": "\x1b"}}]),
    pa.MapArray.from_arrays([0, 1], ["k"], [1]),
]
ARRAYS = [
    "?",
    "b",
    "u1",
    "i8",
    "u8",
    "f2",
    "f4",
    "f8",
    "g",
    "c16",
    "U3",
    "S3",
    "M8[s]",
    "m8[s]",
    "V4",
    [("a", "f8"), ("b", "i4")],
]


def tried(path: Path, content: bytes, target: str | None, task: str | None, strict: bool = False) -> None:
    """Writes the file and loads it. A refusal is one sentence that names it, or a list; a problem can be trained and judged."""
    path.write_bytes(content)
    try:
        problem = load(path, target, task, strict=strict)
    except Refusal as refusal:
        problem, said = None, refusal.message
    if problem is None:
        assert said.startswith(f"{path}: ")
        assert len(said) > len(f"{path}: ")
        return
    assert problem.preparation is not None
    assert not CONTROLS.search(problem.name + problem.about + repr(problem.preparation))
    assert not (strict and problem.preparation.repairs)
    params = problem.init([1, 2])
    losses, _ = problem.loss_and_grad(params, next(iter(problem.draws([1, 2], 4))))
    for found in (losses, *problem.validate(params, [1, 2]), *problem.test(params, [1, 2])):
        assert found.shape == (2,)


def mostly(data: Any, usual: Any, others: st.SearchStrategy[Any]) -> Any:
    """The usual one, four times of five."""
    return data.draw(others) if data.draw(st.integers(1, 5)) == 5 else usual


def damaged(data: Any, content: bytes) -> bytes:
    """As it is, cut off, or with some bytes changed."""
    how = mostly(data, "whole", st.sampled_from(["cut", "changed"]))
    if how == "cut":
        return content[: data.draw(st.integers(0, len(content)))]
    changed = bytearray(content)
    if how == "changed" and changed:
        for place in data.draw(st.lists(st.integers(0, len(changed) - 1), min_size=1, max_size=4)):
            changed[place] = data.draw(st.integers(0, 255))
    return bytes(changed)


def asked(data: Any, known: list[str]) -> tuple[str | None, str | None]:
    """A target, mostly one that is there, and a task, mostly none."""
    usual = data.draw(st.sampled_from(known)) if known else None
    return mostly(data, usual, st.one_of(st.none(), names)), mostly(data, None, st.sampled_from(["classification", "regression"]))


def named(data: Any) -> list[str]:
    """Names of columns, mostly each another."""
    found: list[str] = data.draw(st.lists(names, min_size=2, max_size=4, unique=True))
    return mostly(data, found, st.lists(names, max_size=4))  # type: ignore[no-any-return]


USUAL = [["0", "1"], ["red", "green", "blue"], ["1", "2.5", "-3", "4e1", "5", "6.25", "7"], ["true", "false"]]


@fuzz
@given(st.data())
def test_csv(tmp_path: Path, data: Any) -> None:
    columns = named(data)
    odd = st.lists(cells, min_size=1, max_size=3)
    kinds = [mostly(data, data.draw(st.sampled_from(USUAL)), odd) for _ in columns]
    rows = mostly(data, 40, st.sampled_from([0, 1, 19, 20]))
    quoted = mostly(data, True, st.just(False))

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quoted else text

    comma, end = mostly(data, ",", st.sampled_from([";", "\t", "|"])), mostly(data, "\n", st.sampled_from(["\r\n", "\r"]))
    lines = [comma.join(map(cell, columns))]
    lines += [comma.join(cell(own[(row + row // 7) % len(own)]) for own in kinds) for row in range(rows)]
    encoding = mostly(data, "utf-8", st.sampled_from(["utf-8-sig", "utf-16", "latin-1"]))
    name, pack = mostly(data, ("x.csv", bytes), st.just(("x.csv.gz", gzip.compress)))
    content = damaged(data, pack(end.join(lines).encode(encoding, "replace")))
    tried(tmp_path / name, content, *asked(data, columns), mostly(data, False, st.just(True)))


@fuzz
@given(
    st.binary(max_size=200),
    st.sampled_from([".csv", ".npz", ".parquet", ".tsv.gz", ".txt.bz2", ".csv.zst"]),
    st.one_of(st.none(), names),
)
def test_bytes(tmp_path: Path, content: bytes, suffix: str, target: str | None) -> None:
    tried(tmp_path / f"x{suffix}", content, target, None)


def array(data: Any, kind: Any, shape: tuple[int, ...]) -> Any:
    """Three values in turn where that can be, else whatever some bytes mean."""
    size = int(np.prod(shape))
    if np.dtype(kind).kind in "biufc" and mostly(data, True, st.just(False)):
        return (np.arange(size) % 3).astype("i8").astype(kind).reshape(shape)
    content = data.draw(st.binary(min_size=np.dtype(kind).itemsize, max_size=np.dtype(kind).itemsize)) * size
    return np.zeros(shape, object) if kind == "O" else np.frombuffer(content, np.dtype(kind), count=size).reshape(shape)


@fuzz
@given(st.data())
def test_npz(tmp_path: Path, data: Any) -> None:
    rows = mostly(data, 40, st.sampled_from([0, 1, 20]))
    arrays = {}
    for name in mostly(data, ["x", "y"], st.lists(st.sampled_from(["x", "y", "z", "\x1b", "a/b", ".."]), max_size=3)):
        usual = (rows, *data.draw(st.sampled_from([(), (1,), (2, 2)]))) if name == "x" else (rows,)
        shape = mostly(data, usual, st.sampled_from([(), (3,), (rows, 0), (rows, 1), (rows, 2)]))
        arrays[name] = array(data, mostly(data, "f8", st.sampled_from(ARRAYS)), shape)
    file = io.BytesIO()
    np.savez(file, **arrays)
    tried(tmp_path / "x.npz", damaged(data, file.getvalue()), mostly(data, None, st.just("y")), asked(data, [])[1])


@fuzz
@given(st.data())
def test_parquet(tmp_path: Path, data: Any) -> None:
    columns = named(data)
    rows = mostly(data, 45, st.sampled_from([0, 1, 20]))
    arrays = []
    for _ in columns:
        usual = data.draw(st.sampled_from([pa.array([0.5, 1.5, 2.5]), pa.array(["a", "b"]), pa.array([1, 2, 3])]))
        own = mostly(data, usual, st.sampled_from(ARROW))
        places = pa.array([(row + row // 7) % len(own) for row in range(rows)] if len(own) else [], pa.int64())
        arrays.append(own.take(places) if len(own) else pa.nulls(rows))
    file = io.BytesIO()
    try:
        parquet.write_table(pa.table(arrays, names=columns), file)
    except (pa.ArrowException, ValueError):
        return  # not every name or type can be written
    tried(tmp_path / "x.parquet", damaged(data, file.getvalue()), *asked(data, columns))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_is_odd_is_shown_plainly_or_refused(name: str, tmp_path: Path) -> None:
    """As the target, beside a column with another odd name, in a file that is right otherwise."""
    rows = np.random.default_rng(0).normal(size=(40, 2)).round(2)
    parquet.write_table(
        pa.table([pa.array(rows[:, 0]), pa.array(rows[:, 1])], names=[name, f"{name}\x1b]0;x\x07"]), tmp_path / "x.parquet"
    )
    tried(tmp_path / "x.parquet", (tmp_path / "x.parquet").read_bytes(), name, None)
