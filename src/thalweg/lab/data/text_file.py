"""Text files as people have them: compressed or not, in any usual encoding, with any usual separator, with names or without."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from thalweg.lab.data.doubts import Doubt
from thalweg.lab.refusal import Refusal

COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""How a file is compressed, by the end of its name."""
LARGEST = 2**31 - 1
"""The most bytes that a compressed file may hold, and Arrow reads at once."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SEEN = 100
"""How many rows show the separator."""
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
"""How a file begins that says its encoding."""
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Text:
    """The text of a file in UTF-8, without a line that only names the separator.

    names: the columns' names, if the first line does not give them. skip: how many lines to skip if there are `names`.
    """

    content: bytes
    separator: str
    names: tuple[str, ...] | None
    skip: int
    doubts: tuple[Doubt, ...]


def read_text(path: Path) -> Text:
    """Read a text file with a table. Raises Refusal for one that is no text."""
    doubts: list[Doubt] = []
    text = _decoded(path, _content(path), doubts)
    named = re.match(r'"?sep=(.)"?\r?\n', text)  # written by Excel
    if named:
        text = text[named.end() :]
    separator = named[1] if named else _separator(text, doubts)
    rows = _rows(text, separator)
    names, skip = _names(rows, doubts)
    return Text(text.encode(), separator, names, skip, tuple(doubts))


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
        read = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return [row for row in itertools.islice(read, SEEN) if row]
    except csv.Error:
        return []


def _separator(text: str, doubts: list[Doubt]) -> str:
    """The separator with which most rows have as many cells as the first; commas if there is none."""
    found = []
    for separator in SEPARATORS:
        lengths = [len(row) for row in _rows(text, separator)]
        if lengths and lengths[0] > 1:
            # of two that fit equally the comma may be a decimal one
            alike = sum(length == lengths[0] for length in lengths) / len(lengths)
            found.append((alike, lengths[0], separator != ",", separator))
    if not found:
        return ","
    best = max(found)
    others = [each[-1] for each in found if each[:2] == best[:2] and each[-1] != best[-1]]
    if others:
        names = " or ".join(SEPARATORS[each] for each in (best[-1], *others))
        doubts.append(Doubt(f"its columns may be separated by {names}", f"read with {SEPARATORS[best[-1]]}"))
    return best[-1]


def _names(rows: list[list[str]], doubts: list[Doubt]) -> tuple[tuple[str, ...] | None, int]:
    """The columns' names and the lines to skip, for a first line without names, or one name short; else None."""
    if len(rows) < 2:
        return None, 0
    first, others = rows[0], rows[1:]
    if all(len(row) == len(first) + 1 for row in others):
        if all(row[-1] == "" for row in others):
            return (*first, ""), 1
        return ("", *first), 1  # R writes the rows' names so
    numeric = [i for i, cells in enumerate(zip(*others, strict=False)) if all(map(NUMBER.fullmatch, cells)) and i < len(first)]
    heads = [first[i] for i in numeric]
    counted = all(head.isdigit() for head in heads) and len(set(heads)) == len(heads)  # years and numbers are names, too
    if numeric and all(map(NUMBER.fullmatch, heads)) and not counted:
        names = tuple(f"column {i + 1}" for i in range(len(first)))
        doubts.append(
            Doubt("its first line holds numbers, and no names of columns", f"they are called {names[0]}, column 2, ...")
        )
        return names, 0
    return None, 0
