"""Who takes part: each a way to make one whole step, in place, on arrays of its own. All compute in float32."""

from __future__ import annotations

import collections
import functools
import itertools
import logging
import math
import re
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
from thalweg.core.leaf import Leaf
from thalweg.dialects import variants
from thalweg.engines.drawn import drawn
from thalweg.engines.passes.sums import SUMS
from thalweg.graph.program import NotTraced, stage_paths

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
@njit(nogil=True, error_model="numpy", fastmath={fast})
def part(at, start, stop):
{addresses}
    found = float32(0.0)
    for i in range(start, stop):
{loads}
{ends}
    return found
"""
ACCESS = re.compile(r"(load|store)_\w+\(\d+, (\w+)_at, ")
PIECES = 8
"""Pieces of a thread's share: fixed shares wait for the slowest core."""


def passes(rule: str, axes: int) -> list[tuple[int, int]]:
    """How many arrays each pass over memory of a step goes through, and how many of them it writes, for tensors of so many axes.

    Where no kernel runs it, one pass over parameters, gradients and state. Numbers per row and column are left out.
    """
    p = np.zeros((2,) * axes, np.float32)
    optimizer = tw.Optimizer(as_torch(rule)(**OURS.get(rule, {})))
    try:
        made = drawn(optimizer, stage_paths(optimizer, Leaf("p", p.shape, p, p, 0, None, p)), "float32")
    except NotTraced:
        count = 2 + round(as_torch(rule).cost(4, **OURS.get(rule, {})).state_per_parameter)
        return [(count, count - 1)]
    found = [(1, 0) for _ in set(made.program.norms.values())]  # a norm over all gradients
    small = {SUMS, *made.cut.last.margins, *(one.name for each in made.cut.passes for one in each.reductions)}
    for kernel in made.kernels:
        seen = [(verb, column) for verb, column in ACCESS.findall(kernel.text) if column not in small]
        found.append((len({column for _, column in seen}), sum(verb == "store" for verb, _ in seen)))
    return found


def floors(rule: str, shapes: Shapes, threads: int) -> dict[str, Callable[[], None]]:
    """Plain loops over long arrays that read and write what each pass of the rule must; what is read alone is added up.

    In one thread, in equal shares, and in pieces for whoever is free: which is fastest depends on the size and on what
    else runs, and only the fastest is a floor.
    """
    sizes = {axes: sum(math.prod(shape) for shape in shapes if min(len(shape), 2) == axes) for axes in (0, 1, 2)}
    parts = [(count, written, size) for axes, size in sizes.items() if size for count, written in passes(rule, axes)]
    arrays = [np.full(max(sizes.values()), k, np.float32) for k in range(max(count for count, _, _ in parts))]
    at = np.array([a.ctypes.data for a in arrays], np.int64)
    loops = [(_loop(count, written), size) for count, written, size in parts]
    pool = ThreadPoolExecutor(max(1, threads - 1))

    def shared(pieces: int, threads: int, held: Arrays = arrays) -> None:  # addresses alone would not keep the arrays
        for part, size in loops:
            length = -(-size // pieces)
            starts = itertools.count(0, length)

            def work(part: Any = part, starts: Any = starts, size: int = size, length: int = length) -> None:
                while (start := next(starts)) < size:
                    part(at, start, min(start + length, size))

            others = [pool.submit(work) for _ in range(threads - 1)]
            work()
            for other in others:
                other.result()

    return {
        "floor, serial": lambda: shared(1, 1),
        "floor, shares": lambda: shared(threads, threads),
        "floor, pieces": lambda: shared(threads * PIECES, threads),
    }


@functools.cache
def _loop(count: int, written: int) -> Any:
    """A pass through so many arrays, of which it writes the first ones."""
    from numba import njit

    from thalweg.engines.words import load_float32, store_float32

    letters = [f"x{k}" for k in range(count)]
    ends = [f"        store_float32({k}, a{k}, i, x{(k + 1) % count})" for k in range(written)]
    text = FLOOR.format(
        fast=not written,
        addresses="\n".join(f"    a{k} = at[{k}]" for k in range(count)),
        loads="\n".join(f"        x{k} = load_float32({k}, a{k}, i)" for k in range(count)),
        ends="\n".join(ends or [f"        found += {' + '.join(letters)}"]),
    )
    scope = {"njit": njit, "float32": np.float32, "load_float32": load_float32, "store_float32": store_float32}
    exec(text, scope)
    return scope["part"]


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
