"""Who takes part: each a way to make one whole step, in place, on arrays of its own. All compute in float32."""

from __future__ import annotations

import collections
import functools
import itertools
import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

import thalweg as tw
import thalweg.numpy as tn
from benchmarks import textbook
from benchmarks.shapes import Shapes
from thalweg.core.compose import refuses_vectors
from thalweg.dialects import variants

Arrays = list[Any]


@dataclass
class Contestant:
    """A step without arguments, its parameters as NumPy arrays, and a way to give it other gradients."""

    step: Callable[[], Any]
    params: Callable[[], Arrays]
    give: Callable[[Arrays], None]


Make = Callable[[str, Shapes, int], Contestant]

OURS: dict[str, dict[str, Any]] = {
    "adamax": {"eps": 1e-8},
    "amsgrad": {"eps": 1e-8},
    "nadam": {"mu": 0.9, "average": "constant", "nu_factor": False},
    "radam": {"eps": tw.outside(1e-8, raw=True), "threshold": 5.0},
}
"""The options with which our rule is the algorithm that torch has."""


def as_torch(rule: str) -> Any:
    """The rule that is torch's."""
    return variants.corrected_amsgrad if rule == "amsgrad" else tw.rules[rule]


TORCH: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {"eps": 1e-8}),
    "rmsprop": ("RMSprop", {"alpha": 0.9}),
    "adadelta": ("Adadelta", {"rho": 0.95}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {}),
    "amsgrad": ("Adam", {"amsgrad": True}),
    "adamax": ("Adamax", {}),
    "nadam": ("NAdam", {}),
    "radam": ("RAdam", {}),
    "rprop": ("Rprop", {}),
}
OPTAX: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("sgd", {}),
    "momentum": ("sgd", {"momentum": 0.9}),
    "nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ("rmsprop", {"decay": 0.9, "eps_in_sqrt": False}),
    "adadelta": ("adadelta", {"rho": 0.95}),
    "adam": ("adam", {}),
    "adamw": ("adamw", {"weight_decay": 0.01}),
    "adamax": ("adamax", {}),
}


def data(shapes: Shapes) -> tuple[Arrays, Arrays]:
    """Parameters and gradients, the same for all."""
    draw = np.random.default_rng(0)
    return tuple([draw.standard_normal(s, np.float32) for s in shapes] for _ in range(2))  # type: ignore[return-value]


def _into(held: Arrays, given: Arrays) -> None:
    for array, other in zip(held, given, strict=True):
        np.copyto(array, other)


def lr_of(rule: str) -> float:
    return float(tw.rules[rule].lr or 1e-2)


def _given(rule: str, grads: Arrays) -> dict[str, Any]:
    """What else the rule's step asks for."""
    known = {"loss": 1.0, "curvature": grads}
    return {word: value for word, value in known.items() if word in tw.rules[rule].asks}


def ours(rule: str, shapes: Shapes, threads: int) -> Contestant:
    params, grads = data(shapes)
    optimizer = tn.of(as_torch(rule))(params, **OURS.get(rule, {}))
    return Contestant(
        functools.partial(optimizer.step, grads, **_given(rule, grads)), lambda: params, functools.partial(_into, grads)
    )


def numpy_textbook(rule: str, shapes: Shapes, threads: int) -> Contestant:
    params, grads = data(shapes)
    kept = [collections.defaultdict(functools.partial(np.zeros_like, p)) for p in params]
    update, t = textbook.RULES[rule], iter(range(1, 1 << 30))

    def step() -> None:
        now = next(t)
        for w, g, s in zip(params, grads, kept, strict=True):
            update(w, g, s, now)

    return Contestant(step, lambda: params, functools.partial(_into, grads))


def _torch(rule: str, shapes: Shapes, threads: int, compiled: bool = False, **how: Any) -> Contestant:
    import torch

    torch._dynamo.reset()  # each compiled step afresh, not as a variant of the one before it
    torch._logging.set_logs(all=logging.ERROR)
    torch.set_num_threads(threads)
    params, grads = data(shapes)
    tensors = [torch.nn.Parameter(torch.from_numpy(p)) for p in params]
    for tensor, g in zip(tensors, grads, strict=True):
        tensor.grad = torch.from_numpy(g)
    name, options = TORCH[rule]
    optimizer = getattr(torch.optim, name)(tensors, lr=lr_of(rule), **options, **how)
    step = torch.compile(optimizer.step) if compiled else optimizer.step
    return Contestant(step, lambda: params, functools.partial(_into, grads))


