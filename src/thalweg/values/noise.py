"""Standard normal arrays of the three frameworks, by `values.draws`."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.values import draws
from thalweg.values.arrays import HALF, Array, dtype_name, framework
from thalweg.values.draws import MASK, NUMBERS, Word, draw_of

CHUNK = 1 << 13
"""Blocks that are drawn at once, so that they stay in the cache."""
Key = tuple[Word, ...]


class NumPy:
    """NumPy's arrays of uint32 as words."""

    def word(self, x: int) -> Word:
        return np.uint32(x)

    def rotated(self, x: Word, n: int) -> Word:
        return (x << n) | (x >> (32 - n))

    def number(self, x: Word) -> Array:
        return x.astype(np.float32)

    def signed(self, x: Word) -> Array:
        return x.view(np.int32).astype(np.float32)

    def bits(self, x: Array) -> Word:
        return x.view(np.uint32)

    def floats(self, x: Word) -> Array:
        return x.view(np.float32)

    def root(self, x: Array) -> Array:
        return np.sqrt(x)


class Jax(NumPy):
    """JAX's arrays of uint32."""

    def word(self, x: int) -> Word:
        return sys.modules["jax"].numpy.uint32(x)

    def number(self, x: Word) -> Array:
        return x.astype("float32")

    def signed(self, x: Word) -> Array:
        return self._as(x, "int32").astype("float32")

    def bits(self, x: Array) -> Word:
        return self._as(x, "uint32")

    def floats(self, x: Word) -> Array:
        return self._as(x, "float32")

    def root(self, x: Array) -> Array:
        return sys.modules["jax"].numpy.sqrt(x)

    def _as(self, x: Array, dtype: str) -> Array:
        return sys.modules["jax"].lax.bitcast_convert_type(x, dtype)


class Torch(NumPy):
    """torch's tensors of int32, whose sums wrap around as those of uint32 do; torch has no arithmetic of uint32."""

    def word(self, x: int) -> Word:
        return x - (1 << 32) if x >> 31 else x

    def rotated(self, x: Word, n: int) -> Word:
        return (x << n) | ((x >> (32 - n)) & ((1 << n) - 1))  # torch's >> draws the sign in

    def number(self, x: Word) -> Array:
        torch = sys.modules["torch"]
        return (x.to(torch.int64) & MASK).to(torch.float32)

    def signed(self, x: Word) -> Array:
        return x.to(sys.modules["torch"].float32)

    def bits(self, x: Array) -> Word:
        return x.view(sys.modules["torch"].int32)

    def floats(self, x: Word) -> Array:
        return x.view(sys.modules["torch"].float32)

    def root(self, x: Array) -> Array:
        return sys.modules["torch"].sqrt(x)


def standard_normal(seed: Any, t: Any, names: Sequence[str], p: Array, lanes: int | None = None) -> Array:
    """Draw float32 numbers in the shape of p, and in its dtype unless that is narrower.

    seed, t: whole numbers, traced ones of JAX, or vectors with one for each lane, which p's first axis then counts. names: the
    last is the tensor's; the others say which of the update's draws it is.
    """
    space, shape, narrow = framework(p), tuple(p.shape), dtype_name(p) in HALF
    own = shape if lanes is None else shape[1:]
    words, size = words_of(seed, t, names), math.prod(own)
    if space.name == "jax":
        drawn = _compiled()(*words, shape=own, lanes=lanes)
        return drawn if narrow else drawn.astype(p.dtype)
    if space.name == "torch":
        torch = sys.modules["torch"]
        found = torch.from_numpy(in_numpy(words, size)) if p.is_cpu else in_torch(words, size, p.device)
        into = torch.empty_like(p, dtype=torch.float32 if narrow else None, requires_grad=False)  # it lies as p does
    else:
        found, into = in_numpy(words, size), np.empty(shape, np.float32 if narrow else p.dtype)
    into[...] = found.reshape(found.shape[0], *own) if lanes is not None else found.reshape(own)
    return into


def words_of(seed: Any, t: Any, names: Sequence[str]) -> tuple[Word, ...]:
    """Return the four words of the key, and the two of the counter that are the same for all blocks."""
    *what, name = names
    return (
        *halves_of(seed),
        *map(np.uint32, draws.halves(draws.hashed(name))),
        _low_half_of(t),
        np.uint32(draw_of("/".join(what))),
    )


