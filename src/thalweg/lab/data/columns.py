"""Columns of numbers, dates and text, from Arrow's columns: what a person would read in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from thalweg.lab.data import dates, written_numbers
from thalweg.lab.data.doubts import Doubt
from thalweg.lab.data.parts import Array

MISSING = {"na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", ".", "*", "missing"}
"""Words for a missing number or date. In a column of text they are ordinary values: NA is Namibia."""


@dataclass(frozen=True)
class Column:
    """values (n,): real numbers, days since 1970, or indices into `texts`. missing (n,): no value, or not a finite one.

    told: how it was read, if not as it stands. doubts: what is doubtful in that, without the column's name.
    """

    values: Array
    missing: Array
    texts: tuple[str, ...] | None = None
    kind: Literal["number", "date", "text"] = "number"
    told: str = ""
    doubts: tuple[Doubt, ...] = ()


class Unusable(Exception):
    """Raised for a column of neither numbers nor dates nor text; the message is what it holds."""


def column(found: Any, decimal_comma: bool = False) -> Column:
    """A column of an Arrow table. decimal_comma: whether 1,500 is rather 1.5. Raises Unusable."""
    from pyarrow import types

    if types.is_dictionary(found.type):
        found = found.cast(found.type.value_type)
    kind = found.type
    if any(is_one(kind) for is_one in (types.is_string, types.is_large_string, types.is_string_view)):
        return _of_text(found, decimal_comma)
    if any(is_one(kind) for is_one in (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null)):
        return numbers(_numbers(found), "true is 1, false 0" if types.is_boolean(kind) else "")
    if types.is_date(kind) or types.is_timestamp(kind):
        days = dates.days(found)
        return Column(days, np.isnan(days), kind="date")
    if types.is_time(kind) or types.is_duration(kind):
        return numbers(_numbers(found.cast(f"int{kind.bit_width}")), "a time, counted")
    raise Unusable(f"{'bytes that are no text' if types.is_binary(kind) else kind}, neither numbers nor text")


def numbers(values: Array, told: str = "", doubts: Sequence[Doubt] = ()) -> Column:
    """A column of numbers, of which those that are not finite are missing."""
    return Column(values, ~np.isfinite(values), told=told, doubts=tuple(doubts))


def words(codes: Array, missing: Array, texts: Sequence[str], doubts: Sequence[Doubt] = ()) -> Column:
    """A column of text, as indices into its texts."""
    return Column(codes, missing, tuple(texts), "text", doubts=tuple(doubts))


def counted(count: int, thing: str = "row") -> str:
    """A number of things in words: "1 row", "2,000 rows"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _numbers(found: Any) -> Array:
    from pyarrow import compute, float64, types

    if found.null_count == 0 and (types.is_integer(found.type) or types.is_boolean(found.type)):
        whole: Array = found.to_numpy()  # unchanged: not every large integer is a float64
        return whole
    values: Array = compute.cast(found, float64(), safe=False).to_numpy()
    return values


def _of_text(found: Any, decimal_comma: bool) -> Column:
    """What the different texts of a column are: numbers, dates or words. Blank is missing."""
    from pyarrow import compute, large_string

    encoded = compute.utf8_trim_whitespace(found.cast(large_string())).combine_chunks().dictionary_encode()
    texts: list[str] = [*encoded.dictionary.to_pylist(), ""]
    codes: Array = encoded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False).astype(np.intp)
    meant = [text for text in texts if text and text.casefold() not in MISSING]
    if meant:
        if (read := written_numbers.read(meant, decimal_comma)) is not None:
            return numbers(_spread(texts, codes, read.values), read.told, [*_marks(texts, codes), *read.doubts])
        if (found_dates := dates.read(meant)) is not None:
            days = _spread(texts, codes, found_dates.days)
            return Column(days, np.isnan(days), None, "date", found_dates.told, (*_marks(texts, codes), *found_dates.doubts))
    return _one_spelling(texts, codes)


def _spread(texts: Sequence[str], codes: Array, values: Mapping[str, float]) -> Array:
    """Each row's value; NaN for a text without one."""
    return np.array([values.get(text, np.nan) for text in texts], np.float64)[codes]


def _marks(texts: Sequence[str], codes: Array) -> list[Doubt]:
    """The doubt about words that are taken for a missing value."""
    marks = [i for i, text in enumerate(texts) if text.casefold() in MISSING]
    if not marks:
        return []
    rows = counted(int(np.isin(codes, marks).sum()))
    return [Doubt(f"has '{texts[marks[0]]}' in {rows} among its values", "read as missing")]


def _one_spelling(texts: Sequence[str], codes: Array) -> Column:
    """A column of words, of which those that differ in upper case alone are one: the first of them in the file."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(text.casefold(), text)
    known = sorted(text for text in first.values() if text)
    place = {text: i for i, text in enumerate(known)} | {"": -1}
    values = np.array([place[first[text.casefold()]] for text in texts], np.intp)[codes]
    double = [text for text in texts if first[text.casefold()] != text]
    doubts = [Doubt(f"has both '{first[double[0].casefold()]}' and '{double[0]}'", "read as one value")] if double else []
    return words(values, values < 0, known, doubts)
