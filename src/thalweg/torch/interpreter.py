"""An interpreter of programs on torch tensors, for any device. The tests compare the kernels with it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch

from thalweg import ops
from thalweg.form import trace
from thalweg.graph import storage
from thalweg.graph.program import NotTraced, Program
from thalweg.graph.storage import BLOCK
from thalweg.ops.word import WORDS
from thalweg.values import draws
from thalweg.values.draws import SHARES
from thalweg.values.noise import Torch
from thalweg.values.scalars import Scalar
from thalweg.values.symbols import REDUCTIONS, Symbol

Tensor = torch.Tensor


def divided(a: Any, b: Any) -> Any:
    """Return a / b, rounded once; torch computes number / tensor as a reciprocal and a product."""
    above = a.meet(b) if isinstance(a, Scalar) and isinstance(b, Tensor) else a
    return torch.full_like(b, above) / b if isinstance(b, Tensor) and not isinstance(above, Tensor) else above / b


SAME_NAME = ("add", "sub", "mul", "pow", "neg", "abs", "eq", "ne", "lt", "le", "gt", "ge")
OPERATORS: dict[str, Callable[..., Any]] = {
    "truediv": divided, "and": operator.and_, "or": operator.or_, **{op: getattr(operator, op) for op in SAME_NAME},
}  # fmt: skip


def run(program: Program, given: dict[str, Any], chance: Callable[[int], Tensor]) -> tuple[Any, list[Any], dict[str, Any]]:
    """Interpret `program` on torch tensors. Returns the new parameter, the new memory of each slot and the extra storage tensors.

    given: each input, a number or a flat tensor as stored. chance: draws numbers between 0 and 1, by the draw's number.
    """
    first = trace.shared(program.results)
    known: dict[int, Any] = {}
    size = given["p"].numel()

    def value(x: Any) -> Any:
        return known[id(first[id(x)])] if isinstance(x, Symbol) else x

    for symbol in trace.steps(program.results):
        args = [value(arg) for arg in symbol.args]
        if symbol.op == "input":
            found = _widened(given[symbol.name])
            known[id(symbol)] = _spread(found, size) if symbol.name in program.blocked else found
        elif symbol.op in OPERATORS:
            known[id(symbol)] = OPERATORS[symbol.op](*args)
        elif symbol.op in WORDS or symbol.op in REDUCTIONS:
            known[id(symbol)] = getattr(ops, symbol.op)(*args)
        elif symbol.op == "uniform":
            known[id(symbol)] = chance(symbol.args[2])
        elif symbol.op == "dithered":
            known[id(symbol)] = dithered(*args)
        elif symbol.op == "largest_of_block":
            known[id(symbol)] = _spread(largest_of_blocks(args[0]), size)
        elif symbol.op.startswith("rounded_"):
            known[id(symbol)] = args[0].to(getattr(torch, symbol.op.removeprefix("rounded_"))).to(args[0].dtype)
        else:
            raise NotTraced(f"no engine knows {symbol.op}")
    beside = {name: value(x) for name, x in program.beside.items()}
    for name in program.blocked:
        beside[name] = beside[name][::BLOCK]
    return value(program.parameter), [value(slot.new) for slot in program.slots], beside


def quantised(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nearest int8 codes of a flat tensor's numbers, and the scales of its blocks."""
    scales = largest_of_blocks(x)
    return storage.encoded(x, _spread(scales, x.numel()), 0.5).to(torch.int8), scales


def restored(codes: Tensor, scales: Tensor) -> Tensor:
    """Return the float32 numbers of flat int8 codes."""
    found: Tensor = storage.decoded(codes.float(), _spread(scales, codes.numel()))
    return found


def blocks(size: int) -> int:
    """Return the number of scales for this many numbers."""
    return -(-size // BLOCK)


def largest_of_blocks(x: Tensor) -> Tensor:
    """Return the largest |x| of each block."""
    padded = torch.nn.functional.pad(x.abs(), (0, blocks(x.numel()) * BLOCK - x.numel()))
    return padded.view(-1, BLOCK).amax(dim=1)


def _spread(scales: Tensor, size: int) -> Tensor:
    """Repeat each block's number for each of its elements."""
    return scales.repeat_interleave(BLOCK)[:size]


def _widened(x: Any) -> Any:
    narrow = isinstance(x, Tensor) and x.dtype in (torch.float16, torch.bfloat16, torch.int8)
    return x.float() if narrow else x


def uniform(words: Sequence[Any], size: int, device: Any) -> Tensor:
    """Draw the kernels' numbers between 0 and 1, of 16 bits each. words: the key, the update and which of its draws it is."""
    *key, t, draw = (torch.tensor(int(x), device=device).to(torch.int32) for x in words)
    block = torch.arange(-(-size // SHARES), device=device)
    four = draws.threefry(key, (block.to(torch.int32), (block >> 32).to(torch.int32), t, draw), Torch())
    found = torch.stack(four, dim=-1).reshape(-1, 1)
    halves = torch.cat([found & 0xFFFF, (found >> 16) & 0xFFFF], dim=1).reshape(-1)[:size]
    return (halves.float() + 0.5) * 2.0**-16


def dithered(x: Tensor, u: Tensor) -> Tensor:
    """Return one of the two bfloat16 around x, as float32."""
    bits = x.view(torch.int32)
    cut = (bits + (u * 65536.0).to(torch.int32)) & -65536
    return torch.where(torch.isfinite(x), cut.view(torch.float32), x)
