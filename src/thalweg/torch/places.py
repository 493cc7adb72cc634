"""Addresses and layout of a step's tensors, checked at each step: a kernel never trusts an earlier address.

Between two steps a user may replace tensors in the state, change a parameter's layout or dtype, swap, share or shrink them.
The tensor objects may stay the same through all of that, so we compare their properties, all at once.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import operator
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch.utils._device import DeviceContext

from thalweg.torch.reader import Reader, available
from thalweg.torch.tensors import DENSE, PLAIN, Tensor

_FACTS = operator.attrgetter("dtype", "shape", "layout", "device")
_STRIDE, _ADDRESS, _NEGATIVE, _GRADIENT = Tensor.stride, Tensor.data_ptr, Tensor.is_neg, operator.attrgetter("grad")
_DISPATCHED, _OVERRIDDEN = torch._C._len_torch_dispatch_stack, torch._C._len_torch_function_stack
_TRANSFORMED, _TRACED = torch._C._functorch.peek_interpreter_stack, torch._C._get_tracing_state
_STORAGE, _SIZE, _OFFSET = Tensor.untyped_storage, torch.UntypedStorage.nbytes, Tensor.storage_offset


def guard(tensors: Sequence[Tensor]) -> Any:
    """A check, in one call, that tensors have the types, dtypes, shapes, strides, layouts and devices of these.

    It is the one that torch.compile makes of a function's arguments, an eighth of the time of asking each tensor; None where
    this torch has none. It also compares `requires_grad`, so a difference that it finds may be none to a kernel.
    """
    made = getattr(getattr(torch._C, "_dynamo", None), "guards", None)
    if made is None or not hasattr(made, "TensorGuards"):
        return None
    try:
        return made.TensorGuards(*tensors, dynamic_dims_sizes=None, dynamic_dims_strides=None)
    except TypeError:  # another release's arguments
        return None


class Places:
    """Parameters with their gradients, and the tensors in their states under these keys, as they are now.

    It keeps no reference to gradients or state. Raises RuntimeError if a storage is shorter than its tensor claims.
    """

    def __init__(self, params: Sequence[Tensor], states: Sequence[dict[str, Any]], keys: Iterable[str]) -> None:
        self.params, self.states, self.columns = list(params), list(states), list(keys)
        self.slots = [operator.itemgetter(key) for key in self.columns]
        fixed = self.fixed()
        self.fits = PLAIN.issuperset(map(type, fixed)) and not any(map(special, fixed))
        if not self.fits:
            return
        self.facts = list(map(_FACTS, [*fixed, *params]))  # gradients must match the parameters
        self.strides = list(map(_STRIDE, [*fixed, *params]))
        self.addresses = list(map(_ADDRESS, fixed))
        self.items = [x.element_size() for x in [*fixed, *params]]
        self.spans = [span(x) for x in fixed] + [span(p) for p in params]
        self.sizes = [p.numel() * p.element_size() for p in params]
        self.alignment = max(self.items[len(fixed) :], default=1) - 1
        taken = sorted((x.data_ptr(), x.data_ptr() + x.numel() * x.element_size()) for x in fixed if x.numel())
        self.starts, self.ends = [start for start, _ in taken], [0, *(end for _, end in taken)]
        self.fits = all(map(operator.le, self.ends[1:], self.starts[1:]))  # overlapping tensors go to torch's step
        self.there: Sequence[int] = []
        self.room: Any = None
        self.held: list[Any] = []
        self.guard: Any = None
        self.reader: Reader | None = None

    def fixed(self) -> list[Tensor]:
        """Return the parameters, then the state's tensors under each key. Raises KeyError if one is missing."""
        tensors = list(self.params)
        for slot in self.slots:
            tensors += map(slot, self.states)
        return tensors

    def of(self, chosen: list[int]) -> Places | None:
        """Return the places of some of these parameters; None if one of them or its state does not lie as it did."""
        states = [self.states[k] for k in chosen] if self.columns else []
        try:
            some = Places([self.params[k] for k in chosen], states, self.columns)
        except KeyError:
            return None
        where = [column * len(self.params) + k for column in range(1 + len(self.columns)) for k in chosen]
        same = some.fits and all(
            now[: len(where)] == [before[i] for i in where]
            for now, before in ((some.facts, self.facts), (some.strides, self.strides), (some.addresses, self.addresses))
        )
        return some if same else None

    def look(self) -> tuple[list[Tensor], list[Tensor]] | None:
        """Return those tensors and the gradients if nothing changed or overlaps; a gradient in another layout is copied."""
        try:
            fixed = self.fixed()
        except KeyError:
            return None
        given: list[Any] = list(map(_GRADIENT, self.params))
        tensors = fixed + given
        alike = self.guard is not None and self.guard.check(*tensors)
        if alike and self.reader is not None:
            # Another thread may give a tensor another storage before the step is done.
            self.held = list(map(_STORAGE, tensors)) if threading.active_count() > 1 else []
            if self.reader.reads(tensors):
                self.there = self.reader.found
                return (fixed, given) if not self.held or self.holds(self.held, self.there) else None
        gradients = given if alike else self._alike(fixed, given)
        if gradients is None:
            return None
        self._check_room(fixed + gradients)
        if list(map(_ADDRESS, fixed)) != self.addresses:
            return None
        there = list(map(_ADDRESS, gradients))
        if there != self.there:
            if not self._apart(there, self.sizes):
                return None
            if not all(there) or functools.reduce(operator.or_, there, 0) & self.alignment:  # missing or misaligned
                gradients = [torch.empty_like(p).copy_(g) for p, g in zip(self.params, gradients, strict=True)]
            self.there = list(map(_ADDRESS, gradients))
        if threading.active_count() > 1:
            self.held[len(fixed) :] = map(_STORAGE, gradients)  # some may be copies by now
            if not self.holds(self.held, self.there):
                return None
        return fixed, gradients

    def holds(self, storages: Sequence[Any], there: Iterable[int]) -> bool:
        """Whether these storages are of the memory that a step uses. there: the gradients' addresses.

        Another thread may replace a tensor's storage twice between two looks at it, and the last may lie where the first did.
        """
        addresses = itertools.chain(self.addresses, there)
        return all(
            not span or (storage.data_ptr() <= address and address + span <= storage.data_ptr() + storage.nbytes())
            for storage, address, span in zip(storages, addresses, self.spans, strict=True)
        )

    def _check_room(self, tensors: list[Tensor]) -> None:
        """Raise RuntimeError if a storage is too short: it can be resized twice and lie at the same address as before.

        The storages are held until the step is done, as another thread may give a tensor another one meanwhile.
        """
        self.held = list(map(_STORAGE, tensors))
        sizes, offsets = list(map(_SIZE, self.held)), list(map(_OFFSET, tensors))
        if (sizes, offsets) != self.room:
            ends = map(operator.add, map(operator.mul, offsets, self.items), self.spans)
            if not all(map(operator.le, ends, sizes)):
                for tensor in tensors:
                    check_memory(tensor)
            self.room = sizes, offsets

    def _alike(self, fixed: list[Tensor], gradients: list[Tensor]) -> list[Tensor] | None:
        """The gradients, copies where they lie otherwise; None where some tensor's facts are not those of before."""
        tensors, count = fixed + gradients, len(fixed)
        if not PLAIN.issuperset(map(type, tensors)) or list(map(_FACTS, tensors)) != self.facts:
            return None
        strides, negative = list(map(_STRIDE, tensors)), list(map(_NEGATIVE, tensors))
        if strides != self.strides or True in negative:
            if strides[:count] != self.strides[:count] or True in negative[:count]:
                return None
            if not self._apart(list(map(_ADDRESS, gradients)), list(map(span, gradients))):
                return None
            return [laid_as(p, g) for p, g in zip(self.params, gradients, strict=True)]
        self.guard = guard(tensors)
        if self.guard is not None and self.reader is None and available():
            ranges = list(zip(self.starts, self.ends[1:], strict=True))
            self.reader = Reader(self.addresses, self.items, self.spans, ranges, self.alignment)
        return gradients

    def _apart(self, there: list[int], sizes: list[int]) -> bool:
        """Whether no gradient overlaps a parameter or state, since torch defines the order of those writes."""
        before = map(bisect.bisect_left, itertools.repeat(self.starts), map(operator.add, there, sizes))
        return all(map(operator.le, map(self.ends.__getitem__, before), there))


