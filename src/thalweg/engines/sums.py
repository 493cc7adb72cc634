"""A pass that only adds up, printed as code: for each stretch of a tensor its sums, to the last bit as NumPy adds them up.

NumPy halves a stretch, at a multiple of 8, until at most 128 elements are left, and of these it adds up every eighth.
"""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.engines.expressions import COMPARISONS, Loop, Writer, indented
from thalweg.engines.kernel import Kernel, Printer
from thalweg.graph.passes import Cut, Sum
from thalweg.graph.program import NotTraced

LEAF = 128
"""How many elements are added up without halving."""
DEPTH = 64
"""How often a stretch may be halved."""
SUMS = "added_up"
"""The column with the address that sums go to, in float64: one row for each job."""
RESERVED = ("leaf", "leaf_end", "place", "end", "middle", "depth", "path", "float64")


def printed(cut: Cut, sums: Sequence[Sum], title: str, dtypes: dict[str, str], columns: tuple[str, ...]) -> Kernel:
    """The kernel of a pass that adds up, called as `kernel.printed` says; the last of its columns is `SUMS`.

    Where float64 is computed with, each norm has a number of its own behind the others, which addends are multiplied by.
    Raises NotTraced for words that no pass over single numbers knows.
    """
    return _SumsPrinter(cut, sums, title, dtypes, columns).kernel()


class _SumsPrinter(Printer):
    def __init__(self, cut: Cut, sums: Sequence[Sum], title: str, dtypes: dict[str, str], columns: tuple[str, ...]) -> None:
        super().__init__(cut.adding(tuple(sums)), title, dtypes, columns)
        self.sums = sums
        self.scaled = [k for k, each in enumerate(sums) if each.is_norm and self.computed == "float64"]
        own = [f"{word}_{k}" for k in range(len(sums)) for word in ("room", "pending", "total", "scale")]
        for name, symbol in self.program.inputs.items():
            if name in RESERVED or name in own:
                self.letters[id(symbol)] = f"{name}_"
        self.taken |= {*RESERVED, *own, *self.letters.values()}

    def kernel(self) -> Kernel:
        for symbol in self.symbols:
            self._check(symbol)
        if self.program.blocked or any(each.of.op in COMPARISONS for each in self.sums):
            raise NotTraced("a sum of what is kept in int8, or of truths")
        assert self.columns is not None
        shared = self._frontier([each.of for each in self.sums])
        numbers, needs = self._numbers(shared, [])
        loop = Loop(self.computed)
        loop.said |= {"scratch", *(f"leaf_sum_{self._dtype(each)}" for each in self.sums)}
        write = Writer(self, loop, set())
        heads = self.heads(write, loop, shared, self.columns)
        heads += [f"scale_{k} = numbers[at + {len(shared) + i}]" for i, k in enumerate(self.scaled)]
        loads = self.loads(write, self.columns)
        self.visit(write)
        addends = [line for k in range(len(self.sums)) for line in self._addend(write, k)]
        rooms = [f"room_{k}, pending_{k} = scratch({2 * LEAF}), scratch({2 * DEPTH})" for k in range(len(self.sums))]
        body = [*heads, *self._leaves([*loads, *write.lines, *addends])]
        width = len(shared) + len(self.scaled)
        step = self.function(rooms, (len(self.columns), width), body)
        dtypes = {self.dtypes[column] for column in self.columns} | {self.computed}
        text = f'"""{self.title}: sums, in one pass over memory. Printed by thalweg from the rule."""\n\n'
        text += "from numpy import float64\n" + self.imports(loop, dtypes) + "\n" + numbers + "\n" + step
        return Kernel(self.title, numbers, text, self.columns, needs, width, ())

    def _dtype(self, each: Sum) -> str:
        """What a sum is added up in."""
        return "float64" if each.is_norm else self.computed

    def _addend(self, write: Writer, k: int) -> list[str]:
        each = self.sums[k]
        text, room = write.text(self.first(each.of))[0], f"{len(self.columns or ()) + k}, room_{k}, i - leaf"
        if not each.is_norm:
            return [f"store_{self._dtype(each)}({room}, {text})"]
        scaled = f"({text}) * scale_{k}" if k in self.scaled else text
        return [f"total_{k} = float64({scaled})", f"store_float64({room}, total_{k} * total_{k})"]

    def _leaves(self, element: list[str]) -> list[str]:
        """The loop over a job's leaves, each loaded and added up, and halves put together as soon as both are there."""
        first, count = len(self.columns or ()), len(self.sums)
        together, added, kept, ends = [], [], [], []
        for k, each in enumerate(self.sums):
            dtype, pending = self._dtype(each), f"{first + count + k}, pending_{k}, depth"
            added.append(f"total_{k} = leaf_sum_{dtype}(room_{k}, leaf_end - leaf)")
            together.append(f"total_{k} = load_{dtype}({pending}) + total_{k}")
            kept.append(f"store_{dtype}({pending}, total_{k})")
            ends.append(f"store_float64({first - 1}, {SUMS}_at, {count} * job + {k}, float64(total_{k}))")
        return [
            "place, end = jobs[4 * job + 2], jobs[4 * job + 3]",
            "while place < end:",
            "    leaf, leaf_end, depth, path = jobs[4 * job + 2], end, 0, 0",
            f"    while leaf_end - leaf > {LEAF}:",
            "        middle = leaf + (leaf_end - leaf) // 16 * 8",
            "        depth, path = depth + 1, 2 * path",
            "        if place < middle:",
            "            leaf_end = middle",
            "        else:",
            "            leaf, path = middle, path + 1",
            "    for i in range(leaf, leaf_end):",
            *indented(indented(element)),
            *indented(added),
            "    while path & 1:",
            *indented(indented(together)),
            "        depth, path = depth - 1, path // 2",
            *indented(kept),
            "    place = leaf_end",
            *ends,
        ]
