"""What a printed kernel says besides arithmetic: reading and writing memory.

Only printed kernels import this, and only Numba runs it; with it a kernel is code for one processor and no Python.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ARRAYS = 64
"""The most arrays that one kernel tells apart."""

HALF, SINGLE, DOUBLE = ir.HalfType(), ir.FloatType(), ir.DoubleType()


def _told_apart(builder: ir.IRBuilder, instruction: Any, array: int) -> None:
    """Tell the compiler that this array overlaps no other one: without it, more than four are not vectorised."""
    module = builder.module
    domain = module.add_metadata(["thalweg"])
    scopes = [module.add_metadata([f"array {k}", domain]) for k in range(ARRAYS)]
    instruction.set_metadata("alias.scope", module.add_metadata([scopes[array]]))
    instruction.set_metadata("noalias", module.add_metadata(scopes[:array] + scopes[array + 1 :]))


def _widened(builder: ir.IRBuilder, stored: Any, dtype: str) -> Any:
    """A number as it was stored, as the number to compute with."""
    if dtype == "float16":
        return builder.fpext(stored, SINGLE)
    if dtype == "bfloat16":
        bits = builder.zext(stored, ir.IntType(32))
        return builder.bitcast(builder.shl(bits, ir.Constant(ir.IntType(32), 16)), SINGLE)
    return stored


def _narrowed(builder: ir.IRBuilder, value: Any, dtype: str) -> Any:
    """A computed number as it is stored: rounded to nearest, ties to even."""
    if dtype == "float16":
        return builder.fptrunc(value, HALF)
    if dtype != "bfloat16":
        return value
    word = ir.IntType(32)
    bits = builder.bitcast(value, word)
    odd = builder.and_(builder.lshr(bits, ir.Constant(word, 16)), ir.Constant(word, 1))
    rounded = builder.add(bits, builder.add(odd, ir.Constant(word, 0x7FFF)))
    quiet = builder.or_(bits, ir.Constant(word, 0x00400000))  # rounding could carry a NaN over into infinity
    kept = builder.select(builder.fcmp_unordered("uno", value, value), quiet, rounded)
    return builder.trunc(builder.lshr(kept, ir.Constant(word, 16)), ir.IntType(16))


STORED = {"float16": HALF, "bfloat16": ir.IntType(16), "float32": SINGLE, "float64": DOUBLE}
BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


def _access(dtype: str) -> tuple[Any, Any]:
    number = types.float64 if dtype == "float64" else types.float32

    @intrinsic
    def load(context: Any, array: Any, address: Any, i: Any) -> Any:
        if not isinstance(array, types.IntegerLiteral):  # Numba then asks again, with the number itself
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


load_float16, store_float16 = _access("float16")
load_bfloat16, store_bfloat16 = _access("bfloat16")
load_float32, store_float32 = _access("float32")
load_float64, store_float64 = _access("float64")


@intrinsic
def peek(context: Any, address: Any) -> Any:
    """The 64-bit integer at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], cgutils.intp_t.as_pointer()))

    return types.int64(types.int64), generate


@intrinsic
def poke(context: Any, address: Any, value: Any) -> Any:
    """Write a 64-bit integer to an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], cgutils.intp_t.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate
