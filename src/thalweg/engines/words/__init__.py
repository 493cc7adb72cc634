"""Functions of kernels besides arithmetic: reading and writing memory, and functions that the compiler would not vectorize.

Only kernel modules import this, and only Numba runs it: a kernel is machine code without Python.
"""

from thalweg.engines.words.angle import angle
from thalweg.engines.words.functions import cube_root, exponential, hyperbolic_tangent, logistic
from thalweg.engines.words.memory import (
    ask,
    dithered,
    fetch,
    floor,
    larger,
    largest,
    leaf_squares_float32,
    leaf_squares_float64,
    leaf_sums_float32,
    leaf_sums_float64,
    load_bfloat16,
    load_float16,
    load_float32,
    load_float64,
    load_int8,
    magnitude,
    peek,
    poke,
    rounded_bfloat16,
    rounded_float16,
    scratch,
    share,
    store_bfloat16,
    store_float16,
    store_float32,
    store_float64,
    store_int8,
)  # fmt: skip
from thalweg.engines.words.powers import raised

__all__ = [
    "angle", "ask", "cube_root", "dithered", "exponential", "fetch", "floor", "hyperbolic_tangent", "larger", "largest",
    "leaf_squares_float32", "leaf_squares_float64", "leaf_sums_float32", "leaf_sums_float64", "load_bfloat16", "load_float16",
    "load_float32", "load_float64", "load_int8", "logistic", "magnitude", "peek", "poke", "raised", "rounded_bfloat16",
    "rounded_float16", "scratch", "share", "store_bfloat16", "store_float16", "store_float32", "store_float64", "store_int8",
]  # fmt: skip
