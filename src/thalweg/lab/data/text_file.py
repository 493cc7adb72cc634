"""Text files as people have them: compressed or not, in any usual encoding, with any usual separator, with names or without."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from thalweg.lab.data.columns import counted
from thalweg.lab.data.doubts import Doubt
from thalweg.lab.refusal import Refusal

COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""How a file is compressed, by the end of its name."""
LARGEST = 2**31 - 1
"""The most bytes that a compressed file may hold, and Arrow reads at once."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
NO_NAMES = "its first line holds numbers, and no names of columns"
ALIKE = 0.95
"""The least share of rows with as many words that makes a text a table without separators."""
SAMPLE = 1 << 22
"""How many characters show what kind of table it is."""
SEEN = 100
"""How many rows show the separator."""
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
"""How a file begins that says its encoding."""
QUOTE = '"'
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Text:
    """The text of a table: its columns' names, if the first line does not give them, and what comes after."""

    text: str
    separator: str
    names: tuple[str, ...] | None
    doubts: tuple[Doubt, ...]

    @property
    def filled(self) -> Text:
        """The same with empty cells at the end of rows that are too short."""
        read = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.separator)
        rows = [row for row in read if row]
        width, whole = len(self.names or rows[0]), io.StringIO()
        csv.writer(whole, delimiter=self.separator).writerows([*row, *[""] * (width - len(row))] for row in rows)
        return replace(self, text=whole.getvalue())


def read_text(path: Path) -> Text:
    """Read a text file with a table. Raises Refusal for one that is no text."""
    doubts: list[Doubt] = []
    text = _decoded(path, _content(path), doubts)
    named = re.match(r'"?sep=(.)"?\r?\n', text)  # written by Excel
    if named:
        text, separator = text[named.end() :], named[1]
    elif (found := _separator(text, doubts)) is not None:
        separator = found
    else:
        text, separator = _in_columns(text)
    text = without_stray_quotes(text, separator, _usual(_rows(text, separator))[1], doubts)
    text = _after_remarks(text, separator, doubts)
    names = _names(_rows(text, separator), doubts)
    if names is not None and not any(doubt.what == NO_NAMES for doubt in doubts):
        text = _without_lines(text, 1)
    return Text(text, separator, names, tuple(doubts))


def _content(path: Path) -> bytes:
    import pyarrow as pa

    how = COMPRESSED.get(path.suffix.lower())
    if how is None:
        return path.read_bytes()
    with pa.CompressedInputStream(pa.OSFile(str(path)), how) as file:
        content: bytes = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Refusal(f"{path}: holds more than {LARGEST >> 30} GiB of text")
    return content


def _decoded(path: Path, content: bytes, doubts: list[Doubt]) -> str:
    named = next((encoding for mark, encoding in MARKS if content.startswith(mark)), None)
    text = _tried(content, named or _of_zeros(content))
    if text is None:
        text = _tried(content, "cp1252")  # which contains Latin-1, but for control characters
        doubts.append(Doubt("its text is not in UTF-8", "read as Windows-1252 (Latin-1)"))
    if text is None or "\0" in text:
        raise Refusal(f"{path}: this is no text, or it is damaged, or in an encoding other than UTF-8, UTF-16 and Latin-1")
    return text