def optax(rule: str, shapes: Shapes, threads: int) -> Contestant:
    import jax
    import optax

    params, grads = data(shapes)
    name, options = OPTAX[rule]
    transformation = getattr(optax, name)(lr_of(rule), **options)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def update(p: Any, state: Any, g: Any) -> Any:
        changes, state = transformation.update(g, state, p)
        return optax.apply_updates(p, changes), state

    given = [jax.numpy.asarray(g) for g in grads]
    held = [[jax.numpy.array(p) for p in params]]
    held.append(transformation.init(held[0]))

    def step() -> None:
        held[:] = jax.block_until_ready(update(*held, given))

    def give(others: Arrays) -> None:
        given[:] = [jax.numpy.array(g) for g in others]

    return Contestant(step, lambda: [np.asarray(p) for p in held[0]], give)


FLOOR = """
@njit(nogil=True, error_model="numpy")
def part(at, start, stop):
{addresses}
    for i in range(start, stop):
{loads}
{stores}

@njit(parallel=True, error_model="numpy")
def halves(at, size, threads):
    for thread in prange(threads):
        part(at, size * thread // threads, size * (thread + 1) // threads)
"""
PIECES = 8
"""Pieces of a thread's share: fixed shares wait for the slowest core."""


def floors(rule: str, shapes: Shapes, threads: int) -> dict[str, Callable[[], None]]:
    """Plain loops over long arrays that read and write what the rule must, and compute nothing.

    In one thread, in equal shares, and in pieces for whoever is free: which is fastest depends on the size and on what
    else runs, and only the fastest is a floor.
    """
    import numba

    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    size = sum(map(math.prod, shapes))
    count = 2 + round(as_torch(rule).cost(4, **OURS.get(rule, {})).state_per_parameter)
    arrays = [np.full(size, k, np.float32) for k in range(count)]
    at = np.array([a.ctypes.data for a in arrays], np.int64)
    part, halves = _loops(count)
    pool, length = ThreadPoolExecutor(max(1, threads - 1)), -(-size // (threads * PIECES))

    def pieces() -> None:
        starts = itertools.count(0, length)

        def work() -> None:
            while (start := next(starts)) < size:
                part(at, start, min(start + length, size))

        others = [pool.submit(work) for _ in range(threads - 1)]
        work()
        for other in others:
            other.result()

    def keeping(work: Callable[..., None], *given: Any, held: Arrays = arrays) -> Callable[[], None]:
        return lambda: work(*given) if held else None  # the loops have addresses only: the arrays must live as long

    return {
        "floor, serial": keeping(part, at, 0, size),
        "floor, shares": keeping(halves, at, size, threads),
        "floor, pieces": keeping(pieces),
    }


@functools.cache
def _loops(count: int) -> tuple[Any, Any]:
    from numba import njit, prange

    from thalweg.engines.words import load_float32, store_float32

    written = [k for k in range(count) if k != 1]  # all but the gradient
    text = FLOOR.format(
        addresses="\n".join(f"    a{k} = at[{k}]" for k in range(count)),
        loads="\n".join(f"        x{k} = load_float32({k}, a{k}, i)" for k in range(count)),
        stores="\n".join(f"        store_float32({k}, a{k}, i, x{(k + 1) % count})" for k in written),
    )
    scope = {"njit": njit, "prange": prange, "load_float32": load_float32, "store_float32": store_float32}
    exec(text, scope)
    return scope["part"], scope["halves"]


RIVALS: dict[str, Make] = {
    "numpy": numpy_textbook,
    "torch loop": functools.partial(_torch, foreach=False),
    "torch foreach": functools.partial(_torch, foreach=True),
    "torch fused": functools.partial(_torch, fused=True),
    "torch compile": functools.partial(_torch, foreach=True, compiled=True),
    "optax": optax,
}
NAMES = ("floor", *RIVALS)
FUSED = ("sgd", "momentum", "nesterov", "adagrad", "adam", "adamw", "amsgrad")


def has(rival: str, rule: str) -> bool:
    """Whether this rival has the rule's algorithm."""
    if rival == "torch fused":
        return rule in FUSED
    return rule in {"floor": tw.rules, "numpy": textbook.RULES, "optax": OPTAX}.get(rival, TORCH)


def candidates() -> list[str]:
    """Our rules that any array can be handed to: not those for matrices alone, nor those that ask for gradients themselves."""
    made = {name: rule() for name, rule in tw.rules.items()}
    return [name for name, stage in made.items() if not (refuses_vectors(stage) or tw.Optimizer(stage).asks_gradients)]


def has_kernel(rule: str) -> bool:
    """Whether a kernel runs it; compiles it."""
    grads = [np.ones(2, np.float32)]
    optimizer = tn.of(tw.rules[rule])([np.ones(2, np.float32)])
    optimizer.step(grads, **_given(rule, grads))
    return bool(optimizer._bound._launches)
