"""Random numbers in kernels: `values.draws` on LLVM's vectors, a tile of a tensor at a time.

Only kernel modules import this, as `engines.words`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from thalweg.graph.draws import PART
from thalweg.values import draws
from thalweg.values.draws import NUMBERS, SHARES

WIDTH = 16
"""Blocks that are computed at once: one of AVX-512's registers for each word."""
INTEGER, WORD, SINGLE = ir.IntType(64), ir.IntType(32), ir.FloatType()
WORDS, SINGLES = ir.VectorType(WORD, WIDTH), ir.VectorType(SINGLE, WIDTH)
KIND = ir.FunctionType(ir.VoidType(), [INTEGER] * 7)


class Vector:
    """A vector of words or float32 numbers, with the operators of `draws`."""

    def __init__(self, builder: ir.IRBuilder, value: Any) -> None:
        self.builder, self.value = builder, value

    def _with(self, word: Any, single: Any, other: Any) -> Vector:
        kind = self.value.type
        value = other.value if isinstance(other, Vector) else ir.Constant(kind, [other] * kind.count)
        return Vector(self.builder, (word if kind.element == WORD else single)(self.value, value))

    def __add__(self, other: Any) -> Vector:
        return self._with(self.builder.add, self.builder.fadd, other)

    def __sub__(self, other: Any) -> Vector:
        return self._with(self.builder.sub, self.builder.fsub, other)

    def __mul__(self, other: Any) -> Vector:
        return self._with(self.builder.mul, self.builder.fmul, other)

    def __xor__(self, other: Any) -> Vector:
        return self._with(self.builder.xor, None, other)

    def __and__(self, other: Any) -> Vector:
        return self._with(self.builder.and_, None, other)

    def __or__(self, other: Any) -> Vector:
        return self._with(self.builder.or_, None, other)

    def __lshift__(self, n: int) -> Vector:
        return self._with(self.builder.shl, None, n)

    def __rshift__(self, n: int) -> Vector:
        return self._with(self.builder.lshr, None, n)


class Vectors:
    """LLVM's vectors as a language of `draws`."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder

    def word(self, x: int) -> Vector:
        return Vector(self.builder, ir.Constant(WORDS, [x] * WIDTH))

    def rotated(self, x: Vector, n: int) -> Vector:
        return (x << n) | (x >> (32 - n))

    def number(self, x: Vector) -> Vector:
        return Vector(self.builder, self.builder.uitofp(x.value, SINGLES))

    def signed(self, x: Vector) -> Vector:
        return Vector(self.builder, self.builder.sitofp(x.value, SINGLES))

    def bits(self, x: Vector) -> Vector:
        return Vector(self.builder, self.builder.bitcast(x.value, WORDS))

    def floats(self, x: Vector) -> Vector:
        return Vector(self.builder, self.builder.bitcast(x.value, SINGLES))

    def root(self, x: Vector) -> Vector:
        kind = ir.FunctionType(SINGLES, [SINGLES])
        word = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.sqrt.v{WIDTH}f32")  # type: ignore[no-untyped-call]
        return Vector(self.builder, self.builder.call(word, [x.value]))

    def same(self, x: Any) -> Vector:
        """Return the low half of an integer in all places."""
        nothing = ir.Constant(WORDS, ir.Undefined)
        one = self.builder.insert_element(nothing, self.builder.trunc(x, WORD), ir.Constant(WORD, 0))
        return Vector(self.builder, self.builder.shuffle_vector(one, nothing, ir.Constant(WORDS, [0] * WIDTH)))

    def high(self, x: Any) -> Vector:
        """Return the high half of an integer in all places."""
        return self.same(self.builder.lshr(x, ir.Constant(INTEGER, 32)))

    def counted(self, x: Any) -> Vector:
        """Return the low halves of an integer and those that follow it."""
        return self.same(x) + Vector(self.builder, ir.Constant(WORDS, list(range(WIDTH))))


@intrinsic
def whole(context: Any, t: Any, more: Any) -> Any:
    """The integer t + 2^PART more."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        t, more = (builder.fptosi(x, INTEGER) for x in arguments)
        return builder.add(t, builder.shl(more, ir.Constant(INTEGER, PART)))

    number = types.float64 if t is types.float64 else types.float32
    return types.int64(number, number), generate


