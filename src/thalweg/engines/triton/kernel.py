"""A program as Triton source: one launch over many tensors, each Triton program on some hundred elements of one tensor."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from thalweg.engines.expressions import ATOM, CALLED, COMPARISONS, Loop, Text, Writer, indented, wrap
from thalweg.engines.kernel import Kernel, Printer
from thalweg.engines.lines import SIZES
from thalweg.engines.triton import noise
from thalweg.form.memory import COLS
from thalweg.graph.draws import DRAWN
from thalweg.graph.program import NotTraced, Program
from thalweg.graph.storage import BLOCK
from thalweg.ops.word import WORDS
from thalweg.values.symbols import Symbol

OURS = (
    "maximum", "minimum", "sign", "dithered", "rounded_bfloat16", "largest_of_block", "spread", "magnitude", "largest",
)  # fmt: skip
"""Words of `thalweg.engines.triton.words`."""


CHOICES = ("WIDTH", "BLOCKS", "ALIGNED", "PARTS")
"""What a kernel is compiled for: the elements of a block and the blocks of a job, what all addresses are multiples of, and
whether the jobs are of blocks that are not full.
"""
ALIGNED_FIRST = f"first = tl.multiple_of(first, {BLOCK})"
"""The line that tells the compiler where the jobs of elements begin."""
RESERVED = (
    "here", "there", "job", "k", "tl", "triton", "step", *SIZES, "start", "beyond", "over", "line", "matrix", "column", "of_col",
    *CHOICES, *OURS, *DRAWN,
)  # fmt: skip
"""Names that these kernels use, besides those of all engines."""


def printed(program: Program, title: str, dtypes: dict[str, str], columns: tuple[str, ...] | None = None) -> Kernel:
    """Return the kernel of a program: the counterpart of `kernel.printed` for the CPU."""
    return TritonPrinter(program, title, dtypes, columns).kernel()


class Triton(Loop):
    """Words in Triton, for a row of elements."""

    divides = True

    def constant(self, x: Any) -> str:
        text = repr(float(x))
        return f'float("{text}")' if text.strip("-") in ("inf", "nan") else text

    def word(self, op: str, args: list[Text]) -> Text:
        texts = [text for text, _ in args]
        exact = self.computed == "float32"
        if op == "pow":
            return self._power(args)
        if op == "sqrt":  # tl.sqrt and / are approximate in float32
            return f"{'tl.sqrt_rn' if exact else 'tl.sqrt'}({texts[0]})", ATOM
        if op == "truediv":
            if not exact:
                return f"{wrap(args[0], 6)} / {wrap(args[1], 7)}", 6
            return f"tl.div_rn({self.row(args[0])}, {self.row(args[1])})", ATOM
        if op == "ratio":
            a, b = texts
            divided, _ = self.word("truediv", [(a, ATOM), (f"tl.where({b} == 0, 1.0, {b})", ATOM)])
            return f"tl.where({b} == 0, 0.0, {divided})", ATOM
        if op == "where":
            return f"tl.where({', '.join(texts)})", ATOM
        if op == "rounded_float16":
            return f"{wrap(args[0], ATOM)}.to(tl.float16).to(tl.float32)", ATOM
        if op == "largest_of_block":
            self.said |= {"largest_of_block", "spread"}
            return f"spread(largest_of_block({texts[0]}, here, WIDTH), WIDTH)", ATOM
        if op in WORDS and (spelling := WORDS[op].triton) is not None:
            if not spelling.text:
                raise NotTraced(f"Triton has no {op}")
            self.said.update(word for word in CALLED.findall(spelling.text) if word in OURS)
            return spelling.text.format(*(wrap(arg, spelling.of) for arg in args)), spelling.binds
        if op in OURS:
            self.said.add(op)
            return f"{op}({', '.join(texts)})", ATOM
        return f"tl.{op}({', '.join(texts)})", ATOM

    def row(self, text: Text) -> str:
        """Return an operand for Triton's functions: a bare number would have no dtype."""
        return f"tl.cast({text[0]}, tl.{self.computed})" if text[0].strip("-").replace(".", "").isdigit() else text[0]

    def _power(self, args: list[Text]) -> Text:
        x, y = wrap(args[0], ATOM), args[1][0]
        if y == self.constant(2):
            return f"{x} * {x}", 6
        if y == self.constant(0.5):
            return self.word("sqrt", [args[0]])
        raise NotTraced("Triton has no power of tensors that is as exact on its interpreter")


