"""A quotation mark that is never closed costs no row: not one up to the end of the file, nor all up to the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from thalweg.lab.data.datasets import load
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.data.text_file import without_stray_quotes


def rows(notes: dict[int, str], separator: str = ",", count: int = 1000) -> str:
    lines = [separator.join((str(i % 7), str(i % 5 / 2), notes.get(i, "fine"), "ab"[i % 2])) for i in range(count)]
    return separator.join(("a", "b", "note", "y")) + "\n" + "\n".join(lines) + "\n"


def samples(found: Supervised) -> int:
    return found.train_size + len(found.validation_part.y) + found.test_size


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "stray",
    [
        {100: '"open'},
        {100: '"open', 900: '"open'},
        {100: '"open', 101: '"open'},
        {998: '"open', 999: '"'},
        {3: '"', 40: '"x', 50: '"y'},
    ],
    ids=["one", "two", "neighbours", "at the end", "three"],
)
def test_no_row_is_lost(stray: dict[int, str], separator: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(rows(stray, separator))
    found = load(path, "y")
    assert samples(found) == 1000
    (doubt,) = [each for each in found.preparation.repairs if "quotation" in each]
    many = f"{len(stray)} row{'s' if len(stray) > 1 else ''}"
    assert doubt == f"{many} with a quotation mark that is never closed, the first is line {min(stray) + 2:,}: read without it"


@pytest.mark.parametrize(
    "whole",
    [
        '"two\nlines"',
        '"a, b\nand c, d\nand e"',
        '"he said ""no"", and\nleft"',
        '"a ""quoted"" word"',
        '5" of rain',
        '"x\n\n\ny"',
        '"rows:\n1,2,x,a\n3,4,y,b\nend"',
    ],
)
def test_cells_of_several_lines_stay(whole: str, tmp_path: Path) -> None:
    text = rows({100: whole, 900: whole})
    assert without_stray_quotes(text, ",", 4, []) == text
    path = tmp_path / "rows.csv"
    path.write_text(text)
    found = load(path, "y")
    assert samples(found) == 1000
    assert not [each for each in found.preparation.repairs if "quotation" in each]


def test_a_file_without_lines_to_judge_by_is_read_on() -> None:
    doubts: list[object] = []
    assert without_stray_quotes('"', ",", 1, doubts) == ""  # type: ignore[arg-type]
    assert without_stray_quotes("", ",", 0, doubts) == ""  # type: ignore[arg-type]
    assert without_stray_quotes('a,"b\r\nc,d\r\n', ",", 2, doubts) == "a,b\r\nc,d\r\n"  # type: ignore[arg-type]
