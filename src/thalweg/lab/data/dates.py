"""Dates and times, as numbers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.lab.data.doubts import Doubt
from thalweg.lab.data.parts import Array
from thalweg.lab.data.written_numbers import some, too_many

DAY = 86_400
TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%m-%d-%Y", "%d-%m-%Y",
        "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S", "T%H:%M:%SZ", " %I:%M %p", " %I:%M:%S %p")
PERIODS = {"time of the year": 365.2425, "day of the week": 7.0, "time of day": 1.0}
"""Of dates, in days."""


@dataclass(frozen=True)
class Read:
    """days: since 1970, by text. told: how they were read. doubts: what is doubtful."""

    days: dict[str, float]
    told: str
    doubts: tuple[Doubt, ...]


def days(found: Any) -> Array:
    """Days since 1970 (n,) of an Arrow column of dates or timestamps; NaN where there is none."""
    from pyarrow import types

    if types.is_date32(found.type):
        per_day, whole = 1, found.cast("int32")
    else:
        per_day, whole = DAY * TICKS["ms" if types.is_date64(found.type) else found.type.unit], found.cast("int64")
    values: Array = whole.cast("float64", safe=False).to_numpy()
    return values / per_day


def read(texts: Sequence[str]) -> Read | None:
    """Read different texts as dates, all in one form; None if they are none. A few words among them are missing values."""
    import pyarrow as pa
    from pyarrow import compute

    maybe = [any(sign.isdigit() for sign in text) and len(text) < 40 for text in texts]
    dated, words = ([text for text, is_one in zip(texts, maybe, strict=True) if is_one is sort] for sort in (True, False))
    if not dated or too_many(words, len(dated)):
        return None
    array, four = pa.array(dated, pa.string()), all(_has_year(text) for text in dated)
    fits = []
    for form, time in itertools.product(DAYS, TIMES):
        if four != ("%Y" in form):
            continue
        for part in (array.slice(0, 20), array):
            found = compute.strptime(part, format=form + time, unit="s", error_is_null=True)
            if found.null_count:
                break
        else:
            fits.append((form, days(found).tolist()))
    if not fits:
        return None
    form, first = fits[0]
    other = next((other for other, values in fits[1:] if values != first), None)
    doubts = [Doubt(f"holds dates, but also text such as {some(words)}", "read as missing")] if words else []
    if other:
        told = f"has dates such as '{dated[0]}', whose day and month cannot be told apart"
        doubts.append(Doubt(told, f"read as {_words(form)}"))
    return Read(dict(zip(dated, first, strict=True)), _words(form), tuple(doubts))


def _words(form: str) -> str:
    """ "day.month.year" for "%d.%m.%Y"."""
    return re.sub("%(.)", lambda found: {"y": "year", "d": "day"}.get(found[1].lower(), "month"), form)


def _has_year(text: str) -> bool:
    return any(sum(1 for _ in run) == 4 for digit, run in itertools.groupby(text, str.isdigit) if digit)


def numbers(values: Array) -> Array:
    """Dates (n,) as numbers (n, 5 or 7): the days since 1970, and the sine and cosine of each period that they show."""
    turns = 2 * np.pi * values[:, None] / np.array(list(_periods(values).values()))
    return np.column_stack([values, np.sin(turns), np.cos(turns)])


def parts(values: Array) -> list[str]:
    """What these numbers are, in words."""
    return ["days since 1970", *(f"{name} (sine and cosine)" for name in _periods(values))]


def _periods(values: Array) -> dict[str, float]:
    """All periods, but of dates without times only those longer than a day."""
    timed = (values[np.isfinite(values)] % 1).any()
    return {name: days for name, days in PERIODS.items() if timed or days > 1}
