"""A program as Triton source: one launch over many tensors, each Triton program on some hundred elements of one tensor."""

from __future__ import annotations

from typing import Any

from thalweg.engines.expressions import ATOM, CALLED, COMPARISONS, STREAMS, Loop, Text, Writer, indented, wrap
from thalweg.engines.kernel import Kernel, Printer
from thalweg.graph.program import NotTraced, Program
from thalweg.graph.storage import BLOCK
from thalweg.ops.word import WORDS
from thalweg.values.symbols import Symbol

OURS = ("maximum", "minimum", "sign", "uniform", "dithered", "rounded_bfloat16", "largest_of_block", "spread")
"""Words of `thalweg.engines.triton.words`."""


def printed(program: Program, title: str, dtypes: dict[str, str]) -> Kernel:
    """Return the kernel of a program: the counterpart of `kernel.printed` for the CPU."""
    return _TritonPrinter(program, title, dtypes).kernel()


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
        if op == "uniform":
            self.said.add("uniform")
            return f"uniform({texts[0]}, own + {int(float(texts[1]))}, i)", ATOM
        if op == "largest_of_block":
            self.said |= {"largest_of_block", "spread"}
            return f"spread(largest_of_block({texts[0]}, here, WIDTH), WIDTH)", ATOM
        if op in WORDS and (spelling := WORDS[op].triton) is not None:
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


class _TritonPrinter(Printer):
    def _step(self, shared: list[Symbol], columns: tuple[str, ...], stores: list[tuple[str, Any]]) -> tuple[str, str]:
        say = Triton(self.computed)
        write = Writer(self.names, say, set())
        heads = self.heads(write, say, shared, columns)
        loads = self.loads(write, columns)
        self.visit(write)
        ends = [self._written(write, name, value, say) for name, value in stores]
        head = [
            "",
            "@triton.jit",
            "def step(addresses, numbers, jobs, WIDTH: tl.constexpr, ALIGNED: tl.constexpr, PARTS: tl.constexpr):",
        ]
        return _imports(say), "\n".join([*head, *indented([*heads, *loads, *write.lines, *ends])]) + "\n"

    def heads(self, write: Writer, loop: Loop, shared: list[Symbol], columns: tuple[str, ...]) -> list[str]:
        lines = [
            "job = tl.program_id(0).to(tl.int64)",
            f"row = {len(columns)} * tl.load(jobs + 4 * job)",
            f"at = {len(shared)} * tl.load(jobs + 4 * job + 1)",
            f"first = tl.multiple_of(tl.load(jobs + 4 * job + 2), {BLOCK})",
            "i = first + tl.arange(0, WIDTH)",
            "last = tl.load(jobs + 4 * job + 3) if PARTS else first + WIDTH",
            "here = i < last",
        ]
        if self.program.blocked:
            lines += [f"block = first // {BLOCK} + tl.arange(0, WIDTH // {BLOCK})", f"there = {BLOCK} * block < last"]
            loop.said.add("spread")
        for k, symbol in enumerate(shared):
            truth = " != 0" if symbol.op in COMPARISONS else ""
            lines.append(f"{write.name(symbol, 'n')} = tl.load(numbers + at + {k}){truth}")
        if any(symbol.op == "uniform" for symbol in self.names.symbols):
            lines.append(f"own = {STREAMS} * tl.load(jobs + 4 * job)")
        for k, column in enumerate(columns):
            pointer = f"tl.load(addresses + row + {k}).to(tl.pointer_type(tl.{self.dtypes[column]}))"
            lines.append(f"{column}_at = tl.multiple_of({pointer}, ALIGNED)")
        return lines

    def load(self, k: int, column: str) -> str:
        if column in self.program.blocked:
            return f"spread(tl.load({column}_at + block, mask=there, other=0.0), WIDTH)"
        nothing = "0" if self.dtypes[column] == "int8" else "0.0"
        found = f"tl.load({column}_at + i, mask=here, other={nothing})"
        return found if self.dtypes[column] == self.computed else f"{found}.to(tl.{self.computed})"

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


def _imports(say: Triton) -> str:
    """Return a module's import lines."""
    words = sorted(word for word in OURS if word in say.said)
    ours = [f"\nfrom thalweg.engines.triton.words import {', '.join(words)}"] if words else []
    return "\n".join(["import triton", "import triton.language as tl", *ours, "\n"])
