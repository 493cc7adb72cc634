"""Names of a program's symbols in source code: those of inputs and authors, else letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from thalweg.form import trace
from thalweg.graph.program import Program
from thalweg.values.symbols import TENSOR, Symbol


class Names:
    """What all writers of a program share: the order of its symbols, how often each is used, which names are taken.

    words: names that the code uses anyway. Symbols are known by id; the first of several equal ones stands for all.
    """

    def __init__(self, program: Program, words: Collection[str]) -> None:
        self.inputs, self.results = program.inputs, program.results
        self.same = trace.shared(program.results)
        self.symbols = list(trace.steps(program.results))
        self.uses: Counter[int] = Counter()
        for symbol in self.symbols:
            self.uses.update(id(self.same[id(arg)]) for arg in symbol.args if isinstance(arg, Symbol))
        updated = {"p", "walked", *program.beside, *(slot.old.name for slot in program.slots)}
        self.letters = {id(symbol): f"{name}_old" if name in updated else name for name, symbol in self.inputs.items()}
        self.taken = {*words, *self.letters.values()}
        self.authors: dict[int, str] = {}
        for key, name in program.names.items():
            if key in self.same:
                self.authors.setdefault(id(self.same[key]), name)

    def keep_off(self, words: Collection[str]) -> None:
        """Reserve more words for the code; an input with such a name is renamed."""
        self.letters |= {id(symbol): f"{name}_" for name, symbol in self.inputs.items() if name in words}
        self.taken |= {*words, *self.letters.values()}

    def first(self, value: Any) -> Any:
        """Return the symbol that stands for all equal ones; anything else unchanged."""
        return self.same[id(value)] if isinstance(value, Symbol) else value

    def free(self, letter: str, symbol: Symbol | None = None) -> str:
        """Reserve and return a name: the author's for the symbol, else the letter, with a number if needed."""
        wanted = None if symbol is None else self.authors.get(id(symbol))
        name, k = wanted or f"{letter}1", 2
        while name in self.taken:
            name, k = f"{wanted}_{k}" if wanted else f"{letter}{k}", k + 1
        self.taken.add(name)
        return name


def needed_if(names: Names, symbol: Symbol) -> Symbol | None:
    """Return the number without which no result depends on a symbol: the condition of a choice, where that takes the other value.

    None if some result depends on it in any case, or on several conditions.
    """
    depend, conditions = {id(symbol)}, dict[int, Symbol]()
    for each in names.symbols:
        mine = [isinstance(arg, Symbol) and id(names.first(arg)) in depend for arg in each.args]
        if each.op == "where" and mine == [False, True, False] and each.args[0].level < TENSOR:
            condition = names.first(each.args[0])
            conditions[id(condition)] = condition
        elif any(mine):
            depend.add(id(each))
    always = any(isinstance(x, Symbol) and id(names.first(x)) in depend for x in names.results)
    return None if always or len(conditions) != 1 else next(iter(conditions.values()))
