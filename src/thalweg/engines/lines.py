"""Loops over a stretch of a matrix that also read a number per row or column: row by row, so that the inner loop is plain.

line: the current row of all the tensor's matrices. start: its first element. left: the rows left in its matrix. base: the first
of its matrix's columns among those of all matrices.
"""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.engines.expressions import indented

SIZES = ("across", "down")
"""The columns of an address table with a matrix's numbers of columns and of rows."""
RESERVED = (*SIZES, "line", "start", "left", "base", "here", "stop", "shift")


def at_start() -> list[str]:
    """Return lines that find the row where a job begins."""
    return [
        "line = jobs[4 * job + 2] // across",
        "left, start, base = down - line % down, line * across, line // down * across",
    ]


def row_by_row(first: str, last: str, of_row: Sequence[str], element: Sequence[str]) -> list[str]:
    """Return the loop over elements `first` to `last`, the one after the stretch before. of_row: lines for each row."""
    return [
        f"here = {first}",
        f"while here < {last}:",
        f"    stop, shift = min({last}, start + across), base - start",
        *indented(of_row),
        "    for i in range(here, stop):",
        *indented(indented(element)),
        "    here = stop",
        "    if here == start + across:",
        "        line, left, start = line + 1, left - 1, start + across",
        "        if left == 0:",
        "            left, base = down, base + across",
    ]
