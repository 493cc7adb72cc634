"""One path through an optimizer's stages as the kernels of its passes for CUDA."""

from __future__ import annotations

from thalweg.core.optimizer import Optimizer
from thalweg.engines.drawn import Drawn, Printers, dtypes_of, is_alone, printed_passes
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.triton import kernel, reductions, sums
from thalweg.form.trace import steps
from thalweg.graph.program import NotTraced, StagePath, program
from thalweg.graph.storage import Storage

TRITON = Printers(kernel.printed, sums.printed, reductions.printed, whole=False)


def drawn(optimizer: Optimizer, route: list[StagePath], dtype: str, kept: Storage | None = None) -> Drawn:
    """Return the kernels as text: the counterpart of `engines.drawn.drawn` for the CPU. Raises NotTraced if there are none."""
    made = program(route, moves=optimizer.moves, kept=kept, dtype=dtype, norms_given=False, draws=True)
    made.slots.sort(key=lambda slot: slot.old.name in made.margins)  # those of the kernels first, numbered as theirs
    if "curvature" in made.inputs or optimizer.moves or dtype not in COMPUTED:
        raise NotTraced("its step needs more than each tensor and its state")
    if made.noisy and (not is_alone(made) or any(symbol.op == "exp" for symbol in steps(made.results))):
        raise NotTraced("it draws noise beside sums, or takes an exp whose last bit decides where the noise goes")
    found = printed_passes(made, f"{optimizer.rule.name}, {dtype}", dtypes_of(made, dtype), TRITON)
    if found.adding and (kept or Storage()) != Storage():
        raise NotTraced("a sum of tensors that are kept in another way")
    return found
