"""Text, Parquet and NPZ files as tables and arrays. No pickle is ever loaded."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.lab.data.columns import Column, counted, numbers, words
from thalweg.lab.data.doubts import Doubt
from thalweg.lab.data.parts import Array
from thalweg.lab.data.text_file import COMPRESSED, LARGEST, Text, read_text
from thalweg.lab.refusal import Refusal

TEXTS = (".csv", ".tsv", ".txt")
SUFFIXES = (*TEXTS, ".parquet", ".npz")
MOST_LOST = 0.05
"""The largest share of a text file's rows that may be left out for having another number of cells."""


def read_npz(path: Path) -> tuple[Array, Column]:
    """Read x (n, ...), real numbers, and y (n,). Raises Refusal for anything else."""
    with reading(path), path.open("rb") as file:
        if not zipfile.is_zipfile(file):  # NumPy would report it as a pickle
            raise Refusal(f"{path}: this is no .npz file, or a damaged one; numpy.savez(path, x=x, y=y) writes one")
        file.seek(0)
        with np.load(file, allow_pickle=False) as found:
            for key in ("x", "y"):
                if key not in found:
                    raise Refusal(f"{path}: there is no array {key}; wanted x and y, and there are {', '.join(found) or 'none'}")
            x, y = found["x"], found["y"]
    for key, array in (("x", x), ("y", y)):
        if not isinstance(array, np.ndarray):
            raise Refusal(f"{path}: {key} is no array; numpy.savez(path, x=x, y=y) writes it as one")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if x.ndim == 0 or y.ndim != 1:
        raise Refusal(f"{path}: x has shape {x.shape} and y {y.shape}; wanted (n, ...) and (n,), one target for each sample")
    for name, array, kinds in (("x", x, "fiub"), ("y", y, "fiubU")):
        if array.dtype.kind not in kinds:
            raise Refusal(f"{path}: {name} holds {array.dtype}; wanted numbers{' or text' if 'U' in kinds else ''}")
    if y.dtype.kind == "U":
        texts, places = np.unique(y, return_inverse=True)
        return x, words(places, np.char.strip(y) == "", texts.tolist())
    return x, numbers(y)


@dataclass(frozen=True)
class Table:
    """An Arrow table, each column under a name of its own, and whether its text has decimal commas, as where `;` separates."""

    columns: Any
    decimal_comma: bool
    doubts: tuple[Doubt, ...]


def read_table(path: Path) -> Table:
    """Read a text or Parquet file as a table. Raises Refusal for anything else."""
    with reading(path):
        if path.stat().st_size == 0:
            raise Refusal(f"{path}: the file is empty")
        return _read_parquet(path) if kind(path) == ".parquet" else _read_csv(path)


def kind(path: Path) -> str:
    """What a file's name says that it is: one of SUFFIXES, or "" if it does not."""
    *_, last = ["", *path.suffixes]
    suffix = last.lower()
    if suffix in COMPRESSED:
        inner = path.with_suffix("").suffix.lower()
        return inner if inner in TEXTS else ""
    return suffix if suffix in SUFFIXES else ""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Context manager: turn any exception raised while a user's file is read into a Refusal."""
    try:
        yield
    except Refusal:
        raise
    except MemoryError:
        raise Refusal(f"{path}: does not fit into this machine's memory") from None
    except Exception as error:
        if "allow_pickle" in str(error):
            raise Refusal(f"{path}: holds pickled objects, which could run any program; save plain arrays") from error
        if isinstance(error, OSError) and error.strerror:
            raise Refusal(f"{path}: cannot be read ({error.strerror})") from error
        first = str(error).strip().partition("\n")[0] or type(error).__name__
        raise Refusal(f"{path}: this is no {kind(path)} file, or a damaged one ({first})") from error


def _read_csv(path: Path) -> Table:
    text = read_text(path)
    table, odd = _parsed(text)
    doubts = list(text.doubts)
    if short := [row for row in odd if row.actual_columns < row.expected_columns]:
        doubts.append(Doubt(f"{counted(len(short))} with fewer cells than there are columns, the first {_told(short[0])}",
                            "those at the end are missing"))  # fmt: skip
        table, odd = _parsed(text.filled)
    doubts += _of_long(path, odd, table.num_rows)
    return _named(table, text.separator == ";", doubts)


def _parsed(text: Text) -> tuple[Any, list[Any]]:
    """The table, and the rows that have another number of cells, which are not in it."""
    from pyarrow import BufferReader, csv

    odd: list[Any] = []

    def skip(row: Any) -> str:
        odd.append(row)
        return "skip"

    content = text.text.encode()
    whole = min(len(content) + 1, LARGEST)  # one block: a line may exceed Arrow's default block size
    reads = csv.ReadOptions(block_size=whole, column_names=text.names, use_threads=False)
    parses = csv.ParseOptions(delimiter=text.separator, newlines_in_values=True, invalid_row_handler=skip)
    return csv.read_csv(BufferReader(content), reads, parses), odd


def _told(row: Any) -> str:
    return f"'{row.text[:20]}{'...' * (len(row.text) > 20)}' with {row.actual_columns} instead of {row.expected_columns}"


def _of_long(path: Path, odd: Sequence[Any], rows: int) -> list[Doubt]:
    """The doubt about rows with more cells than there are columns. Raises Refusal if there are many."""
    if not odd:
        return []
    if len(odd) > MOST_LOST * (rows + len(odd)):
        raise Refusal(
            f"{path}: {len(odd):,} of its {rows + len(odd):,} rows have more cells than the first line, such as {_told(odd[0])}; "
            "this is no table, or a damaged one"
        )
    return [Doubt(f"{counted(len(odd))} with more cells than there are columns, the first {_told(odd[0])}", "left out")]


def _read_parquet(path: Path) -> Table:
    from pyarrow import parquet

    return _named(parquet.ParquetFile(path).read(), False, [])


def _named(table: Any, decimal_comma: bool, doubts: list[Doubt]) -> Table:
    """Each column with a name of its own, without spaces around it."""
    names: dict[str, None] = {}
    for i, given in enumerate(table.column_names):
        name = base = given.strip() or (f"column {i + 1}" if i else "")  # of row numbers that pandas wrote
        for again in itertools.count(2):
            if name not in names:
                break
            name = f"{base} ({again})"
        if name != base:
            doubts.append(Doubt(f"two columns are called '{base}'", f"the second is taken as '{name}'"))
        names[name] = None
    return Table(table.rename_columns(list(names)), decimal_comma, tuple(doubts))
