"""Addresses and memory of a step's tensors, read by one compiled loop through torch's stable C interface.

To ask a tensor in Python where it lies, how large its storage is and where in it the tensor begins takes three calls and a
storage object; of hundreds of tensors that is most of a step. The functions that are called here are those that code compiled
ahead by torch calls (`aoti_torch_...`), whose form torch promises to keep. They take a handle, which is the place in
the Python object where it points to torch's own tensor; where that is, each process finds out, and then tries the loop.
"""

from __future__ import annotations

import ctypes
import functools
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from thalweg.engines import native
from thalweg.engines.gradients import APART

LIBRARY = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
ASKED = ("aoti_torch_get_data_ptr", "aoti_torch_get_storage_size", "aoti_torch_get_storage_offset")

READER = f"""
from numba import cfunc, types

from thalweg.engines.words import ask, peek

INTEGERS = types.CPointer(types.int64)


@cfunc(types.int64(types.int64, INTEGERS, INTEGERS, INTEGERS, types.int64))
def step(tensors, known, ranges, found, scratch):
    count, fixed, handle, taken, alignment = known[0], known[1], known[2], known[3], known[4]
    if peek(tensors + 16) != count:
        return 0
    items = peek(tensors + 24)
    for k in range(count):
        tensor = peek(items + 8 * k) + handle
        errors = ask(known[5], tensor, scratch) | ask(known[6], tensor, scratch + 8) | ask(known[7], tensor, scratch + 16)
        if errors != 0:
            return 0
        data, room, offset = peek(scratch), peek(scratch + 8), peek(scratch + 16)
        expected, item, size = known[8 + 3 * k], known[9 + 3 * k], known[10 + 3 * k]
        if offset * item + size > room:
            return 0
        if k < fixed:
            if data != expected:
                return 0
            continue
        if data == 0 or data & alignment != 0:
            return 0
{APART}        found[k - fixed] = data
    return 1
"""


class Reader:
    """Reads tensors of which the first ones lie at these addresses, and the others, gradients, apart from those.

    items, spans: the bytes of an element and of a whole tensor, for all of them. ranges: of the first ones' memory, sorted: begin
    and end. It holds no tensor.
    """

    def __init__(
        self,
        addresses: Sequence[int],
        items: Sequence[int],
        spans: Sequence[int],
        ranges: Sequence[tuple[int, int]],
        alignment: int,
    ) -> None:
        fixed = len(addresses)
        expected = [*addresses, *[0] * (len(items) - fixed)]
        rows = [number for row in zip(expected, items, spans, strict=True) for number in row]
        functions, handle = entries()
        self.found = array("q", [0] * (len(items) - fixed))
        self._known = array("q", [len(items), fixed, handle, len(ranges), alignment, *functions, *rows])
        self._ranges, self._scratch = array("q", [number for pair in ranges for number in pair]), array("q", [0, 0, 0])
        self.read = native.compiled(READER, "tensors", holds_gil=True)
        self.rest = [each.buffer_info()[0] for each in (self._known, self._ranges, self.found, self._scratch)]

    def reads(self, tensors: list[Any]) -> bool:
        """Whether all is as it was; `found` are then the gradients' addresses. Their types must have been checked."""
        return self.read(id(tensors), *self.rest) == 1


@functools.cache
def entries() -> tuple[list[int], int]:
    """Addresses of torch's functions, and where in a Python tensor its handle is. Raises LookupError if something is missing."""
    if not LIBRARY.exists():
        raise LookupError("no libtorch_cpu.so")
    library = ctypes.CDLL(str(LIBRARY))
    try:
        functions = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in ASKED]
    except AttributeError as error:
        raise LookupError(str(error)) from None
    probes = [torch.ones(2), torch.nn.Parameter(torch.ones(3)), torch.ones(4, dtype=torch.int8)[1:]]
    for handle in range(16, 64, 8):
        if all(ctypes.c_int64.from_address(id(x) + handle).value == x._cdata for x in probes):
            return functions, handle
    raise LookupError("a tensor's handle")


@functools.cache
def available() -> bool:
    """Whether the loop reads this Python's and this torch's tensors correctly."""
    try:
        entries()
    except LookupError:
        return False
    p, g = torch.nn.Parameter(torch.ones(2, 3)), torch.ones(7)[1:]
    reader = Reader([p.data_ptr()], [4, 4], [24, 24], [(p.data_ptr(), p.data_ptr() + 24)], 3)
    right = reader.reads([p, g]) and list(reader.found) == [g.data_ptr()]
    wrong = [p, p.view(6)[1:], torch.ones(6).view(torch.int8)[1:], torch.ones(6)[3:]]
    return right and not any(reader.reads([p, x]) for x in wrong) and not reader.reads([g, p]) and not reader.reads([p])
