"""Functions of Triton kernels besides Triton's own. Only kernel modules import this."""

import triton
import triton.language as tl

BLOCK = tl.constexpr(256)
"""The number of elements that share a scale, as in `thalweg.graph.storage`."""


@triton.jit
def maximum(a, b):
    """The larger; NaN if either is."""
    return tl.maximum(a, b, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def minimum(a, b):
    """The smaller; NaN if either is."""
    return tl.minimum(a, b, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def sign(x):
    """-1, 0 or 1; NaN for NaN."""
    return tl.where(x > 0, 1.0, tl.where(x < 0, -1.0, x)).to(x.dtype)


@triton.jit
def dithered(x, u):
    """One of the two bfloat16 around x, as float32."""
    bits = x.to(tl.uint32, bitcast=True)
    cut = ((bits + (u * 65536.0).to(tl.uint32)) & tl.full((), 0xFFFF0000, tl.uint32)).to(tl.float32, bitcast=True)
    finite = (bits & tl.full((), 0x7F800000, tl.uint32)) != tl.full((), 0x7F800000, tl.uint32)
    return tl.where(finite, cut, x)


@triton.jit
def rounded_bfloat16(x):
    """The nearest bfloat16, as float32, computed on the bits because Triton's interpreter truncates where processors round."""
    bits = x.to(tl.uint32, bitcast=True)
    odd = (bits >> 16) & tl.full((), 1, tl.uint32)
    near = (bits + (odd + tl.full((), 0x7FFF, tl.uint32))) & tl.full((), 0xFFFF0000, tl.uint32)
    return tl.where(x == x, near.to(tl.float32, bitcast=True), x)


@triton.jit
def magnitude(x):
    """The bits of |x|, which are ordered like it, and those of NaN are above all."""
    if x.dtype == tl.float64:
        bits = x.to(tl.int64, bitcast=True) & 0x7FFFFFFFFFFFFFFF
    else:
        bits = x.to(tl.int32, bitcast=True) & 0x7FFFFFFF
    return bits


@triton.jit
def largest(bits):
    """The number of these bits."""
    if bits.dtype == tl.int64:
        x = bits.to(tl.float64, bitcast=True)
    else:
        x = bits.to(tl.float32, bitcast=True)
    return x


@triton.jit
def largest_of_block(x, here, WIDTH: tl.constexpr):
    """The largest |x| in each block."""
    bits = tl.where(here, magnitude(x), 0)
    return largest(tl.max(tl.reshape(bits, (WIDTH // BLOCK, BLOCK)), axis=1))


@triton.jit
def spread(scales, WIDTH: tl.constexpr):
    """Repeat a block's number for each of its elements."""
    return tl.reshape(tl.broadcast_to(scales[:, None], (WIDTH // BLOCK, BLOCK)), (WIDTH,))