class TritonPrinter(Printer):
    """Prints what the kernels of all passes have in common.

    A job is a stretch of one tensor; its fields are the tensor's number, its first element and the one after its last.
    """

    reserved = RESERVED

    def language(self) -> Triton:
        """Return Triton's words."""
        return Triton(self.computed)

    @property
    def fields(self) -> int:
        """The number of integers of a job; to draw, the last two are the seed and the name."""
        return 5 if self.draws else 3

    def _step(self, shared: list[Symbol], columns: tuple[str, ...], stores: list[tuple[str, Any]]) -> tuple[str, str]:
        say = self.language()
        write = Writer(self.names, say, set())
        heads = self.heads(write, say, shared, columns)
        heads += [ALIGNED_FIRST, "last = last if PARTS else first + WIDTH", *self.block("first", "last")]
        if self.program.blocked:
            heads += [f"block = first // {BLOCK} + tl.arange(0, WIDTH // {BLOCK})", f"there = {BLOCK} * block < last"]
            say.said.add("spread")
        loads = [*self.row_loads(write, columns), *self.loads(write, columns), *self._drawn(write)]
        self.visit(write)
        ends = [self._written(write, name, value, say) for name, value in stores]
        helpers = "".join(noise.source(word) for word in sorted({symbol.op for symbol in self.draws}))
        return self.imports(say, ()) + helpers, self.function([], (), [*heads, *loads, *write.lines, *ends])

    def _drawn(self, write: Writer) -> list[str]:
        """Return lines that draw random numbers."""
        lines = [f"{word} = tl.load(jobs + {self.fields} * job + {k})" for k, word in enumerate(("seed", "name"), 3)]
        for symbol in self.draws:
            t, more = (write.text(part)[0] for part in symbol.args[:2])
            found = f"{symbol.op}(seed, name, {t}, {more}, {symbol.args[2]}, first, WIDTH)"
            found += "" if self.computed == "float32" else f".to(tl.{self.computed})"
            lines.append(f"{write.name(symbol, 'x')} = {found}")
        return lines if self.draws else []

    def function(self, rooms: list[str], widths: tuple[int, ...], body: list[str]) -> str:
        """Return the source of `step`: a job."""
        arguments = ", ".join(["addresses", "numbers", "jobs", *(f"{name}: tl.constexpr" for name in CHOICES)])
        return "\n".join(["", "@triton.jit", f"def step({arguments}):", *indented(body)]) + "\n"

    def heads(self, write: Writer, loop: Loop, shared: list[Symbol], columns: tuple[str, ...]) -> list[str]:
        lines = [
            "job = tl.program_id(0).to(tl.int64)",
            f"k = tl.load(jobs + {self.fields} * job)",
            f"first = tl.load(jobs + {self.fields} * job + 1)",
            f"last = tl.load(jobs + {self.fields} * job + 2)",
            f"row = {len(columns)} * k",
            *([f"at = {len(shared)} * k"] if shared else []),
        ]
        for j, symbol in enumerate(shared):
            truth = " != 0" if symbol.op in COMPARISONS else ""
            lines.append(f"{write.name(symbol, 'n')} = tl.load(numbers + at + {j}){truth}")
        for j, column in enumerate(columns):
            found = f"tl.load(addresses + row + {j})"
            if column not in self.dtypes:  # a matrix's size
                lines.append(f"{column} = {found}")
            else:
                pointer = f"{found}.to(tl.pointer_type(tl.{self.dtypes[column]}))"
                lines.append(f"{column}_at = tl.multiple_of({pointer}, ALIGNED)")
        return lines

    def block(self, first: str, last: str) -> list[str]:
        """Return lines that number the elements from `first` on, a multiple of `BLOCK`, which are there up to `last`."""
        lines = [f"i = {first} + tl.arange(0, WIDTH)", f"here = i < {last}"]
        if self.by_row:  # divisions of 32 bits take a fraction of the time
            lines += [
                f"start = {first} // across",
                f"beyond = ({first} - start * across).to(tl.int32) + tl.arange(0, WIDTH)",
                "over = beyond // across.to(tl.int32)",
                "line = start + over",
                "matrix = start // down + ((start % down).to(tl.int32) + over) // down.to(tl.int32)",
                "of_col = matrix * across + (beyond - over * across.to(tl.int32))",
            ]
        return lines

    def load(self, k: int, column: str) -> str:
        if column in self.program.blocked:
            return f"spread(tl.load({column}_at + block, mask=there, other=0.0), WIDTH)"
        nothing = "0" if self.dtypes[column] == "int8" else "0.0"
        found = f"tl.load({column}_at + {self._place(column)}, mask=here, other={nothing})"
        return found if self.dtypes[column] == self.computed else f"{found}.to(tl.{self.computed})"

    def _place(self, column: str) -> str:
        if column in self.program.margins:
            return "of_col" if self.program.margins[column] == COLS else "line"
        return "i"

    def _written(self, write: Writer, name: str, value: Any, say: Triton) -> str:
        if name in self.program.blocked:
            scales = write.text(value.args[0])[0]
            return f"tl.store({name}_at + block, largest_of_block({scales}, here, WIDTH), mask=there)"
        text, binds = write.text(value)
        if self.dtypes[name] == "bfloat16":
            text, binds = say.word("rounded_bfloat16", [(text, binds)])
        if self.dtypes[name] != say.computed:
            text = f"{wrap((text, binds), ATOM)}.to(tl.{self.dtypes[name]})"
        return f"tl.store({name}_at + i, {text}, mask=here)"

    def imports(self, loop: Loop, dtypes: Collection[str]) -> str:
        words = sorted(word for word in OURS if word in loop.said)
        ours = [f"\nfrom thalweg.engines.triton.words import {', '.join(words)}"] if words else []
        return "\n".join(["import triton", "import triton.language as tl", *ours, "\n"])
