"""One path through an optimizer's stages as the kernels of its passes, with the host's part of each as a function."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from thalweg import ops
from thalweg.core.leaf import Leaf
from thalweg.core.optimizer import Optimizer
from thalweg.engines import native
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.kernel import Kernel, printed
from thalweg.engines.lines import SIZES
from thalweg.engines.passes import reductions, sums
from thalweg.engines.passes.host import Host, host
from thalweg.graph.margins import WHOLE
from thalweg.graph.passes import Cut, cut
from thalweg.graph.program import NotTraced, Program, StagePath, program, stage_paths
from thalweg.graph.storage import Storage
from thalweg.ops.word import WORDS
from thalweg.values.symbols import PER_TENSOR, TENSOR

Numbers = Callable[..., tuple[Any, ...]]


class Printers(NamedTuple):
    """What prints the kernels of a device: the pass that writes, sums, and rows and columns.

    whole: whether the device's host computes words of whole matrices.
    """

    writing: Callable[..., Kernel]
    adding: Callable[..., Kernel]
    reducing: Callable[..., Kernel]
    whole: bool


NUMBA = Printers(printed, sums.printed, reductions.printed, whole=True)


@dataclass(frozen=True)
class Drawn:
    """The program of a whole step, its cut, the kernels of each pass before the last, and the kernel that writes.

    adding, reducing, storing: of each pass, the kernel of its sums, that of its rows and columns, and that of what it stores, if
    it has any. hosts: what computes each pass's margins.
    """

    program: Program
    cut: Cut
    adding: tuple[Kernel | None, ...]
    reducing: tuple[Kernel | None, ...]
    storing: tuple[Kernel | None, ...]
    hosts: tuple[Host, ...]
    kernel: Kernel

    @property
    def kernels(self) -> list[Kernel]:
        """All kernels, in the order in which they run."""
        passes = zip(self.reducing, self.storing, self.adding, strict=True)
        return [*(kernel for own in passes for kernel in own if kernel is not None), self.kernel]

    @property
    def by_tensor(self) -> bool:
        """Whether tensors of one group may differ in their numbers."""
        slots = any(slot.old.level == PER_TENSOR for slot in self.program.slots)
        return bool(slots or self.cut.sizes or any(not each.over for part in self.cut.passes for each in part.sums))

    @property
    def of_the_model(self) -> bool:
        """Whether all its sums run over the whole model."""
        return any(part.sums for part in self.cut.passes) and not self.by_tensor


def drawn(optimizer: Optimizer, route: list[StagePath], dtype: str, kept: Storage | None = None, *, draws: bool = True) -> Drawn:
    """Return the kernels as text, without compiling them. Raises NotTraced if there are none.

    draws: a kernel that is alone draws its noise itself; otherwise noise is one of the columns.
    """
    made = program(route, moves=optimizer.moves, kept=kept, dtype=dtype, draws=draws)
    if draws and made.noisy and not is_alone(made):
        made = program(route, moves=optimizer.moves, kept=kept, dtype=dtype)
    made.slots.sort(key=lambda slot: slot.old.name in made.margins)  # those of the kernels first, numbered as theirs
    if dtype not in COMPUTED or (dtype == "float16" and not native.converts_half()):
        raise NotTraced(f"no kernel computes with {dtype}")
    return printed_passes(made, f"{optimizer.rule.name}, {dtype}", dtypes_of(made, dtype))


def is_alone(made: Program) -> bool:
    """Whether a step is a single pass that goes through each tensor once, element by element."""
    parts = cut(made)
    return not (parts.passes or parts.by_row or made.flat)


def in_words(optimizer: Optimizer, drawn: Callable[..., Drawn] = drawn) -> str:
    """Return in words how many kernel passes a step of float32 parameters takes, or why there is no kernel.

    drawn: draws them, by default for a CPU.
    """
    if optimizer.asks_gradients:
        return "none: it asks for gradients at several points"
    found = {}
    for whose, shape in (("of matrices", (2, 2)), ("of vectors", (2,))):
        p = np.zeros(shape, np.float32)
        try:
            route = stage_paths(optimizer, Leaf("p", shape, p, p, 0, None, p))
            if len(shape) < 2 and any(kind.of_matrices for each in route for kind in each.stage.memory.values()):
                continue  # it is for matrices
            made = drawn(optimizer, route, "float32")
            passes = len(made.kernels)
            found[whose] = "one pass over memory" if passes == 1 else f"{passes} passes over memory, the last of which writes"
            if made.cut.words:
                found[whose] += f", and between them {' and '.join(made.cut.plain_words)}"
        except NotTraced as reason:
            found[whose] = f"none: {reason}"
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return "; ".join(f"{whose} {words}" for whose, words in found.items())


def printed_passes(made: Program, title: str, dtypes: dict[str, str], printers: Printers = NUMBA) -> Drawn:
    """Return the kernels of a program. dtypes: of each input tensor. Raises NotTraced if there are none."""
    parts = cut(made)
    if not (parts.passes or any(parts.margins) or parts.sizes):
        return Drawn(made, parts, (), (), (), (), printers.writing(parts.last, title, dtypes))
    if (parts.words or parts.sizes) and not printers.whole:
        raise NotTraced(f"no kernel for it has {' and '.join(parts.plain_words or ['the sizes of matrices'])}")
    if parts.words and (COMPUTED[dtypes["p"]] != dtypes["p"] or made.dtypes):
        raise NotTraced("words of whole matrices in half precision, or of what is kept in another dtype")
    own = [one.name for each in parts.passes for one in each.reductions]
    own += [one.name for each in parts.passes for one in each.stored]
    own += [one.name for each in parts.margins for one in each if one.kind == WHOLE]
    arrays = [name for name, symbol in made.inputs.items() if symbol.level == TENSOR and name not in made.margins]
    columns = (*arrays, *parts.last.margins, *own, *(SIZES if parts.by_row else ()), sums.SUMS)
    if twice := {name for name in columns if columns.count(name) > 1}:
        raise NotTraced(f"'{twice.pop()}' is the engine's own word")
    dtypes = {**dtypes, **dict.fromkeys((*parts.last.margins, *own), COMPUTED[dtypes["p"]]), sums.SUMS: "float64"}
    titles = [f"{title}, pass {k} of {len(parts.passes) + 1}" for k in range(1, len(parts.passes) + 1)]
    passes = list(zip(titles, parts.passes, strict=True))
    adding = [printers.adding(parts, each.sums, name, dtypes, columns) if each.sums else None for name, each in passes]
    reducing = [
        printers.reducing(parts, each.reductions, name, dtypes, columns) if each.reductions else None for name, each in passes
    ]
    storing = [
        printers.writing(parts.of({one.name: one.of for one in each.stored}), name, dtypes, columns) if each.stored else None
        for name, each in passes
    ]
    hosts = tuple(host(parts, each, title) for each in parts.margins)
    last = printers.writing(parts.last, title, dtypes, columns)
    return Drawn(made, parts, tuple(adding), tuple(reducing), tuple(storing), hosts, last)


def dtypes_of(made: Program, dtype: str) -> dict[str, str]:
    """Return the dtype of each input tensor, for parameters of this dtype."""
    found = dict.fromkeys((name for name, s in made.inputs.items() if s.level == TENSOR), dtype)
    for slot in made.slots:
        if slot.old.level == TENSOR and slot.kind.dtype is not None:
            found[slot.old.name] = slot.kind.dtype
    found |= made.dtypes | dict.fromkeys(made.blocked, "float32")
    for name, own in found.items():
        if name not in made.dtypes and own != dtype and (own != "float32" or COMPUTED[dtype] != "float32"):
            raise NotTraced(f"'{name}' is kept in {own} beside parameters in {dtype}")
    return found


@functools.cache
def numbers_of(text: str, dtype: str, *, plain: bool = False) -> Numbers:
    """Return the function `numbers` of a kernel, for parameters of a dtype.

    plain: its arguments are Python's and NumPy's numbers only, so that NumPy's own functions suffice.
    """
    computed = COMPUTED[dtype]

    def kept(value: Any) -> Any:
        """Round a number to its storage dtype, since later steps will read it rounded."""
        return value.astype(computed) if isinstance(value, np.ndarray) and value.dtype == np.float32 else value

    words = PLAIN if plain else {word: getattr(ops, word) for word in WORDS}
    scope: dict[str, Any] = {"math": math, "kept": kept, **words}
    exec(text, scope)  # the text comes from `kernel`
    made: Numbers = scope["numbers"]
    return made


def _of_numbers(word: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's word for single numbers: Python's stay Python's, whose powers may end in another bit than NumPy's."""

    def said(a: Any, b: Any) -> Any:
        found = word(a, b)
        return found if isinstance(a, np.generic) or isinstance(b, np.generic) else found.item()

    return said


PLAIN: dict[str, Any] = {name: word.host for name, word in WORDS.items()}
PLAIN |= {name: _of_numbers(PLAIN[name]) for name in ("maximum", "minimum")}
"""The host's words for single numbers."""
