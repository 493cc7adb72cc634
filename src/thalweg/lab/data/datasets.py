"""A problem from a user's data file, or a Refusal that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from thalweg.form.hyper import nearest
from thalweg.lab.data.files import SUFFIXES, Column, column, read_npz, read_table, reading
from thalweg.lab.data.parts import Array, split
from thalweg.lab.data.supervised import Supervised, supervised
from thalweg.lab.plain import plain
from thalweg.lab.refusal import Refusal

KINDS = 20
"""The most values of a text column, and of a target of whole numbers that is taken as classes."""
LEAST_ROWS = 20
LEAST_OF_A_CLASS = 5
"""The fewest samples of a class that a 60/20/20 split can spread over all parts."""
SHOWN = 20
"""The most column names listed in a message."""
ROW_NUMBERS = ("", "__index_level_0__")
"""The names that pandas gives to row numbers in CSV and Parquet files."""


def load(path: Path, target: str | None = None, task: str | None = None, block: int = 0) -> Supervised:
    """Load the problem of predicting a column from all others, or y from x.

    Text columns are one-hot encoded and may have at most 20 values; booleans become 0 and 1. A target of text, booleans or
    whole numbers with at most 20 values means classification, any other regression.

    Parameters
    ----------
    path : Path
        A .csv, .parquet or .npz file; the latter with arrays x (n, ...), flattened, and y (n,).
    target : str | None
        The column to predict; None for .npz.
    task : str | None
        "classification" or "regression"; None: inferred from the target.
    block : int
        The block of a comparison; each has a split of its own.

    Raises
    ------
    Refusal
        If the data cannot be read or used; the message says why in one sentence.
    """
    path = Path(path)
    if task not in (None, "classification", "regression"):
        raise Refusal(f"the task '{task}' is neither classification nor regression")
    with reading(path):
        x, y, about = _from_npz(path, target) if _suffix(path) == ".npz" else _from_table(path, target)
        name = "y" if target is None else f"column '{target}'"
        if len(x) < LEAST_ROWS:
            raise Refusal(f"{path}: {_rows(len(x))} cannot be split to train, tune and judge on; at least {LEAST_ROWS} can")
        wanted = _labels(path, name, y) if _is_classification(path, name, y, task) else _values(path, name, y, block)
        return supervised(plain(path.stem), plain(about), x, wanted, block=block)


def _suffix(path: Path) -> str:
    """The kind of file, after checking that it exists."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise Refusal(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise Refusal(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from None
    if path.is_dir():
        raise Refusal(f"{path}: this is a folder; give a {_or(SUFFIXES)} file")
    if not path.is_file():
        raise Refusal(f"{path}: this is no ordinary file; give a {_or(SUFFIXES)} file")
    if path.suffix.lower() not in SUFFIXES:
        raise Refusal(f"{path}: its name does not say what kind of file it is; give one that ends in {_or(SUFFIXES)}")
    return path.suffix.lower()


def _from_npz(path: Path, target: str | None) -> tuple[Array, Column, str]:
    if target is not None:
        raise Refusal(f"{path}: an .npz file predicts its array y from its array x; leave --target out")
    x, y = read_npz(path)
    if len(x) != len(y.values):
        raise Refusal(f"{path}: x has {_rows(len(x))}, but y has {len(y.values):,}")
    if x.size == 0:
        raise Refusal(f"{path}: x is empty, of shape {x.shape}")
    flat = x.reshape(len(x), -1)
    if flat.dtype.kind == "f":
        _refuse_gaps(path, "x", np.asarray(~np.isfinite(flat).all(axis=1)))
    _refuse_gaps(path, "y", y.missing)
    return flat, y, f"{path.name}: {_rows(len(x))}, {flat.shape[1]:,} inputs."


