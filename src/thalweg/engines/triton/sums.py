"""A summing pass as Triton source: each job adds up a stretch of one tensor, block after block, and stores one row of sums.

Sums are added in the dtype of the arithmetic, norms in float64, as on the CPU. The order is another than there, but the same
at each run.
"""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.engines.expressions import Loop, indented
from thalweg.engines.kernel import Kernel
from thalweg.engines.passes.reading import Reading
from thalweg.engines.passes.sums import SUMS
from thalweg.engines.triton.kernel import ALIGNED_FIRST, TritonPrinter
from thalweg.graph.passes import Cut, Sum
from thalweg.values.norms import SCALES


def printed(cut: Cut, sums: Sequence[Sum], title: str, dtypes: dict[str, str], columns: tuple[str, ...]) -> Kernel:
    """Return the kernel of a summing pass: the counterpart of `passes.sums.printed` for the CPU.

    A job's last field is its row in the table of sums, at the address in the column `SUMS`; the row is as `addends` says.
    """
    return _SumsPrinter(cut, sums, title, dtypes, columns).kernel()


def addends(sums: Sequence[Sum], computed: str) -> list[tuple[int, float]]:
    """Return what a row of sums has: the number of each sum, and the factor of what is added up.

    In float64 the squares of a norm are added up three times, so that one of the three neither overflows nor underflows.
    """
    scales = (1.0, *SCALES["float64"][1:])
    return [(r, scale) for r, each in enumerate(sums) for scale in (scales if each.is_norm and computed == "float64" else (1.0,))]


class _SumsPrinter(TritonPrinter, Reading):
    finds, one = "sums", "a sum"

    def __init__(self, cut: Cut, sums: Sequence[Sum], title: str, dtypes: dict[str, str], columns: tuple[str, ...]) -> None:
        super().__init__(cut, sums, title, dtypes, columns)
        self.sums, self.addends = sums, addends(sums, self.computed)
        own = [f"{word}_{k}" for k in range(len(self.addends)) for word in ("x", "total")]
        self.names.keep_off({"begin", "stop", "place", *own})

    @property
    def fields(self) -> int:
        """The number of integers of a job."""
        return 4

    def rooms(self) -> list[str]:
        return []

    def job(self, loop: Loop, of_row: list[str], element: list[str], values: list[str]) -> list[str]:
        wide = [each.is_norm and self.computed != "float64" for each in self.sums]
        own = [f"x_{r} = {f'({x}).to(tl.float64)' if wide[r] else x}" for r, x in enumerate(values)]
        added = [self._added(j) for j in range(len(self.addends))]
        return self._over([*self.block("begin", "stop"), *of_row, *element, *own, *added])

    def _added(self, j: int) -> str:
        """Return the line that adds a block's elements to a total; beyond the tensor's end they are anything."""
        r, scale = self.addends[j]
        x = f"x_{r}" if scale == 1.0 else f"({scale!r} * x_{r})"
        return f"total_{j} += tl.where(here, {f'{x} * {x}' if self.sums[r].is_norm else x}, 0.0)"

    def _over(self, body: list[str]) -> list[str]:
        """Return the loop over a job's blocks."""
        dtypes = ["float64" if self.sums[r].is_norm else self.computed for r, _ in self.addends]
        at = f"{SUMS}_at + {len(self.addends)} * place"
        return [
            ALIGNED_FIRST,
            f"place = tl.load(jobs + {self.fields} * job + {self.fields - 1})",
            *(f"total_{j} = tl.zeros((WIDTH,), tl.{dtype})" for j, dtype in enumerate(dtypes)),
            "for block in range(BLOCKS):",
            "    begin = first + block * WIDTH",
            "    stop = last if PARTS else begin + WIDTH",
            *indented(body),
            *(f"tl.store({at} + {j}, tl.sum(total_{j}).to(tl.float64))" for j in range(len(dtypes))),
        ]


COMBINE = '''"""Adds up each tensor's rows of the table of sums, always in the same order."""

import triton
import triton.language as tl


@triton.jit
def step(found, spans, sums, COUNT: tl.constexpr, WIDTH: tl.constexpr):
    k, s = tl.program_id(0).to(tl.int64), tl.program_id(1)
    first, last = tl.load(spans + 2 * k), tl.load(spans + 2 * k + 1)
    total = tl.zeros((WIDTH,), tl.float64)
    while first < last:
        i = first + tl.arange(0, WIDTH)
        total += tl.load(found + COUNT * i + s, mask=i < last, other=0.0)
        first += WIDTH
    tl.store(sums + COUNT * k + s, tl.sum(total))
'''
"""A module whose `step` combines the rows of the k-th tensor's jobs, from spans[k, 0] on and before spans[k, 1]."""