def in_numpy(words: Sequence[Word], size: int) -> Array:
    """Return a row of numbers for each lane, or one for all."""
    a, b, c, d, t, draw = columns = [np.asarray(x).reshape(-1, 1) for x in words]
    rows, blocks = max(map(len, columns)), -(-size // NUMBERS)
    found = np.empty((rows, blocks, NUMBERS), np.float32)
    step = max(1, CHUNK // rows)
    with np.errstate(over="ignore"):
        for first in range(0, blocks, step):
            block = np.arange(first, min(first + step, blocks), dtype=np.uint64)
            low, high = (block & np.uint64(MASK)).astype(np.uint32), (block >> np.uint64(32)).astype(np.uint32)
            four = draws.normals((a, b, c, d), (low, high, t, draw), NumPy())
            for k, numbers in enumerate(four):
                found[:, first : first + step, k] = numbers
    return found.reshape(rows, NUMBERS * blocks)[:, :size]


def in_torch(words: Sequence[Word], size: int, device: Any) -> Array:
    """Return the same on another device than the CPU, which alone has a square root that is not rounded correctly."""
    torch = sys.modules["torch"]
    a, b, c, d, t, draw = (torch.from_numpy(np.array(x).reshape(-1, 1).view(np.int32)).to(device) for x in words)
    block = torch.arange(-(-size // NUMBERS), device=device)
    low, high = ((half << 32 >> 32).to(torch.int32) for half in (block, block >> 32))
    four = draws.normals((a, b, c, d), (low, high, t, draw), Torch())
    return torch.stack(four, dim=-1).reshape(len(four[0]), NUMBERS * len(block))[:, :size]


@functools.cache
def _compiled() -> Any:
    jax = sys.modules["jax"]
    jnp = jax.numpy

    @functools.partial(jax.jit, static_argnames=("shape", "lanes"))
    def draw(*words: Array, shape: tuple[int, ...], lanes: int | None) -> Array:
        *leading, last = shape if shape and shape[-1] % NUMBERS == 0 else (math.prod(shape),)
        blocks = (*leading, -(-last // NUMBERS))  # along the last axis if that fits, so that others can be sharded
        low, high = positions(blocks, [jax.lax.broadcasted_iota("uint32", blocks, axis) for axis in range(len(blocks))])
        if lanes is not None:
            words = tuple(jnp.broadcast_to(x, lanes).reshape(-1, *[1] * len(blocks)) for x in words)
        *key, t, which = words
        four = jnp.stack(draws.normals(key, (low, high, t, which), Jax()), axis=-1)
        first = () if lanes is None else (lanes,)
        return four.reshape(*first, *leading, -1)[..., :last].reshape(*first, *shape)

    return draw


def positions(shape: Sequence[int], places: Sequence[Word]) -> tuple[Word, Word]:
    """Return both halves of each element's number in C order, from its places along the axes."""
    low, high = places[0], 0 * places[0]
    for n, place in zip(shape[1:], places[1:], strict=True):
        low, high = _times(low, high, n) if math.prod(shape) > 1 << 32 else (low * n, high)
        low = low + place
        high = high + (low < place)
    return low, high


def _times(low: Word, high: Word, n: int) -> tuple[Word, Word]:
    """Return 64 bits times a number below 2^32, by products of 16 bits."""
    a, b, c, d = low & 0xFFFF, low >> 16, n & 0xFFFF, n >> 16
    first = a * c
    middle = b * c + (first >> 16)
    other = a * d + (middle & 0xFFFF)
    return (other << 16) | (first & 0xFFFF), high * n + (b * d + (middle >> 16) + (other >> 16))


def halves_of(x: Any) -> tuple[Word, Word]:
    """Return both halves of a whole number, or of each in a vector."""
    if framework(x) is not None and framework(x).name == "jax":
        wide = dtype_name(x).endswith("64")
        return x.astype("uint32"), (x >> 32).astype("uint32") if wide else 0 * x.astype("uint32")
    pairs = [draws.halves(int(each)) for each in np.asarray(x, object).reshape(-1)]
    low, high = np.array(pairs, np.uint32).T
    return (low, high) if np.ndim(x) else (low[0], high[0])


def _low_half_of(t: Any) -> Word:
    """Return the low half of whole numbers, which may be kept as floating-point numbers."""
    if framework(t) is not None and framework(t).name == "jax":
        return t.astype("uint32")
    return (np.asarray(t).astype(np.int64) & MASK).astype(np.uint32)[()]