def _from_table(path: Path, target: str | None) -> tuple[Array, Column, str]:
    table = read_table(path)
    named = [name for name in table.column_names if name not in ROW_NUMBERS]
    if target is None:
        raise Refusal(f"{path}: say with --target which column to predict: {_listed(named)}")
    if target not in named:
        raise Refusal(f"{path}: there is no column '{target}' among {_listed(named)}{nearest(target, named)}")
    if table.num_rows == 0:
        raise Refusal(f"{path}: has the names of columns, but no rows")
    if len(named) == 1:
        raise Refusal(f"{path}: there is no column besides '{target}' to predict it from")
    columns = {name: column(path, name, table[name]) for name in named}
    for name, each in columns.items():
        _refuse_gaps(path, f"column '{name}'", each.missing)
    y = columns.pop(target)
    others = f"{len(columns):,} other column{'s' if len(columns) > 1 else ''}"
    about = [f"{path.name}: '{target}' from {others}, {_rows(len(y.values))}."]
    kinds = [f"{name} ({len(each.texts)} values)" for name, each in columns.items() if each.texts is not None]
    if kinds:
        about.append(f"One-hot encoded: {', '.join(kinds)}.")
    if table.num_columns > len(columns) + 1:
        about.append("The column of row numbers is left out.")
    return np.concatenate([_features(path, *item) for item in columns.items()], axis=1), y, " ".join(about)


def _features(path: Path, name: str, found: Column) -> Array:
    """Numeric columns unchanged, text one-hot encoded: (n, features) in float64."""
    if found.texts is None:
        return found.values.astype(np.float64)[:, None]
    if len(found.texts) > KINDS:
        _refuse_mixture(path, f"column '{name}'", found.texts)
        raise Refusal(
            f"{path}: column '{name}' holds text with {len(found.texts):,} different values, and at most {KINDS} can be one-hot "
            "encoded; leave it out of the file"
        )
    return np.asarray(found.values[:, None] == np.arange(len(found.texts)), np.float64)


def _is_classification(path: Path, name: str, y: Column, task: str | None) -> bool:
    """Whether the task is classification. Raises Refusal if task and target contradict each other."""
    different = len(np.unique(y.values))
    if y.texts is not None:
        if task == "regression":
            raise Refusal(f"{path}: {name} holds text, and regression predicts numbers; leave --task out")
        if task is None and different > KINDS:
            _refuse_mixture(path, name, y.texts)
            raise Refusal(f"{path}: {name} holds text with {different:,} values; if they are classes, say --task classification")
        return True
    if task == "classification" and different > KINDS and not _whole(y.values):
        raise Refusal(f"{path}: {name} holds {different:,} numbers with fractions, which are no classes; leave --task out")
    return task == "classification" or (task is None and different <= KINDS and _whole(y.values))


def _whole(values: Array) -> bool:
    return values.dtype.kind != "f" or bool((values == np.round(values)).all())


def _labels(path: Path, name: str, y: Column) -> Array:
    """Class numbers 0..k-1."""
    different, labels, counts = np.unique(y.values, return_inverse=True, return_counts=True)
    words = [y.texts[place] for place in different] if y.texts is not None else different.tolist()
    if len(words) == 1:
        raise Refusal(f"{path}: {name} has only one value, {words[0]}; there are no classes to tell apart")
    if counts.min() < LEAST_OF_A_CLASS:
        hint = " (or say --task regression)" if y.texts is None else ""
        raise Refusal(
            f"{path}: class {words[counts.argmin()]} of {name} has {_rows(int(counts.min()))}; to train, tune and judge on, "
            f"each class needs at least {LEAST_OF_A_CLASS}{hint}"
        )
    return labels.astype(np.int64)


def _values(path: Path, name: str, y: Column, block: int) -> Array:
    """Regression targets in float64."""
    values = y.values.astype(np.float64)
    for rows in split(np.zeros(len(values), np.intp), block):
        first = values[rows[0]]
        if (values[rows] == first).all():
            raise Refusal(f"{path}: {name} hardly varies; a part to train, tune or judge on would hold only the value {first:g}")
    return values


def _refuse_gaps(path: Path, name: str, missing: Array) -> None:
    if missing.any():
        raise Refusal(
            f"{path}: {name} has a missing, NaN or infinite value in {missing.sum():,} of {_rows(len(missing))}, the first in "
            f"row {missing.argmax() + 1:,}; fill them in or leave them out"
        )


def _refuse_mixture(path: Path, name: str, texts: Sequence[str]) -> None:
    """Raises Refusal for a numeric column read as text because of a few entries such as "?" for missing."""
    others = [text for text in texts if not _is_number(text)]
    if others and len(others) < len(texts) / 2:
        raise Refusal(f"{path}: {name} holds numbers, but also text such as '{others[0]}'; fill in numbers or leave its rows out")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python also reads 1_000 as a number


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
