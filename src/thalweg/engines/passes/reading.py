"""The printer of a pass that reads tensors and writes none: what kernels of sums and of rows and columns have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from thalweg.engines.expressions import COMPARISONS, Loop, Writer
from thalweg.engines.kernel import Kernel, Printer
from thalweg.graph.margins import Reduction
from thalweg.graph.passes import Cut, Sum
from thalweg.graph.program import NotTraced

LEAF = 128
"""The number of elements summed without halving, as `words.LEAF`."""


class Reading(Printer, ABC):
    """Prints the kernel of some results, each made of one value per element. columns: those of the address table.

    finds: what the kernel finds, in its title. one: one of these, in the message that there is no kernel.
    """

    finds: str
    one: str
    columns: tuple[str, ...]

    def __init__(
        self, cut: Cut, results: Sequence[Sum | Reduction], title: str, dtypes: dict[str, str], columns: tuple[str, ...]
    ) -> None:
        super().__init__(cut.of({each.name: each.of for each in results}), title, dtypes, columns)
        self.results = results

    def kernel(self) -> Kernel:
        for symbol in self.names.symbols:
            self._check(symbol)
        if self.program.blocked or any(each.of.op in COMPARISONS for each in self.results):
            raise NotTraced(f"{self.one} of what is kept in int8, or of truths")
        shared = self._frontier([each.of for each in self.results])
        numbers, needs = self._numbers(shared, [])
        more = self.more_numbers()
        loop = self.language()
        write = Writer(self.names, loop, set())
        heads = self.heads(write, loop, shared, self.columns)
        heads += [f"{name} = numbers[at + {len(shared) + i}]" for i, name in enumerate(more)]
        loads, of_row = self.loads(write, self.columns), self.row_loads(write, self.columns)
        self.visit(write)
        values = [write.text(self.names.first(each.of))[0] for each in self.results]
        body = [*heads, *self.job(loop, of_row, [*loads, *write.lines], values)]
        width = len(shared) + len(more)
        step = self.function(self.rooms(), (len(self.columns), width), body)
        text = f'"""{self.title}: {self.finds}, in one pass over memory. Printed by thalweg from the rule."""\n\n'
        text += self.imports(loop, self.dtypes_of(self.columns) | {self.computed}) + "\n" + numbers + "\n" + step
        return Kernel(self.title, numbers, text, self.columns, needs, width, ())

    def imports(self, loop: Loop, dtypes: Collection[str]) -> str:
        return "from numpy import float64\n" + super().imports(loop, dtypes)

    def more_numbers(self) -> list[str]:
        """Return the names of the numbers that a job has besides those that its elements share."""
        return []

    @abstractmethod
    def rooms(self) -> list[str]:
        """Return lines before the jobs, which reserve memory."""

    @abstractmethod
    def job(self, loop: Loop, of_row: list[str], element: list[str], values: list[str]) -> list[str]:
        """Return a job's loop. of_row, element: lines for each row and each element. values: the element's, of each result."""