def _tried(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _of_zeros(content: bytes) -> str:
    """UTF-16 without a mark, in which every other byte of most texts is 0; or UTF-8."""
    some = content[:4096]
    shares = [some[start::2].count(0) / max(1, len(some[start::2])) for start in (0, 1)]
    if max(shares) > 0.5 > 0.1 > min(shares):
        return "utf-16-be" if shares[0] > shares[1] else "utf-16-le"
    return "utf-8"


def _rows(text: str, separator: str) -> list[list[str]]:
    """The first rows that are not empty; none if they cannot be read so."""
    try:
        read = csv.reader(io.StringIO(text[:SAMPLE], newline=""), delimiter=separator)
        rows = [row for row in itertools.islice(read, SEEN) if row]
    except csv.Error:
        return []
    return rows[:-1] if len(text) > SAMPLE and len(rows) > 1 else rows  # the last one may be cut off


def _usual(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """The share of rows of the usual length, and that length."""
    lengths = Counter(map(len, rows))
    length = max(lengths, key=lambda each: (lengths[each], each), default=0)
    return lengths[length] / max(1, len(rows)), length


def _separator(text: str, doubts: list[Doubt]) -> str | None:
    """The separator with which most rows are of one length; None if there is none."""
    found = []
    for separator in SEPARATORS:
        alike, length = _usual(_rows(text, separator))
        if length > 1:  # of two that fit equally the comma may be a decimal one
            found.append((alike, length, separator != ",", separator))
    if not found:
        return None
    best = max(found)
    others = [each[-1] for each in found if each[:2] == best[:2] and each[-1] != best[-1]]
    if others:
        names = " or ".join(SEPARATORS[each] for each in (best[-1], *others))
        doubts.append(Doubt(f"its columns may be separated by {names}", f"read with {SEPARATORS[best[-1]]}"))
    return best[-1]


def _in_columns(text: str) -> tuple[str, str]:
    """The text with a tab in place of each run of spaces, if these make columns; and the separator."""
    spaced = re.sub(" +", "\t", re.sub("^ +| +$", "", text, flags=re.MULTILINE))
    rows = _rows(spaced, "\t")
    alike, length = _usual(rows)
    return (spaced, "\t") if length > 1 and alike > ALIKE and len(rows[0]) == length else (text, ",")


def _after_remarks(text: str, separator: str, doubts: list[Doubt]) -> str:
    """The text after lines that are shorter than the table's, as titles and remarks are; Excel fills them up with separators."""
    rows = _rows(text, separator)
    _, length = _usual(rows)
    padded = [length > 2 and sum(map(bool, row)) < 2 for row in rows]
    whole = [len(row) >= length and not pad for row, pad in zip(rows, padded, strict=True)]
    count = next((i for i, row in enumerate(rows) if whole[i] or (not padded[i] and _lacks_one(rows[i:], length))), 0)
    if not count:
        return text
    lines = "a line" if count == 1 else f"{count} lines"
    doubts.append(Doubt(f"it begins with {lines} of fewer cells than the {length} of most others", "left out"))
    return _without_lines(text, count)


def _lacks_one(rows: Sequence[Sequence[str]], length: int) -> bool:
    """Whether the first line alone has one name fewer than there are columns, as in R's tables."""
    return len(rows[0]) == length - 1 > 1 and all(len(row) == length for row in rows[1:])


def _without_lines(text: str, count: int) -> str:
    """The text after so many lines that are not empty."""
    file = io.StringIO(text, newline="")
    for _ in range(count):
        while not file.readline().strip("\r\n"):
            pass
    return file.read()


def _names(rows: list[list[str]], doubts: list[Doubt]) -> tuple[str, ...] | None:
    """The columns' names for a first line without names, or with one name fewer; else None."""
    if len(rows) < 2:
        return None
    first, others = rows[0], rows[1:]
    if _lacks_one(rows, len(others[0])):
        at_the_end = all(row[-1] == "" for row in others)
        return (*first, "") if at_the_end else ("", *first)  # R writes the rows' names so
    numeric = [i for i, cells in enumerate(zip(*others, strict=False)) if all(map(NUMBER.fullmatch, cells)) and i < len(first)]
    heads = [first[i] for i in numeric]
    counted = all(head.isdigit() for head in heads) and len(set(heads)) == len(heads)  # years and numbers are names, too
    if numeric and all(map(NUMBER.fullmatch, heads)) and not counted:
        doubts.append(Doubt(NO_NAMES, "they are called column 1, column 2, ..."))
        return tuple(f"column {i + 1}" for i in range(len(first)))
    return None


def without_stray_quotes(text: str, separator: str, width: int, doubts: list[Doubt]) -> str:
    """The text without quotation marks that open a cell on one line and close it nowhere, or rows later.

    They would make one cell of all rows up to the next mark. A cell may well have several lines: it is taken for one, unless the
    line on which it begins, and most lines within it, have as many cells as the table has columns, which is `width`.
    """
    if QUOTE not in text:
        return text
    lines = text.split("\n")
    odd = [i for i, line in enumerate(lines) if line.count(QUOTE) % 2]
    stray: list[int] = []
    k = 0
    while k < len(odd):
        begin, end = odd[k], odd[k + 1] if k + 1 < len(odd) else None
        place = _left_open(lines[begin], separator)
        if place is None:  # a mark within a cell, as of inches
            k += 1
        elif end is None or _are_rows(lines[begin : end + 1], separator, width):
            lines[begin] = lines[begin][:place] + lines[begin][place + 1 :]
            stray.append(begin)
            k += 1
        else:
            k += 2
    if stray:
        what = f"{counted(len(stray))} with a quotation mark that is never closed, the first is line {stray[0] + 1:,}"
        doubts.append(Doubt(what, "read without it"))
    return "\n".join(lines)


def _left_open(line: str, separator: str) -> int | None:
    """The place of the mark that opens the cell in which the line ends; None if it ends outside of one."""
    at = 0
    while at < len(line):
        if line[at] != QUOTE:
            after = line.find(separator, at)
            if after < 0:
                return None
            at = after + 1
            continue
        begin, at = at, at + 1
        while (close := line.find(QUOTE, at)) >= 0 and line[close + 1 : close + 2] == QUOTE:
            at = close + 2
        if close < 0:
            return begin
        after = line.find(separator, close)
        if after < 0:
            return None
        at = after + 1
    return None


def _are_rows(lines: list[str], separator: str, width: int) -> bool:
    """Whether these lines, from that on which a cell begins to that on which it ends, look like rows."""
    first, *within, last = (line.count(separator) + 1 == width for line in lines)
    return width > 1 and first and (2 * sum(within) >= len(within) if within else last)
