"""One launch over many tensors of a device: the kernels that Triton compiles, their tables, and their numbers.

Addresses, numbers and the job lists are on the device; a step sends only what has changed, and never waits for the device.
What depends on sums, which are on the device, is computed there, as is all of `capturable`, from counts that are tensors, so that
a CUDA graph can hold the step.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from thalweg.engines.drawn import Drawn
from thalweg.engines.lines import SIZES
from thalweg.engines.passes.sums import SUMS
from thalweg.engines.triton.margins import Margins, Reducing
from thalweg.engines.triton.passes import Adding, Drawing, Pass, number_of, rows_of
from thalweg.graph.program import NotTraced

Tensor = torch.Tensor

Value = Callable[[str, Any], Any]

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


class Grid:
    """Tensors of one device and dtype, updated by the kernels of a step.

    columns: each of the program's tensors by name, one per parameter; `look_up` fills in the gradients. value: returns the value
    of a hyper-parameter or the learning rate at an update. keys: see `Drawing`; empty if the kernel draws nothing.
    """

    def __init__(
        self, made: Drawn, dtype: str, params: Sequence[Tensor], columns: dict[str, list[Tensor]], value: Value,
        keys: Sequence[tuple[int, int]] = (),
    ) -> None:  # fmt: skip
        self.program, self.params, self.value = made.program, list(params), value
        self.device, self.count = params[0].device, made.cut.count
        sizes = [p.numel() for p in params]
        given = made.kernel, dtype, sizes, self.device
        self.writing = Drawing(*given, keys) if keys else Pass(*given)
        self.adding = [
            None if kernel is None else Adding(kernel, each.sums, dtype, sizes, self.device)
            for kernel, each in zip(made.adding, made.cut.passes, strict=True)
        ]
        self.dtype = self.writing.numbers.dtype
        names = made.kernel.columns
        self.host = np.zeros((len(params), len(names)), np.int64)
        for k, name in enumerate(names):
            if name in columns:
                self.host[:, k] = [x.data_ptr() for x in columns[name]]
        self.g = names.index("g") if "g" in names else None
        self.addresses = [k for k, name in enumerate(names) if name not in SIZES]
        if SUMS in names:
            width = max((len(each.columns) for each in self.adding if each is not None), default=0)
            self.found = torch.zeros(rows_of(sizes) * width, dtype=torch.float64, device=self.device)
            self.elements = torch.tensor([max(size, 1) for size in sizes], dtype=self.dtype).to(self.device)
            self.host[:, names.index(SUMS)] = self.found.data_ptr()
        self.margins = margins = Margins(made, params, columns, self.host) if made.cut.by_row else None
        self.reducing = [
            None if kernel is None or margins is None else Reducing(kernel, each.reductions, dtype, margins)
            for kernel, each in zip(made.reducing, made.cut.passes, strict=True)
        ]
        self.passes = [each for each in (*self.reducing, *self.adding, self.writing) if each is not None]
        self.several = bool(self.adding) or made.cut.by_row
        self.table = torch.zeros(self.host.shape, dtype=torch.int64, device=self.device)
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
            self.aligned = ALIGNMENT if not (self.host[:, self.addresses] % ALIGNMENT).any() else 1
            self.fresh = False

    # numbers of the host

    def reckoned_here(self, t: Sequence[int], kept: dict[str, list[Tensor]], models: dict[str, Any]) -> dict[int, list[float]]:
        """Compute each tensor's numbers on the host, at its update t. Returns the new per-tensor and per-model memory, by slot.

        kept: the per-tensor numbers by name. models: the per-model numbers.
        """
        found: dict[Any, list[float]] = {}
        rows, news = [], []
        kernel, table = self.writing.kernel, self.writing.numbers
        for k, update in enumerate(t):
            own = tuple(float(values[k]) for values in kept.values())
            if (update, own) not in found:  # arrays of one, so that float32 memory is computed with as on the CPU
                given = {**models, **{name: values[k].numpy().reshape(1) for name, values in kept.items()}, "t": update}
                arguments = [given[name] if name in given else self.value(name, update) for name in kernel.needs]
                found[update, own] = [float(number_of(x)) for x in self.writing.reckon(*arguments)]
            values = found[update, own]
            rows.append(values[: kernel.width])
            news.append(values[kernel.width :])
        table.copy_(torch.tensor(rows, dtype=table.dtype).reshape(table.shape[0], -1), non_blocking=True)
        return {slot: [new[j] for new in news] for j, slot in enumerate(kernel.kept)}

    # numbers of the device

    def begin(self, t: Tensor | Sequence[int], given: dict[str, Any]) -> None:
        """Take the inputs of a step whose numbers are computed on the device: counts, and what else the kernels need but sums.

        t: the tensors' updates; a tensor of them on the device if even the counts are there.
        """
        self.t, self.given = t, dict(given)
        if self.count is not None:
            self.given[self.count] = self.elements
        if isinstance(t, Tensor):
            for each in self.passes:
                each.forget()
        if self.margins is not None:
            self.margins.begin()

    def reduce(self, depth: int) -> None:
        """Compute the margins that the pass of this depth reads, and those that it finds, if any."""
        if self.margins is None:
            return
        self.margins.reckon(depth, self._number)
        reducing = self.reducing[depth]
        if reducing is not None:
            reducing.fill(self._reckoned(reducing))
            reducing.run(self.table, self.aligned)

    def added(self, adding: Adding) -> list[Tensor]:
        """Return the sums over tensors of a summing pass, in float64: see `Adding.run`."""
        adding.fill(self._reckoned(adding))
        return adding.run(self.table, self.aligned, self.found)

    def reckoned_there(self) -> dict[int, Any]:
        """Compute the writing pass's numbers. Returns the new per-tensor and per-model memory, by slot."""
        if self.margins is not None:
            self.margins.reckon(len(self.adding), self._number)
        found = self._reckoned(self.writing)
        width = self.writing.kernel.width
        self.writing.fill(found[:width])
        return dict(zip(self.writing.kernel.kept, found[width:], strict=True))

    def _reckoned(self, own: Pass) -> tuple[Any, ...]:
        return own.reckon(*map(self._number, own.kernel.needs))

    def _number(self, name: str) -> Any:
        if name not in self.given:
            self.given[name] = self._at(name)
        return self.given[name]

    def _at(self, name: str) -> Any:
        """Return a number at the tensors' updates: one for all of them, or a tensor with one for each."""
        if isinstance(self.t, Tensor):
            return self.t if name == "t" else self.value(name, self.t)
        found = {t: t if name == "t" else self.value(name, t) for t in dict.fromkeys(self.t)}
        values = list(found.values())
        if isinstance(values[0], Tensor):  # a learning rate; sent as a tensor of the host it would be waited for
            return values[0] if values[0].device == self.device else values[0].item()
        if values.count(values[0]) == len(values):
            return values[0]
        return torch.tensor([found[t] for t in self.t], dtype=torch.float64).to(self.device, non_blocking=True)

    # launches

    def run(self) -> None:
        """The pass over memory that writes."""
        self.writing.launch(self.table, self.aligned)
        if self.margins is not None:
            self.margins.keep()

    def warm(self) -> None:
        """Compile in advance. If Triton cannot, warn and raise NotTraced."""
        if not hasattr(self.writing.step, "warmup"):  # Triton's interpreter does not compile
            return
        try:
            for each in self.passes:
                each.warm(self.table, self.aligned)
        except Exception as error:  # any error of Triton, its compiler or the driver: torch's own step takes over
            _say(f"thalweg: Triton could not compile the step ({type(error).__name__}: {error}); torch's own is taken")
            raise NotTraced("Triton could not compile it") from error


@functools.cache
def _say(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)