def same_order(x: Tensor, p: Tensor) -> bool:
    """Whether two tensors of one shape have the same order and spacing of elements."""
    return x.stride() == p.stride() or all(
        a == b or length == 1 for a, b, length in zip(x.stride(), p.stride(), p.shape, strict=True)
    )


def laid_flat(x: Tensor) -> bool:
    """Whether the elements fill one contiguous range of memory."""
    order = sorted(range(x.ndim), key=x.stride, reverse=True)
    return x.permute(order).is_contiguous()


def laid_as(p: Tensor, g: Tensor) -> Tensor:
    """Return a gradient in its parameter's layout: itself, or a copy. Raises RuntimeError if its storage is too short."""
    check_memory(g)
    return g if same_order(g, p) and not special(g) else torch.empty_like(p).copy_(g)


def special(x: Tensor) -> bool:
    """Whether a tensor's memory does not hold its numbers, or must not be written here."""
    return x.is_neg() or x.is_conj() or x._is_zerotensor() or x.is_inference()


def span(x: Tensor) -> int:
    """The bytes from a dense tensor's first element to the end of its last."""
    if x.is_contiguous():
        return x.numel() * x.element_size()
    return (1 + sum((n - 1) * s for n, s in zip(x.shape, x.stride(), strict=True))) * x.element_size()


def has_memory(x: Any) -> bool:
    """Whether torch can read a tensor: false for a dense one whose storage is too short, where torch would read past its end."""
    if type(x) not in PLAIN or x.layout is not DENSE or not x.numel() or x._is_zerotensor():
        return True
    enough: bool = x.untyped_storage().nbytes() >= x.storage_offset() * x.element_size() + span(x)
    return enough


def check_memory(x: Tensor) -> None:
    """Raise RuntimeError if a dense tensor's storage is too short for it."""
    if not has_memory(x):
        there, wanted = x.untyped_storage().nbytes(), x.storage_offset() * x.element_size() + span(x)
        raise RuntimeError(
            f"a tensor of shape {tuple(x.shape)} has {there} bytes of memory where it needs {wanted}: its storage was "
            "resized; give it memory again before the step"
        )


def watched() -> bool:
    """Whether a mode, transform or trace needs to observe each operation of the step."""
    if _DISPATCHED() or _TRANSFORMED() is not None or _TRACED() is not None:
        return True
    if not _OVERRIDDEN():
        return False
    modes = torch.overrides._get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    return any(type(mode) is not DeviceContext for mode in modes)  # the default device's mode does not observe operations
