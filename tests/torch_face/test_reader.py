"""The compiled loop that reads where tensors lie and how large their storages are: what torch itself says of each."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from thalweg.torch import reader  # noqa: E402

try:
    reader.entries()
except LookupError as missing:
    pytest.skip(f"this torch has no such interface: {missing}", allow_module_level=True)


def test_where_the_interface_is_there_the_loop_reads_right() -> None:
    """A loop that reads wrong is never used, so that only its absence would show."""
    assert reader.available()


def _reader(p: Any, span: int | None = None) -> reader.Reader:
    size = p.numel() * p.element_size()
    here = p.data_ptr()
    return reader.Reader([here], [p.element_size()] * 2, [span or size] * 2, [(here, here + size)], p.element_size() - 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_an_address_is_the_one_that_torch_gives(dtype: Any) -> None:
    p = torch.nn.Parameter(torch.zeros(5, 4, dtype=dtype))
    read = _reader(p)
    for g in (torch.ones(5, 4, dtype=dtype), torch.ones(60, dtype=dtype)[7:27], torch.ones(40, dtype=dtype)[20:]):
        assert read.reads([p, g])
        assert list(read.found) == [g.data_ptr()]


@pytest.mark.parametrize("short", [1, 4, 79])
def test_a_storage_that_is_too_short_by_some_bytes_is_seen(short: int) -> None:
    """With the offset, which counts in elements; nothing is read beyond the storage, as the loop asks only for its size."""
    p, room = torch.nn.Parameter(torch.zeros(20)), torch.ones(30)
    read = _reader(p)
    assert read.reads([p, room[10:]])
    view = room[10:]
    room.untyped_storage().resize_(120 - short)
    assert not read.reads([p, view])


def test_overlapping_gradients_are_seen_at_either_end() -> None:
    room = torch.zeros(30)
    p = torch.nn.Parameter(room[10:20])
    read = _reader(p)
    for begin in range(21):
        assert read.reads([p, room[begin : begin + 10]]) == (begin in (0, 20))


def test_the_functions_are_those_of_the_library_that_torch_loaded() -> None:
    functions, handle = reader.entries()
    x = torch.ones(6)[2:]
    found = ctypes.c_int64()
    for function, wanted in zip(functions, (x.data_ptr(), 24, 2), strict=True):
        call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p)(function)
        assert call(id(x) + handle, ctypes.byref(found)) == 0
        assert found.value == wanted