@intrinsic
def normals(context: Any, room: Any, seed: Any, name: Any, t: Any, draw: Any, first: Any, count: Any) -> Any:
    """Write the normal numbers of elements `first` to `first + count` into a buffer, and up to 4 WIDTH - 1 more.

    first: a multiple of the buffer's size.
    """
    return _filling("normals", draws.normals_of, NUMBERS)


@intrinsic
def bits(context: Any, room: Any, seed: Any, name: Any, t: Any, draw: Any, first: Any, count: Any) -> Any:
    """Write 16 bits for each element, likewise; up to 8 WIDTH - 1 more."""
    return _filling("bits", lambda words, say: words, SHARES)


def _filling(word: str, make: Any, numbers: int) -> Any:
    """Return the signature and the body of a word that fills a buffer. make: numbers of words. numbers: of a block."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = f"thalweg_{word}"
        function = builder.module.globals.get(name) or _function(ir.Function(builder.module, KIND, name), make, numbers)
        builder.call(function, arguments)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 7), generate


STAGES = (range(4), range(4, 8), range(8, draws.ROUNDS))
"""Rounds of Threefry that one loop does. Each operation waits for the one before: the shorter the body of a loop, the more of
its iterations a processor has at work at once."""


def _function(made: ir.Function, make: Any, numbers: int) -> ir.Function:
    """Write the function that all calls in a module share: loops over the buffer's blocks. The last one makes the numbers."""
    made.linkage = "internal"
    made.attributes.add("noinline")
    builder = ir.IRBuilder(made.append_basic_block("entry"))
    room, seed, name, update, draw, first, count = made.args
    say = Vectors(builder)
    start, last = (builder.lshr(x, ir.Constant(INTEGER, numbers.bit_length() - 1)) for x in (first, _up(builder, count, numbers)))
    keys = draws.scheduled((say.same(seed), say.high(seed), say.same(name), say.high(name)), say)
    rest = [x + key for x, key in zip((say.high(start), say.same(update), say.same(draw)), keys[1:], strict=False)]
    for rounds in STAGES:
        with _blocks(builder, room, last) as (block, place):
            begun = [say.counted(builder.add(start, block)) + keys[0], *rest] if rounds.start == 0 else _load(builder, place)
            _store(builder, place, *(x.value for x in draws.mixed(begun, keys, rounds, say)))
    with _blocks(builder, room, last) as (_, place):
        a, b, c, d = (builder.bitcast(x.value, WORDS) for x in make(_load(builder, place), say))
        _store(builder, place, _in_turn(builder, _in_turn(builder, a, c), _in_turn(builder, b, d)))
    builder.ret_void()
    return made


@contextmanager
def _blocks(builder: ir.IRBuilder, room: Any, last: Any) -> Iterator[tuple[Any, Any]]:
    """A loop over WIDTH blocks at once: the first one's number and its place in the buffer."""
    with cgutils.for_range_slice(builder, ir.Constant(INTEGER, 0), last, ir.Constant(INTEGER, WIDTH)) as (block, _):
        yield block, builder.add(room, builder.shl(block, ir.Constant(INTEGER, 4)))  # a block has 16 bytes


def _load(builder: ir.IRBuilder, place: Any) -> list[Vector]:
    """The four words of each of these blocks."""
    first = builder.inttoptr(place, WORDS.as_pointer())
    return [Vector(builder, builder.load(builder.gep(first, [ir.Constant(INTEGER, k)]), align=64)) for k in range(4)]


def _store(builder: ir.IRBuilder, place: Any, *vectors: Any) -> None:
    """Write vectors one after another."""
    for vector in vectors:
        builder.store(vector, builder.inttoptr(place, vector.type.as_pointer()), align=64)
        place = builder.add(place, ir.Constant(INTEGER, 4 * vector.type.count))


def _up(builder: ir.IRBuilder, count: Any, numbers: int) -> Any:
    """Return a count that, divided by the numbers of a block, is rounded up."""
    return builder.add(count, ir.Constant(INTEGER, numbers - 1))


def _in_turn(builder: ir.IRBuilder, a: Any, b: Any) -> Any:
    """Return the vector that holds two others' numbers in turn."""
    count = a.type.count
    order = [k // 2 + count * (k % 2) for k in range(2 * count)]
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(WORD, 2 * count), order))
