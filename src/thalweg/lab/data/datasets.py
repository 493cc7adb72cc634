"""A problem from a user's data file, or a Refusal that names all that is wrong with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from thalweg.form.hyper import nearest
from thalweg.lab.data import target as targets
from thalweg.lab.data import treatment
from thalweg.lab.data.columns import Column, Unusable, column, counted
from thalweg.lab.data.doubts import Complaints, Doubt
from thalweg.lab.data.files import SUFFIXES, Table, kind, read_npz, read_table, reading
from thalweg.lab.data.inputs import Inputs
from thalweg.lab.data.parts import Array
from thalweg.lab.data.supervised import Supervised, supervised
from thalweg.lab.data.text_file import COMPRESSED
from thalweg.lab.data.treatment import ROW_NUMBERS, Preparation, Treated
from thalweg.lab.refusal import Refusal, plain

LEAST_ROWS = 20
SHOWN = 20
"""The most column names listed in a message."""


@dataclass
class _Found:
    """What was read: inputs by name, or an array x; the target and its name; and what is known of each column."""

    name: str
    y: Column
    columns: dict[str, Column]
    x: Array | None = None
    unused: tuple[Treated, ...] = ()


def _of(found: Column, kept: Array) -> Column:
    return replace(found, values=found.values[kept], missing=found.missing[kept])


def load(
    path: Path,
    target: str | None = None,
    task: str | None = None,
    block: int = 0,
    *,
    ignore: Sequence[str] = (),
    strict: bool = False,
) -> Supervised:
    """Load the problem of predicting a column from all others, or y from x.

    What is doubtful is repaired, and `preparation` says how.

    Parameters
    ----------
    path : Path
        A table as text, which may be compressed, or Parquet; or .npz with arrays x (n, ...), flattened, and y (n,).
    target : str | None
        The column to predict; None for .npz.
    task : str | None
        "regression" or "classification"; None: the latter for text, booleans and whole numbers of at most 20 values.
    block : int
        The block of a comparison; each has a split of its own.
    ignore : Sequence[str]
        Columns to leave out.
    strict : bool
        Whether to refuse what is doubtful.

    Raises
    ------
    Refusal
        If the data cannot be read or used; the message names all that is wrong.
    """
    if task not in (None, "classification", "regression"):
        raise Refusal(f"the task '{task}' is neither classification nor regression")
    complaints = Complaints(path := Path(path), strict)
    with reading(path):
        is_npz = _suffix(path) == ".npz"
        found = _from_npz(path, target, ignore, complaints) if is_npz else _from_table(path, target, ignore, complaints)
        return _problem(path, found, task, block, complaints)


def _problem(path: Path, found: _Found, task: str | None, block: int, complaints: Complaints) -> Supervised:
    """The problem, of rows with a target alone. Raises Refusal with all complaints."""
    name = f"column '{found.name}'" if found.x is None else found.name
    complaints.doubts += [replace(doubt, what=f"{name} {doubt.what}") for doubt in found.y.doubts]
    if found.y.kind == "date":
        complaints.errors.append(f"{name} holds dates, which are neither numbers nor classes")
    if found.y.missing.any():
        complaints.doubts.append(treatment.gaps(name, found.y, "these rows are left out"))
    kept = ~found.y.missing
    x, columns = _inputs(found, kept, complaints)
    if kept.sum() < LEAST_ROWS:
        with_it = "" if kept.all() else " with a value to predict"
        complaints.errors.append(
            f"{counted(int(kept.sum()))}{with_it} cannot be split to train, tune and judge on; at least {LEAST_ROWS} can"
        )
    complaints.refuse(final=False)
    y = _of(found.y, kept)
    classes = targets.is_classification(name, y, task, complaints)
    complaints.refuse(final=False)
    if classes:
        wanted, common = targets.labels(name, y, complaints)
        x = replace(x, x=x.x[common])
    else:
        wanted = targets.values(name, y, block, complaints)
    complaints.refuse()
    about = f"{plain(path.name)}: {_about(found, columns, len(wanted))}"
    problem = supervised(plain(path.stem), plain(about), x, wanted, block=block)
    columns = tuple(replace(each, name=plain(each.name), holds=plain(each.holds)) for each in columns)
    problem.preparation = Preparation(columns, tuple(plain(str(doubt)) for doubt in complaints.doubts))
    return problem


def _inputs(found: _Found, kept: Array, complaints: Complaints) -> tuple[Inputs, tuple[Treated, ...]]:
    """The inputs of the rows that are kept, and what is done with each column."""
    numbers = np.flatnonzero(kept)
    if found.x is not None:
        x = found.x[kept]
        if x.dtype.kind == "f" and not np.isfinite(x).all():
            missing = np.asarray(~np.isfinite(x).all(axis=1))
            complaints.doubts.append(treatment.gaps("x", Column(x[:, 0], missing), rows=numbers))
            x = np.where(np.isfinite(x), x, np.nan)
        return Inputs(x), ()
    known, used = [], {}
    for name, whole in found.columns.items():
        each = _of(whole, kept)
        done, doubts = treatment.treated(name, each, numbers)
        known.append(done)
        complaints.doubts += doubts
        if done.used:
            used[name] = each
    if not used:
        if len(found.y.values) >= LEAST_ROWS:  # of a few rows there is more to say
            left = "".join(f"; '{each.name}' is {each.treatment}" for each in (*known, *found.unused)[:SHOWN])
            complaints.errors.append(f"there is no column besides '{found.name}' to predict it from{left}")
        used = {found.name: _of(found.y, kept)}
    y = Treated(found.name, treatment.holds(found.y), "the target")
    return treatment.inputs(used), (y, *known, *found.unused)


def _about(found: _Found, columns: Sequence[Treated], rows: int) -> str:
    """The data in a few words."""
    if found.x is not None:
        return f"{counted(rows)}, {found.x.shape[1]:,} inputs."
    used = [column for column in columns if column.used]
    told = [f"'{found.name}' from {counted(len(used), 'other column')}, {counted(rows)}."]
    encoded = [
        f"{column.name} ({len(found.columns[column.name].texts or ())} values)"
        for column in used
        if column.treatment.startswith("one-hot")
    ]
    told += [f"One-hot encoded: {_listed(encoded)}."] if encoded else []
    left = [column.name for column in columns if column.treatment.startswith("left out")]
    told += ["The column of row numbers is left out."] if any(name in ROW_NUMBERS for name in left) else []
    named = [name for name in left if name not in ROW_NUMBERS]
    told += [f"Left out: {_listed(named)}."] if named else []
    return " ".join(told)


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
    if not kind(path):
        ends = f"{_or(SUFFIXES)} (of text also with {_or(tuple(COMPRESSED))} after that)"
        raise Refusal(f"{path}: its name does not say what kind of file it is; give one that ends in {ends}")
    return kind(path)


def _from_npz(path: Path, target: str | None, ignore: Sequence[str], complaints: Complaints) -> _Found:
    if target is not None:
        raise Refusal(f"{path}: an .npz file predicts its array y from its array x; leave --target out")
    if ignore:
        raise Refusal(f"{path}: an .npz file has no columns to ignore; leave --ignore out")
    x, y = read_npz(path)
    if len(x) != len(y.values):
        complaints.errors.append(f"x has {counted(len(x))}, but y has {len(y.values):,}")
    if x.size == 0:
        complaints.errors.append(f"x is empty, of shape {x.shape}")
    complaints.refuse()
    return _Found("y", y, {}, x.reshape(len(x), -1))


def _from_table(path: Path, target: str | None, ignore: Sequence[str], complaints: Complaints) -> _Found:
    table = read_table(path)
    complaints.doubts += table.doubts
    all_names: list[str] = table.columns.column_names
    names = [name for name in all_names if name not in ROW_NUMBERS]
    if target is None:
        raise Refusal(f"{path}: say with --target which column to predict: {_listed(names)}")
    written = {unicodedata.normalize("NFC", name).strip(): name for name in all_names}  # letters with accents have two spellings
    target, *ignored = (
        name if name in all_names else written.get(unicodedata.normalize("NFC", name).strip(), name.strip())
        for name in (target, *ignore)
    )
    for name in (target, *ignored):
        if name not in (names if name == target else all_names):
            complaints.errors.append(f"there is no column '{name}' among {_listed(names)}{nearest(name, names)}")
    if target in ignored:
        complaints.errors.append(f"column '{target}' is to be predicted and cannot be ignored")
    if table.columns.num_rows == 0:
        complaints.errors.append("has the names of columns, but no rows")
    complaints.refuse(final=False)
    columns, unused = _columns(table, [name for name in all_names if name not in ignored], complaints)
    unused += [Treated(name, "", "left out: by --ignore") for name in ignored]
    if target not in columns:
        complaints.errors.append(f"column '{target}' holds {next(one.holds for one in unused if one.name == target)}")
    complaints.refuse(final=False)
    return _Found(target, columns.pop(target), columns, unused=tuple(unused))


def _columns(table: Table, names: Sequence[str], complaints: Complaints) -> tuple[dict[str, Column], list[Treated]]:
    """The columns by name, and those that hold nothing to learn from."""
    found, unused = {}, []
    for name in names:
        try:
            found[name] = column(table.columns[name], table.decimal_comma)
        except Unusable as error:
            unused.append(Treated(name, str(error), "left out: neither numbers nor text"))
            complaints.doubts.append(Doubt(f"column '{name}' holds {error}", "left out"))
    return found, unused


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
