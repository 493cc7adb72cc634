"""Objects of a step compared with those of the step before by compiled loops: which they are, and torch's facts about tensors.

Right after a backward pass the caches hold little of a step's tensors. The check that torch.compile makes (`places.guard`) then
waits for memory at each of them, once more for its own record of it, and what follows waits for storages and version counters.
Here the memory of the next tensors is asked for while one is compared, and tensors with the same facts share a record.

The facts are fifteen words of torch's own tensor (`c10::TensorImpl`, whose members torch asserts in its header): the number of
axes, five sizes, five strides, the offset into the storage, the number of elements, then dtype, device and flags in one, and the
dispatch keys, which say whether it is sparse, negated, conjugated, an inference tensor or a wrapper. Where they begin, each
process finds out, and then tries the loop.
"""

from __future__ import annotations

import ctypes
import functools
from array import array
from collections.abc import Sequence
from typing import Any

import torch

from thalweg.engines import native
from thalweg.torch import reader
from thalweg.torch.tensors import PLAIN, Tensor

AXES, WORDS = 5, 15
OFFSET, TRAITS = 8 * (1 + 2 * AXES), 8 * (WORDS - 2)
"""Where in the facts the offset is, which is not compared here, and dtype and device, five bytes; the three bytes of flags above
them are not compared either: they follow from the rest, or have no meaning here, and the last bit stays as the memory was."""
NEAR, FAR = 8, 16
"""How many tensors ahead storages and version counters are asked for, and the tensors themselves."""

SAME = """
from numba import cfunc, types

from thalweg.engines.words import peek


@cfunc(types.int64(types.int64, types.int64))
def step(found, wanted):
    count, items, others = peek(wanted + 16), peek(wanted + 24), peek(found + 24)
    if peek(found + 16) != count:
        return 0
    for k in range(count):
        if peek(items + 8 * k) != peek(others + 8 * k):
            return 0
    return 1
"""
ALIKE = f"""
from numba import cfunc, types

from thalweg.engines.words import fetch, peek

INTEGERS = types.CPointer(types.int64)


@cfunc(types.int64(INTEGERS, types.int64))
def step(known, tensors):
    count, handle, begin = known[0], known[1], known[2]
    if peek(tensors + 16) != count:
        return 0
    items = peek(tensors + 24)
    for k in range(count):  # the others are looked into only if all are tensors
        if peek(peek(items + 8 * k) + 8) != known[3 + 2 * k]:
            return 0
    for k in range(count):
        if k + {FAR} < count:
            later = peek(peek(items + 8 * (k + {FAR})) + handle)
            for j in range(3):
                fetch(later + 64 * j, 1)
        if k + {NEAR} < count:
            later = peek(peek(items + 8 * (k + {NEAR})) + handle)
            for j in range(2, 6):
                fetch(peek(later + 8 * j), 1)
        facts, wanted = peek(peek(items + 8 * k) + handle) + begin, known[4 + 2 * k]
        differs = (peek(facts + {TRAITS}) ^ peek(wanted + {TRAITS})) << 24
        for j in range({OFFSET // 8}):
            differs |= peek(facts + 8 * j) ^ peek(wanted + 8 * j)
        differs |= peek(facts + {OFFSET + 8}) ^ peek(wanted + {OFFSET + 8})
        differs |= peek(facts + {TRAITS + 8}) ^ peek(wanted + {TRAITS + 8})
        if differs != 0:
            return 0
    return 1
"""


class Facts:
    """The exact types and the facts of tensors, to be found again in others. It holds none of them.

    Raises LookupError if one is no tensor, or has more than five axes: torch then keeps its sizes elsewhere.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        if any(type(x) not in PLAIN or x.ndim > AXES for x in tensors):
            raise LookupError("not a plain tensor of at most five axes")
        where, (_, handle) = begin(), reader.entries()
        records: dict[bytes, array[int]] = {}
        rows = [len(tensors), handle, where]
        for x in tensors:
            words = ctypes.string_at(x._cdata + where, 8 * WORDS)
            facts = words[:OFFSET] + words[OFFSET + 8 : TRAITS + 5] + words[TRAITS + 8 :]
            rows += id(type(x)), records.setdefault(facts, array("q", words)).buffer_info()[0]
        self._held = array("q", rows), list(records.values()), {*map(type, tensors)}
        alike = native.compiled(ALIKE, "alike", holds_gil=True)
        self.alike = functools.partial(alike, self._held[0].buffer_info()[0])

    def hold_of(self, tensors: list[Any]) -> bool:
        """Whether these objects are tensors of those types with those facts."""
        return self.alike(id(tensors)) == 1


@functools.cache
def begin() -> int:
    """Where in torch's tensor its facts begin. Raises LookupError if they do not lie as this module says."""
    x = torch.arange(400.0, device="cpu")[7:].as_strided((2, 3, 4, 2, 5), (1, 2, 6, 24, 48), 9)
    try:
        keys: int = torch._C._dispatch_keys(x).raw_repr()
    except AttributeError as error:
        raise LookupError(str(error)) from None
    for where in range(16, 80, 8):
        words = list((ctypes.c_uint64 * WORDS).from_address(x._cdata + where))
        if words[:-2] == [x.ndim, *x.shape, *x.stride(), x.storage_offset(), x.numel()] and words[-1] == keys:
            return where
    raise LookupError("a tensor's sizes")


@functools.cache
def available() -> bool:
    """Whether the loop tells this torch's tensors apart."""
    try:
        begin()
    except LookupError:
        return False
    x = torch.ones(2, 3, device="cpu")
    same = [torch.zeros(2, 3, device="cpu"), torch.ones(9, device="cpu")[3:].view(2, 3), x.detach(), x.clone().requires_grad_()]
    sizes = [x[:1], x.T, x.view(3, 2), x.view(6), x[None], x[:, :2], torch.ones(2, 6, device="cpu")[:, ::2]]
    kinds = [x.double(), x.to("meta"), x.to_sparse(), torch._neg_view(x), torch.nn.Parameter(x)]
    kinds.append(torch._efficientzerotensor((2, 3), device="cpu"))
    known = Facts([x])
    with torch.inference_mode():
        others = [*sizes, *kinds, torch.ones(2, 3, device="cpu"), None, 1.0]
    return all(known.hold_of([y]) for y in same) and not any(known.hold_of([y]) for y in others)
