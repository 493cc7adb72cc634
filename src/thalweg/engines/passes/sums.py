"""A summing pass as source code: the sums over each stretch of a tensor, equal to NumPy's to the last bit.

NumPy halves a stretch, at a multiple of 8, until at most 128 elements remain, and sums these in eight interleaved sums.
"""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.engines.expressions import Loop, indented
from thalweg.engines.kernel import BYTES, Kernel
from thalweg.engines.passes.reading import LEAF, Reading
from thalweg.graph.passes import Cut, Sum

DEPTH = 64
"""Largest number of halvings of a stretch."""
SUMS = "added_up"
"""The column with the address of the sums, in float64: one row per job."""
RESERVED = ("leaf", "leaf_end", "ends", "depth", "path", "float64", "leaf_sums", "leaf_squares")


def printed(cut: Cut, sums: Sequence[Sum], title: str, dtypes: dict[str, str], columns: tuple[str, ...]) -> Kernel:
    """Return the kernel of a summing pass, called as in `kernel.printed`; its last column is `SUMS`.

    In float64, each norm has an extra number after the others, by which its addends are multiplied. Raises NotTraced for
    words that no pass over single numbers can compute.
    """
    return _SumsPrinter(cut, sums, title, dtypes, columns).kernel()


class _SumsPrinter(Reading):
    finds, one = "sums", "a sum"

    def __init__(self, cut: Cut, sums: Sequence[Sum], title: str, dtypes: dict[str, str], columns: tuple[str, ...]) -> None:
        super().__init__(cut, sums, title, dtypes, columns)
        self.sums = sums
        self.scaled = [k for k, each in enumerate(sums) if each.is_norm and self.computed == "float64"]
        self.together: dict[str, list[int]] = {}
        for k, each in enumerate(sums):
            self.together.setdefault("leaf_squares" if each.is_norm else "leaf_sums", []).append(k)
        own = [f"{word}_{k}" for k in range(len(sums)) for word in ("room", "pending", "total", "scale")]
        self.names.keep_off({*RESERVED, *own})

    def more_numbers(self) -> list[str]:
        return [f"scale_{k}" for k in self.scaled]

    def rooms(self) -> list[str]:
        rooms = [f"ends = scratch({2 * DEPTH})"]
        for word, those in self.together.items():
            rooms.append(f"{word} = scratch({2 * LEAF * len(those)})")
            rooms += [f"room_{k} = {word} + {r * LEAF * BYTES[self.computed]}" for r, k in enumerate(those)]
        return rooms + [f"pending_{k} = scratch({2 * DEPTH})" for k in range(len(self.sums))]

    def job(self, loop: Loop, of_row: list[str], element: list[str], values: list[str]) -> list[str]:
        loop.said |= {"scratch", "peek", "poke", *(f"{word}_{self.computed}" for word in self.together)}
        addends = [self._addend(k, value) for k, value in enumerate(values)]
        alone = len(self.read(self.columns)) == 1 and not self.by_row  # of several columns, processors ask for enough
        fetches = self.fetches(loop, "leaf", LEAF, self.columns) if alone else []
        return self._leaves([*fetches, *self.over("leaf", "leaf_end", of_row, [*element, *addends])])

    def _dtype(self, each: Sum) -> str:
        """Return the dtype in which a sum accumulates."""
        return "float64" if each.is_norm else self.computed

    def _addend(self, k: int, value: str) -> str:
        """Return the line that stores an element's addend, or the number to be squared, into its buffer."""
        room = f"{len(self.columns) + k}, room_{k}, i - leaf"
        return f"store_{self.computed}({room}, {f'({value}) * scale_{k}' if k in self.scaled else value})"

    def _leaves(self, over: list[str]) -> list[str]:
        """Return the loop over a job's leaves: load and sum each, and combine two halves as soon as both are done.

        over: the loop over a leaf's elements.

        path: for each halving, whether this leaf is in the second half. ends: where such halves end.
        """
        first, count = len(self.columns), len(self.sums)
        together, added, kept, ends = [], [], [], []
        for k, each in enumerate(self.sums):
            dtype, pending = self._dtype(each), f"{first + count + k}, pending_{k}, depth"
            together.append(f"total_{k} = load_{dtype}({pending}) + total_{k}")
            kept.append(f"store_{dtype}({pending}, total_{k})")
            ends.append(f"store_float64({first - 1}, {SUMS}_at, {count} * job + {k}, float64(total_{k}))")
        for word, those in self.together.items():
            totals = "".join(f"total_{k}, " for k in those)
            added.append(f"{totals}= {word}_{self.computed}({word}, leaf_end - leaf, {len(those)})")
        return [
            "leaf, leaf_end, depth, path = jobs[4 * job + 2], jobs[4 * job + 3], 0, 0",
            "poke(ends, 0)",
            "while leaf < leaf_end:",
            f"    while leaf_end - leaf > {LEAF}:",
            "        depth, path = depth + 1, path << 1",
            "        poke(ends + 8 * depth, leaf_end)",
            "        leaf_end = leaf + ((leaf_end - leaf) >> 4 << 3)",
            *indented(over),
            *indented(added),
            "    while path & 1:",
            *indented(indented(together)),
            "        depth, path = depth - 1, path >> 1",
            *indented(kept),
            "    leaf, leaf_end, path = leaf_end, peek(ends + 8 * depth), path + 1",
            *ends,
        ]


def squares(dtype: str, fields: int) -> str:
    """Return a module whose `step` sums, for each job of so many integers, the squares of the first column in float64."""
    return f'''"""The sum of squares of {dtype} arrays, job by job."""

from numba import cfunc, types
from numpy import float64

from thalweg.engines.words import load_{dtype}

integers = types.CPointer(types.int64)
floats = types.CPointer(types.float64)


@cfunc(types.int64(integers, floats, integers, types.int64, types.int64), error_model="numpy", fastmath={{"reassoc"}})
def step(addresses, sums, jobs, first, last):
    for job in range(first, last):
        at = addresses[jobs[{fields} * job]]
        total = 0.0
        for i in range(jobs[{fields} * job + 2], jobs[{fields} * job + 3]):
            x = float64(load_{dtype}(0, at, i))
            total += x * x
        sums[job] = total
    return 0
'''
