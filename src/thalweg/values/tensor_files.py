"""Files of named tensors in the safetensors format: eight bytes with the length of a JSON header, the header, all numbers.

The format is Hugging Face's (https://github.com/huggingface/safetensors, "Format"). It is read and written here, and not by the
package of that name, because `import thalweg` needs NumPy alone and the package reads no bfloat16 into NumPy; the tests compare
the two in both directions. Beside the format, our headers have a checksum of the whole file.
"""

from __future__ import annotations

import json
import math
import os
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.values.arrays import Array, dtype_name, framework
from thalweg.values.atomic import atomic_write

NAMES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
}  # fmt: skip
"""The dtypes by the format's names, which say their bits."""
DTYPES = {ours: theirs for theirs, ours in NAMES.items()}
TOLD, CHECKSUM = "__metadata__", "crc32"
LONGEST = 100_000_000
"""The format's bound on the header, in bytes."""


class Bits(NamedTuple):
    """An array as a file holds it: the dtype by name, the shape, and the bytes in C order, first byte lowest."""

    dtype: str
    shape: tuple[int, ...]
    raw: np.ndarray[Any, np.dtype[np.uint8]]


def bits_of(x: Array) -> Bits:
    """Return an array of any framework as bits."""
    dtype, whole = dtype_name(x), x
    if framework(x).name == "torch":
        whole = x.detach().cpu().contiguous()
        whole = (whole.view(sys.modules["torch"].int16) if dtype == "bfloat16" else whole).numpy()
    plain = np.ascontiguousarray(np.asarray(whole))
    return Bits(dtype, tuple(x.shape), plain.reshape(-1).view(np.uint8))


def array_of(bits: Bits, like: Array) -> Array:
    """Return bits as an array of the framework and dtype of `like`. Raises ValueError if that dtype does not hold each number."""
    space, dtype = framework(like), dtype_name(like)
    plain = bits.raw.copy()  # at an address that suits each dtype
    if bits.dtype != dtype:
        wide = _numbers(plain, bits)
        found = space.cast(space.asarray(wide.astype("float32" if dtype == "bfloat16" else dtype), like, None), like.dtype)
        if not np.array_equal(_numbers(bits_of(found).raw, bits_of(found)), wide, equal_nan=True):
            raise ValueError(f"it is {bits.dtype}, and not all of its numbers are numbers of {dtype}, which is wanted here")
        return found
    if space.name == "torch":
        torch = sys.modules["torch"]
        whole = torch.from_numpy(plain.view("int16" if dtype == "bfloat16" else dtype).reshape(bits.shape))
        return whole.view(like.dtype).to(like.device)
    return space.copy(space.asarray(plain.view(like.dtype).reshape(bits.shape), like))


def _numbers(plain: np.ndarray[Any, Any], bits: Bits) -> np.ndarray[Any, Any]:
    """Return bits as a NumPy array, bfloat16 as float32, which holds each number of it."""
    if bits.dtype == "bfloat16":
        return (plain.view("uint16").astype("uint32") << 16).view("float32").reshape(bits.shape)
    return plain.view(bits.dtype).reshape(bits.shape)


def write(path: str | os.PathLike[str], tensors: dict[str, Bits], told: dict[str, str]) -> None:
    """Write tensors by name, and texts about them. The file appears whole or not at all."""
    header: dict[str, Any] = {TOLD: told}
    end = 0
    tensors = dict(sorted(tensors.items(), key=lambda pair: -_size(DTYPES[pair[1].dtype])))  # each at a multiple of its size
    for name, bits in tensors.items():
        header[name] = {"dtype": DTYPES[bits.dtype], "shape": list(bits.shape), "data_offsets": [end, end + bits.raw.size]}
        end += bits.raw.size
    told_too = {**told, CHECKSUM: _checksum(header, [bits.raw for bits in tensors.values()])}
    text = json.dumps({**header, TOLD: told_too}).encode()
    text += b" " * (-len(text) % 8)
    with atomic_write(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for bits in tensors.values():
            file.write(bits.raw.data)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Bits], dict[str, str]]:
    """Return the tensors of a file by name, and its texts; of a file of ours, its checksum is one of them.

    Raises ValueError, in one sentence, for a file that is none of the format, that is cut short or damaged.
    """
    content = np.fromfile(path, np.uint8)
    name = Path(path).name
    size = int.from_bytes(content[:8].tobytes(), "little")
    if content.size < 8 or size > min(LONGEST, content.size - 8):
        raise ValueError(f"{name} is no safetensors file, or only the beginning of one: it has {content.size} bytes")
    body = content[8 + size :]
    try:
        header = json.loads(content[8 : 8 + size].tobytes())
        told = dict(header.pop(TOLD, {}))
        tensors = {key: _bits(said, body) for key, said in header.items()}
        end = max((said["data_offsets"][1] for said in header.values()), default=0)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{name} is damaged: its header cannot be read ({error})") from error
    if end != body.size:
        what = "cut short" if end > body.size else "damaged"
        raise ValueError(f"{name} is {what}: its tensors take {end} bytes, and it has {body.size} of them")
    said = {key: text for key, text in told.items() if key != CHECKSUM}
    if CHECKSUM in told and told[CHECKSUM] != _checksum({TOLD: said, **header}, [body]):
        raise ValueError(f"{name} is damaged: its checksum is another than the one it was written with")
    return tensors, told


def _bits(said: dict[str, Any], body: np.ndarray[Any, Any]) -> Bits:
    dtype, shape, (begin, end) = NAMES[said["dtype"]], tuple(map(int, said["shape"])), said["data_offsets"]
    if not 0 <= begin <= end or min(shape, default=0) < 0 or end - begin != math.prod(shape) * _size(said["dtype"]):
        raise ValueError(f"a tensor of shape {shape} and dtype {dtype} cannot lie at bytes {begin} to {end}")
    return Bits(dtype, shape, body[begin:end])


def _size(dtype: str) -> int:
    """Return the bytes of a number, whose bits the format's name says."""
    return int(dtype.lstrip("BFIU")) // 8


def _checksum(header: dict[str, Any], parts: list[Any]) -> str:
    found = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    for part in parts:
        found = zlib.crc32(part.data, found)
    return f"{found:08x}"
