"""CSV, Parquet and NPZ files as columns of numbers and text. No pickle is ever loaded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.lab.data.parts import Array
from thalweg.lab.refusal import Refusal

SUFFIXES = (".csv", ".parquet", ".npz")


@dataclass(frozen=True)
class Column:
    """values (n,): real numbers, or indices into `texts` if given. missing (n,): no value, or not a finite one."""

    values: Array
    missing: Array
    texts: tuple[str, ...] | None = None


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
        return x, Column(places, np.char.strip(y) == "", tuple(texts.tolist()))
    return x, Column(y, ~np.isfinite(y))


def read_table(path: Path) -> Any:
    """Read a .csv or .parquet file as an Arrow table with distinct column names. Raises Refusal for anything else."""
    with reading(path):
        if path.stat().st_size == 0:
            raise Refusal(f"{path}: the file is empty")
        if path.suffix.lower() == ".csv":
            _refuse_separators(path)
        table = READERS[path.suffix.lower()](path)
        names: list[str] = table.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refusal(f"{path}: two columns are called '{twice}'; the first line must name all columns, each differently")
    return table


def _is_text(line: bytes) -> bool:
    try:
        return line.decode().rstrip("\r\n").replace("\t", " ").isprintable()
    except UnicodeDecodeError:
        return False


def _refuse_separators(path: Path) -> None:
    """Raises Refusal if the first line is not separated by commas, or the file is not UTF-8."""
    with path.open("rb") as file:
        first = file.readline(1 << 20)
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refusal(f"{path}: its text is in UTF-16; save it in UTF-8")
    for sign, word in ((b";", "semicolons"), (b"\t", "tabs"), (b"|", "bars")):
        if sign in first and b"," not in first and b"\0" not in first and _is_text(first):
            raise Refusal(f"{path}: its columns are separated by {word}; wanted commas")


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
        raise Refusal(f"{path}: this is no {path.suffix.lower()} file, or a damaged one ({first})") from error


def _read_csv(path: Path) -> Any:
    from pyarrow import csv

    whole = min(path.stat().st_size + 1, 2**31 - 1)  # one block: a line may exceed Arrow's default block size
    return csv.read_csv(path, read_options=csv.ReadOptions(block_size=whole))


def _read_parquet(path: Path) -> Any:
    from pyarrow import parquet

    return parquet.ParquetFile(path).read()


READERS: dict[str, Callable[[Path], Any]] = {".csv": _read_csv, ".parquet": _read_parquet}


def column(path: Path, name: str, found: Any) -> Column:
    """A column of an Arrow table. Raises Refusal if it holds neither numbers nor text."""
    from pyarrow import types

    if types.is_dictionary(found.type):
        found = found.cast(found.type.value_type)
    kind = found.type
    text = (types.is_string, types.is_large_string, types.is_string_view)
    number = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null)
    if any(is_one(kind) for is_one in text):
        return _text(found)
    if any(is_one(kind) for is_one in number):
        return _numbers(found)
    if types.is_binary(kind):
        raise Refusal(f"{path}: column '{name}' holds bytes that are no text in UTF-8; wanted numbers or text")
    what = "dates or times, which are" if types.is_temporal(kind) else f"{kind}, which is"
    raise Refusal(f"{path}: column '{name}' holds {what} neither numbers nor text; turn it into those or leave it out")


def _numbers(found: Any) -> Column:
    from pyarrow import compute, float64, types

    if found.null_count == 0 and (types.is_integer(found.type) or types.is_boolean(found.type)):
        values = found.to_numpy()  # unchanged: not every large integer is a float64
    else:
        values = compute.cast(found, float64(), safe=False).to_numpy()
    return Column(values, ~np.isfinite(values))


def _text(found: Any) -> Column:
    """A text column. Blank is missing; a text such as NA is an ordinary value."""
    encoded = found.combine_chunks().dictionary_encode()
    known = encoded.dictionary.to_pylist()
    texts = sorted(known)
    place = {text: i for i, text in enumerate(texts)}
    places = np.array([*(place[text] for text in known), -1], np.intp)  # the last one is for nulls
    values = places[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    blank = np.array([*(not text.strip() for text in texts), True])
    return Column(values, blank[values], tuple(texts))
