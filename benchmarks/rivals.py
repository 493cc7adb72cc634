"""Who takes part: each a way to make one whole step, in place, on arrays of its own. All compute in float32."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import thalweg as tw
import thalweg.numpy as tn
from benchmarks import textbook
from benchmarks.shapes import Shapes

Arrays = list[Any]


@dataclass
class Contestant:
    """A step without arguments, and its parameters as NumPy arrays."""

    step: Callable[[], Any]
    params: Callable[[], Arrays]


Make = Callable[[str, Shapes, int], Contestant]

OURS: dict[str, dict[str, Any]] = {
    "adamax": {"eps": 1e-8},
    "amsgrad": {"eps": 1e-8, "sqrt_decay": False, "bias_correction": True},
    "nadam": {"mu": 0.9, "average": "constant", "nu_factor": False},
}
"""The options with which our rule is the algorithm that torch has."""

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


def lr_of(rule: str) -> float:
    return float(tw.rules[rule].lr or 1e-2)


def ours(rule: str, shapes: Shapes, threads: int) -> Contestant:
    params, grads = data(shapes)
    optimizer = tn.of(tw.rules[rule])(params, **OURS.get(rule, {}))
    given = {"loss": 1.0} if "loss" in tw.rules[rule].asks else {}
    return Contestant(functools.partial(optimizer.step, grads, **given), lambda: params)


def numpy_textbook(rule: str, shapes: Shapes, threads: int) -> Contestant:
    params, grads = data(shapes)
    kept: list[dict[str, Any]] = [{} for _ in params]
    update, t = textbook.RULES[rule], iter(range(1, 1 << 30))

    def step() -> None:
        now = next(t)
        for w, g, s in zip(params, grads, kept, strict=True):
            update(w, g, s, now)

    return Contestant(step, lambda: params)


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
    return Contestant(step, lambda: params)


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

    return Contestant(step, lambda: [np.asarray(p) for p in held[0]])


FLOOR = """
@njit(parallel=True, error_model="numpy")
def floor(at, size, threads):
    for thread in prange(threads):
{addresses}
        for i in range(size * thread // threads, size * (thread + 1) // threads):
{loads}
{stores}
"""


def floor(rule: str, shapes: Shapes, threads: int) -> Contestant:
    """A plain loop that reads and writes what the rule must, each thread its part of one long array, and computes nothing."""
    import numba

    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    size = sum(map(math.prod, shapes))
    count = 2 + round(tw.rules[rule].cost(4, **OURS.get(rule, {})).state_per_parameter)
    arrays = [np.full(size, k, np.float32) for k in range(count)]
    at = np.array([a.ctypes.data for a in arrays], np.int64)
    loop = _floor(count)

    def step(held: Arrays = arrays) -> None:  # the loop has addresses only: the arrays must live as long as it
        loop(at, size, threads)

    return Contestant(step, lambda: arrays)


@functools.cache
def _floor(count: int) -> Any:
    from numba import njit, prange

    from thalweg.engines.words import load_float32, store_float32

    written = [k for k in range(count) if k != 1]  # all but the gradient
    text = FLOOR.format(
        addresses="\n".join(f"        a{k} = at[{k}]" for k in range(count)),
        loads="\n".join(f"            x{k} = load_float32({k}, a{k}, i)" for k in range(count)),
        stores="\n".join(f"            store_float32({k}, a{k}, i, x{(k + 1) % count})" for k in written),
    )
    scope = {"njit": njit, "prange": prange, "load_float32": load_float32, "store_float32": store_float32}
    exec(text, scope)
    return scope["floor"]


RIVALS: dict[str, Make] = {
    "floor": floor,
    "numpy": numpy_textbook,
    "torch loop": functools.partial(_torch, foreach=False),
    "torch foreach": functools.partial(_torch, foreach=True),
    "torch fused": functools.partial(_torch, fused=True),
    "torch compile": functools.partial(_torch, foreach=True, compiled=True),
    "optax": optax,
}
FUSED = ("sgd", "momentum", "nesterov", "adagrad", "adam", "adamw", "amsgrad")


def has(rival: str, rule: str) -> bool:
    """Whether this rival has the rule's algorithm."""
    if rival == "torch fused":
        return rule in FUSED
    return rule in {"floor": tw.rules, "numpy": textbook.RULES, "optax": OPTAX}.get(rival, TORCH)


def rules() -> Iterator[str]:
    """Our rules that a kernel runs."""
    for name in tw.rules:
        optimizer = tn.of(tw.rules[name])([np.ones(2, np.float32)])
        optimizer.step([np.ones(2, np.float32)], loss=1.0)
        if optimizer._bound._launches:
            yield name
