"""One launch over many tensors of a device: the kernel that Triton compiles, its tables, and its numbers.

Addresses, numbers and the job list are on the device; a step sends only what has changed, and never waits for the device.
With `capturable`, even the numbers are computed there, from counts that are tensors, so that a CUDA graph can hold the step.
"""

from __future__ import annotations

import functools
import linecache
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from thalweg.engines.drawn import numbers_of
from thalweg.engines.kernel import Kernel
from thalweg.engines.triton import kernel as triton_kernel
from thalweg.graph.program import NotTraced, Program
from thalweg.values.scalars import Scalar

Tensor = torch.Tensor

WIDTH = 1024
"""Elements per Triton program: a multiple of the block that shares a scale."""
WARPS = 4
ALIGNMENT = 16
"""Bytes. If all addresses are multiples of it, memory is accessed in the widest words."""


@functools.cache
def available() -> bool:
    """Whether Triton can be imported."""
    try:
        import triton  # noqa: F401  # here, since only a user with CUDA has it
    except ImportError:
        return False
    return True


@functools.cache
def compiled(text: str, name: str) -> Any:
    """Return the function `step` of a kernel module, for Triton to compile. Its source is stored where `inspect` finds it."""
    file = f"<thalweg {name} {hash(text):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"__name__": f"thalweg.kernel.{name}"}
    exec(compile(text, file, "exec"), scope)  # the text comes from this package
    return scope["step"]


class Grid:
    """Tensors of one device and dtype, updated by one kernel.

    columns: each of the program's tensors by name, one per parameter; `look_up` fills in the gradients. value: returns the value
    of a hyper-parameter or the learning rate at an update. Raises NotTraced if Triton lacks a word of the program.
    """

    def __init__(
        self, program: Program, title: str, dtypes: dict[str, str], params: Sequence[Tensor],
        columns: dict[str, list[Tensor]], value: Callable[[str, Any], Any],
    ) -> None:  # fmt: skip
        self.program, self.params, self.value = program, list(params), value
        self.kernel: Kernel = triton_kernel.printed(program, title, dtypes)
        self.device = params[0].device
        self.host = np.zeros((len(params), len(self.kernel.columns)), np.int64)
        for k, name in enumerate(self.kernel.columns):
            if name != "g":
                self.host[:, k] = [x.data_ptr() for x in columns[name]]
        self.g = self.kernel.columns.index("g") if "g" in self.kernel.columns else None
        self.table = torch.zeros(self.host.shape, dtype=torch.int64, device=self.device)
        whole: list[tuple[int, ...]] = []
        parts: list[tuple[int, ...]] = []
        for k, p in enumerate(params):
            for first in range(0, p.numel(), WIDTH):
                last = min(first + WIDTH, p.numel())
                (whole if last - first == WIDTH else parts).append((k, k, first, last))
        self.jobs = [(torch.tensor(jobs).to(self.device), jobs is parts) for jobs in (whole, parts) if jobs]
        computed = torch.float64 if dtypes["p"] == "float64" else torch.float32
        self.numbers = torch.zeros((len(params), max(self.kernel.width, 1)), dtype=computed, device=self.device)
        self.reckon = numbers_of(self.kernel.numbers, dtypes["p"])
        self.step = compiled(self.kernel.text, title)
        self.fresh, self.aligned = True, ALIGNMENT

    def look_up(self, gradients: Sequence[Tensor]) -> None:
        """Record the gradients' addresses; send the table to the device if it has changed."""
        if self.g is not None:
            now = [x.data_ptr() for x in gradients]
            if now != self.host[:, self.g].tolist():
                self.host[:, self.g] = now
                self.fresh = True
        if self.fresh:
            self.table.copy_(torch.from_numpy(self.host), non_blocking=True)
            self.aligned = ALIGNMENT if not (self.host % ALIGNMENT).any() else 1
            self.fresh = False

    def count(self, t: Sequence[int], kept: dict[str, list[Tensor]], models: dict[str, Any]) -> dict[int, list[float]]:
        """Compute each tensor's numbers on the host, at its update t. Returns the new per-tensor and per-model memory, by slot.

        kept: the per-tensor numbers by name. models: the per-model numbers.
        """
        found: dict[Any, list[float]] = {}
        rows, news = [], []
        for k, update in enumerate(t):
            own = tuple(float(values[k]) for values in kept.values())
            if (update, own) not in found:  # arrays of one, so that float32 memory is computed with as on the CPU
                given = {**models, **{name: values[k].numpy().reshape(1) for name, values in kept.items()}}
                found[update, own] = [_number(x) for x in self._reckoned(update, given)]
            values = found[update, own]
            rows.append(values[: self.kernel.width])
            news.append(values[self.kernel.width :])
        self.numbers.copy_(torch.tensor(rows, dtype=self.numbers.dtype).reshape(self.numbers.shape[0], -1), non_blocking=True)
        return {slot: [new[j] for new in news] for j, slot in enumerate(self.kernel.kept)}

    def count_there(self, t: Tensor, models: dict[str, Any]) -> None:
        """Compute them on the device, from counts in a float64 tensor there; there is no per-tensor memory then."""
        for k, value in enumerate(self._reckoned(t, models)):
            self.numbers[:, k] = value

    def _reckoned(self, t: Any, given: dict[str, Any]) -> tuple[Any, ...]:
        arguments = [t if name == "t" else given[name] if name in given else self.value(name, t) for name in self.kernel.needs]
        return self.reckon(*arguments)

    def run(self) -> None:
        """Launch twice: over full Triton programs, with wide accesses, and over the rest."""
        for jobs, parts in self.jobs:
            self.step[(len(jobs),)](self.table, self.numbers, jobs, **self._options(parts))

    def warm(self) -> None:
        """Compile in advance. If Triton cannot, warn and raise NotTraced."""
        if not hasattr(self.step, "warmup"):  # Triton's interpreter does not compile
            return
        try:
            for jobs, parts in self.jobs:
                self.step.warmup(self.table, self.numbers, jobs, **self._options(parts), grid=(len(jobs),))
        except Exception as error:  # any error of Triton, its compiler or the driver: torch's own step takes over
            _say(f"thalweg: Triton could not compile the step ({type(error).__name__}: {error}); torch's own is taken")
            raise NotTraced("Triton could not compile it") from error

    def _options(self, parts: bool) -> dict[str, Any]:
        return {"WIDTH": WIDTH, "ALIGNED": self.aligned, "PARTS": parts, "num_warps": WARPS}


def _number(x: Any) -> float:
    x = x.values if isinstance(x, Scalar) else x
    return float(np.asarray(x).item())


@functools.cache
def _say(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)
