"""Reading and writing memory, integers among the bits of numbers, and sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ARRAYS = 64
"""Largest number of arrays whose accesses a kernel distinguishes."""

HALF, SINGLE, DOUBLE = ir.HalfType(), ir.FloatType(), ir.DoubleType()


def _told_apart(builder: ir.IRBuilder, instruction: Any, array: int) -> None:
    """Tell the compiler that this array overlaps no other; otherwise it does not vectorize more than four."""
    module = builder.module
    domain = module.add_metadata(["thalweg"])
    scopes = [module.add_metadata([f"array {k}", domain]) for k in range(ARRAYS)]
    instruction.set_metadata("alias.scope", module.add_metadata([scopes[array]]))
    instruction.set_metadata("noalias", module.add_metadata(scopes[:array] + scopes[array + 1 :]))


def _widened(builder: ir.IRBuilder, stored: Any, dtype: str) -> Any:
    """Convert a stored number to the computing dtype."""
    if dtype == "int8":
        return builder.sitofp(stored, SINGLE)
    if dtype == "float16":
        return builder.fpext(stored, SINGLE)
    if dtype == "bfloat16":
        bits = builder.zext(stored, ir.IntType(32))
        return builder.bitcast(builder.shl(bits, ir.Constant(ir.IntType(32), 16)), SINGLE)
    return stored


def _narrowed(builder: ir.IRBuilder, value: Any, dtype: str) -> Any:
    """Convert a computed number to the storage dtype: round to nearest, ties to even."""
    if dtype == "int8":  # NaN becomes 0; the scale has it
        number = builder.select(builder.fcmp_ordered("ord", value, value), value, ir.Constant(SINGLE, 0.0))
        return builder.trunc(builder.fptosi(number, ir.IntType(32)), ir.IntType(8))
    if dtype == "float16":
        return builder.fptrunc(value, HALF)
    if dtype != "bfloat16":
        return value
    word = ir.IntType(32)
    bits = builder.bitcast(value, word)
    odd = builder.and_(builder.lshr(bits, ir.Constant(word, 16)), ir.Constant(word, 1))
    rounded = builder.add(bits, builder.add(odd, ir.Constant(word, 0x7FFF)))
    quiet = builder.or_(bits, ir.Constant(word, 0x00400000))  # rounding could turn a NaN into infinity
    kept = builder.select(builder.fcmp_unordered("uno", value, value), quiet, rounded)
    return builder.trunc(builder.lshr(kept, ir.Constant(word, 16)), ir.IntType(16))


STORED = {"int8": ir.IntType(8), "float16": HALF, "bfloat16": ir.IntType(16), "float32": SINGLE, "float64": DOUBLE}
BYTES = {"int8": 1, "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


def _access(dtype: str) -> tuple[Any, Any]:
    number = types.float64 if dtype == "float64" else types.float32

    @intrinsic
    def load(context: Any, array: Any, address: Any, i: Any) -> Any:
        if not isinstance(array, types.IntegerLiteral):  # Numba then retries with the literal value
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[1], STORED[dtype].as_pointer())
            found = builder.load(builder.gep(pointer, [arguments[2]], inbounds=True), align=BYTES[dtype])
            _told_apart(builder, found, array.literal_value)
            return _widened(builder, found, dtype)

        return number(array, types.int64, types.int64), generate

    @intrinsic
    def store(context: Any, array: Any, address: Any, i: Any, value: Any) -> Any:
        if not isinstance(array, types.IntegerLiteral):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[1], STORED[dtype].as_pointer())
            place = builder.gep(pointer, [arguments[2]], inbounds=True)
            _told_apart(
                builder, builder.store(_narrowed(builder, arguments[3], dtype), place, align=BYTES[dtype]), array.literal_value
            )
            return context.get_dummy_value()

        return types.void(array, types.int64, types.int64, number), generate

    return load, store


load_int8, store_int8 = _access("int8")
load_float16, store_float16 = _access("float16")
load_bfloat16, store_bfloat16 = _access("bfloat16")
load_float32, store_float32 = _access("float32")
load_float64, store_float64 = _access("float64")


LINE = 64
"""Bytes of a cache line."""


@intrinsic
def fetch(context: Any, address: Any, size: Any) -> Any:
    """Ask for the cache lines of `size` bytes from an address on, of which no memory need be there."""
    if not isinstance(size, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, reads, keeps, data = ir.IntType(8).as_pointer(), _word(0), _word(3), _word(1)
        kind = ir.FunctionType(ir.VoidType(), [byte, WORD, WORD, WORD])
        word = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")  # type: ignore[no-untyped-call]
        for place in range(0, size.literal_value, LINE):
            there = builder.inttoptr(builder.add(arguments[0], ir.Constant(cgutils.intp_t, place)), byte)
            builder.call(word, [there, reads, keeps, data])
        return context.get_dummy_value()

    return types.void(types.int64, size), generate


WORD = ir.IntType(32)


def _generated(result: Any, arguments: tuple[Any, ...], generate: Callable[..., Any]) -> Any:
    """Return an intrinsic's signature and body; the body receives the builder and the values."""

    def body(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return generate(builder, *values)

    return result(*arguments), body


def _word(x: int) -> Any:
    return ir.Constant(WORD, x)


@intrinsic
def share(context: Any, array: Any, address: Any, i: Any) -> Any:
    """A number between 0 and 1, made of the i-th 16 bits of a buffer."""
    if not isinstance(array, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[1], ir.IntType(16).as_pointer())
        found = builder.load(builder.gep(pointer, [arguments[2]], inbounds=True), align=2)
        _told_apart(builder, found, array.literal_value)
        half = builder.fadd(builder.uitofp(found, SINGLE), ir.Constant(SINGLE, 0.5))
        return builder.fmul(half, ir.Constant(SINGLE, 2.0**-16))

    return types.float32(array, types.int64, types.int64), generate


@intrinsic
def dithered(context: Any, x: Any, u: Any) -> Any:
    """One of the two bfloat16 around x, selected by u in [0, 1)."""

    def generate(builder: Any, x: Any, u: Any) -> Any:
        bits = builder.bitcast(x, WORD)
        added = builder.fptoui(builder.fmul(u, ir.Constant(SINGLE, 65536.0)), WORD)
        cut = builder.bitcast(builder.and_(builder.add(bits, added), _word(0xFFFF0000)), SINGLE)
        finite = builder.icmp_unsigned("!=", builder.and_(bits, _word(0x7F800000)), _word(0x7F800000))
        return builder.select(finite, cut, x)

    return _generated(types.float32, (types.float32, types.float32), generate)


@intrinsic
def rounded_bfloat16(context: Any, x: Any) -> Any:
    """The nearest bfloat16."""
    return _generated(types.float32, (types.float32,), lambda b, x: _widened(b, _narrowed(b, x, "bfloat16"), "bfloat16"))


@intrinsic
def rounded_float16(context: Any, x: Any) -> Any:
    """The nearest float16."""
    return _generated(types.float32, (types.float32,), lambda b, x: _widened(b, _narrowed(b, x, "float16"), "float16"))


@intrinsic
def floor(context: Any, x: Any) -> Any:
    """The largest integer not above x, in x's dtype."""
    number = DOUBLE if x is types.float64 else SINGLE
    return _generated(x, (x,), lambda b, value: b.call(b.module.declare_intrinsic("llvm.floor", [number]), [value]))


@intrinsic
def magnitude(context: Any, x: Any) -> Any:
    """The bits of |x| as an integer: ordered as the magnitudes, with NaN above all."""
    if x is types.float64:
        word = ir.IntType(64)
        return _generated(types.int64, (x,), lambda b, x: b.and_(b.bitcast(x, word), ir.Constant(word, 0x7FFFFFFFFFFFFFFF)))
    return _generated(types.int32, (types.float32,), lambda b, x: b.and_(b.bitcast(x, WORD), _word(0x7FFFFFFF)))


@intrinsic
def larger(context: Any, a: Any, b: Any) -> Any:
    """The larger of two integers."""

    def generate(builder: Any, a: Any, b: Any) -> Any:
        return builder.select(builder.icmp_signed(">", a, b), a, b)

    integer = types.int64 if a is types.int64 else types.int32
    return _generated(integer, (integer, integer), generate)


@intrinsic
def largest(context: Any, bits: Any) -> Any:
    """The number with these bits."""
    if bits is types.int64:
        return _generated(types.float64, (bits,), lambda b, bits: b.bitcast(bits, DOUBLE))
    return _generated(types.float32, (types.int32,), lambda b, bits: b.bitcast(bits, SINGLE))


@intrinsic
def scratch(context: Any, size: Any) -> Any:
    """The address of a buffer for `size` float32."""
    if not isinstance(size, types.IntegerLiteral):
        return None

    def generate(builder: Any, _: Any) -> Any:
        with builder.goto_entry_block():
            room = builder.alloca(ir.ArrayType(SINGLE, size.literal_value))
            room.align = 64
        return builder.ptrtoint(room, ir.IntType(64))

    return _generated(types.int64, (size,), generate)


def _kept(builder: ir.IRBuilder, value: Any) -> Any:
    """A stack slot with this value."""
    return cgutils.alloca_once_value(builder, value)  # type: ignore[no-untyped-call]


LEAF = 128
"""How many numbers are summed without halving, and the distance of their buffers."""


def _leaf_sums(dtype: str, *, squares: bool) -> Any:
    """Sums of a dtype's numbers, or of their squares, which are computed and accumulated in float64."""
    number = types.float64 if squares or dtype == "float64" else types.float32
    single, wide = STORED[dtype], DOUBLE if squares else STORED[dtype]

    def addend(builder: ir.IRBuilder, x: Any, kind: Any) -> Any:
        if not squares:
            return x
        x = x if dtype == "float64" else builder.fpext(x, kind)
        return builder.fmul(x, x)

    @intrinsic
    def leaf_sums(context: Any, room: Any, count: Any, rooms: Any) -> Any:
        """The sum of `count` numbers in each buffer: eight interleaved sums, combined in pairs, plus the rest."""
        if not isinstance(rooms, types.IntegerLiteral):
            return None
        result = types.UniTuple(number, rooms.literal_value)  # type: ignore[no-untyped-call]

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            eight, wide_eight, count = ir.VectorType(single, 8), ir.VectorType(wide, 8), arguments[1]
            pointer = builder.inttoptr(arguments[0], single.as_pointer())
            starts = [ir.Constant(count.type, LEAF * r) for r in range(rooms.literal_value)]
            nothing = ir.Constant(wide, -0.0)  # the neutral element of addition, also for -0
            sums = [_kept(builder, ir.Constant(wide_eight, [nothing] * 8)) for _ in starts]
            whole = builder.and_(count, ir.Constant(count.type, ~7))
            with cgutils.for_range_slice(builder, ir.Constant(count.type, 0), whole, ir.Constant(count.type, 8)) as (i, _):
                for start, kept in zip(starts, sums, strict=True):  # interleaved: each sum depends only on its own last addition
                    place = builder.gep(pointer, [builder.add(i, start)], inbounds=True)
                    more = builder.load(builder.bitcast(place, eight.as_pointer()), align=BYTES[dtype])
                    builder.store(builder.fadd(builder.load(kept), addend(builder, more, wide_eight)), kept)
            rests = [_kept(builder, _in_pairs(builder, builder.load(kept))) for kept in sums]
            with cgutils.for_range_slice(builder, whole, count, ir.Constant(count.type, 1)) as (i, _):
                for start, kept in zip(starts, rests, strict=True):
                    more = builder.load(builder.gep(pointer, [builder.add(i, start)], inbounds=True))
                    builder.store(builder.fadd(builder.load(kept), addend(builder, more, wide)), kept)
            return context.make_tuple(builder, signature.return_type, list(map(builder.load, rests)))

        return result(types.int64, types.int64, rooms), generate

    return leaf_sums


def _in_pairs(builder: ir.IRBuilder, eight: Any) -> Any:
    """The sum of a vector's eight numbers, in pairs."""
    found = [builder.extract_element(eight, ir.Constant(ir.IntType(32), k)) for k in range(8)]
    while len(found) > 1:
        found = [builder.fadd(a, b) for a, b in zip(found[::2], found[1::2], strict=True)]
    return found[0]


leaf_sums_float32, leaf_sums_float64 = _leaf_sums("float32", squares=False), _leaf_sums("float64", squares=False)
leaf_squares_float32, leaf_squares_float64 = _leaf_sums("float32", squares=True), _leaf_sums("float64", squares=True)


@intrinsic
def peek(context: Any, address: Any) -> Any:
    """The 64-bit integer at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], cgutils.intp_t.as_pointer()))

    return types.int64(types.int64), generate


@intrinsic
def ask(context: Any, function: Any, handle: Any, into: Any) -> Any:
    """Call the C function at an address with two addresses; it returns a 32-bit integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        form = ir.FunctionType(ir.IntType(32), [cgutils.intp_t, cgutils.intp_t])
        at, *rest = arguments
        return builder.sext(builder.call(builder.inttoptr(at, form.as_pointer()), rest), ir.IntType(64))

    return types.int64(types.int64, types.int64, types.int64), generate


@intrinsic
def poke(context: Any, address: Any, value: Any) -> Any:
    """Write a 64-bit integer to an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], cgutils.intp_t.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate
