"""What the tables of tests share: one stream of gradients, and runs of it through an Optimizer."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.core.compose import refuses_vectors


def of_matrices(stage: Any) -> Any:
    """A stage for matrices, with AdamW for the rest."""
    return tw.choose((tw.is_matrix, stage), otherwise=tw.adamw())


def anywhere(method: tw.Rule) -> tw.Rule:
    """The rule itself; of one that is for matrices alone a recipe that has AdamW for the rest."""
    if not refuses_vectors(method()):
        return method

    def both() -> Any:
        return of_matrices(method())

    both.__name__, both.__doc__ = method.name, method.doc
    made: tw.Rule = tw.recipe(both, lr=method.lr, search=method.search)
    return made


RULES = {name: anywhere(method) for name, method in tw.rules.items()}
"""All rules, so that they run on a tree of any arrays."""
OF_MATRICES = frozenset(name for name, method in tw.rules.items() if refuses_vectors(method()))
"""Those that take nothing but matrices."""
OF_PRODUCTS = OF_MATRICES | {"muon_with_adamw", "scion", "splus", "swan"}
"""Those with matrix products, for which no kernel is printed for a GPU."""
ASKING = tuple(name for name, method in RULES.items() if tw.Optimizer(method()).asks_gradients)
"""Those that ask for gradients themselves, at points of their own."""
WALKED = frozenset(name for name, method in RULES.items() if tw.Optimizer(method()).moves)
"""Those that walk at another point than they take gradients at."""
HANDED = {name: method for name, method in RULES.items() if name not in ASKING}
"""Those that take the gradients they are handed."""
EVERYDAY = (
    *("sgd", "momentum", "adam", "amsgrad", "nadam", "rprop", "asgd"),  # element-wise: memory of no, one, two, three kinds
    *("lamb", "adafactor", "sm3", "muon", "galore"),  # norms, rows and columns, slices, matrices, a projection
    *("prodigy", "momo", "santa_sss", "sophia", "adasecant"),  # the whole model, the loss, noise, a curvature, statistics
    *("lbfgs", "learned"),  # points and weights of their own
)
"""A rule of each kind."""


def everyday(
    cases: Iterable[Any],
    of: Collection[str] = EVERYDAY,
    name: Callable[[Any], str] = str,
    rare: Callable[[Any], bool] = lambda case: False,
) -> list[Any]:
    """The cases as parameters: those of these rules, and what begins with no rule's name, every day; others with `-m slow`.

    rare: of which cases of theirs it is so too.
    """
    others = set(tw.rules) - set(of)
    return [pytest.param(case, marks=pytest.mark.slow if name(case).split()[0] in others or rare(case) else ()) for case in cases]


def first(cases: Iterable[Any], count: int = 1) -> list[Any]:
    """The cases as parameters: the first of them every day, the others with `-m slow`."""
    values = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*case, marks=pytest.mark.slow if k >= count else ()) for k, case in enumerate(values)]


MUONS: dict[str, Any] = {
    "muon average": lambda: of_matrices(
        tw.muon(momentum="average", nesterov=False, scale="match_rms_adamw", eps=tw.at_least(1e-7))
    ),
    "muon corrected": lambda: of_matrices(tw.muon(momentum="corrected", scale="transposed")),
    "muon without momentum": lambda: of_matrices(tw.muon(0.0, scale="none")),
}
STEPS = 100
SHAPES = {"w": (4, 3), "b": (3,), "s": ()}


def stream(seed: int = 0, steps: int = STEPS, dtype: Any = np.float64) -> tuple[dict[str, Any], list[dict[str, Any]], np.ndarray]:
    """Parameters, their gradients over sizes from 1e-4 to 10 (one coordinate's are all zero), and positive losses."""
    draw = np.random.default_rng(seed)
    params = {name: np.asarray(draw.normal(size=shape), dtype) for name, shape in SHAPES.items()}
    scales = {name: 10.0 ** draw.uniform(-4, 1, shape) for name, shape in SHAPES.items()}
    scales["w"][1, 1] = 0.0
    gradients = [{k: np.asarray(draw.normal(size=s) * scales[k], dtype) for k, s in SHAPES.items()} for _ in range(steps)]
    return params, gradients, 0.1 + np.abs(draw.normal(size=steps))


def bowl(g: dict[str, Any], lanes: bool = False) -> Any:
    """A grad_fn: the loss g . p + |p|^2 / 2, whose gradient where p = 0 is g."""

    def ask(p: dict[str, Any]) -> Any:
        terms = [g[k] * p[k] + 0.5 * p[k] * p[k] for k in p]
        return sum(x.reshape(len(x), -1).sum(1) if lanes else x.sum() for x in terms), {k: g[k] + p[k] for k in p}

    return ask


def bent(g: dict[str, Any]) -> dict[str, Any]:
    """What stands for the curvature: of both signs, and the same of g and -g."""
    with np.errstate(over="ignore"):
        return {k: g[k] if g[k] is None else g[k] * g[k] - 0.01 for k in g}


def asked_for(optimizer: Any, g: dict[str, Any], loss: Any = None) -> dict[str, Any]:
    """What a rule asks for beside gradients, by keyword."""
    return {
        **({"loss": loss} if "loss" in optimizer.asks else {}),
        **({"curvature": bent(g)} if "curvature" in optimizer.asks else {}),
    }


def stepped(optimizer: Any, params: Any, g: Any, state: Any, **given: Any) -> Any:
    """A step on the gradients g, or, of a method that asks itself, on the bowl that has them at zero."""
    if optimizer.asks_gradients:
        return optimizer.step(params, None, state, grad_fn=bowl(g, optimizer.lanes is not None))
    if "curvature" in optimizer.asks:
        given.setdefault("curvature", bent(g))
    return optimizer.step(params, g, state, **given)


def flat(tree: dict[str, Any]) -> np.ndarray:
    """A whole model as one vector."""
    return np.concatenate([np.ravel(x) for x in tree.values()])


def normal_like(seed: int, steps: int = STEPS) -> list[dict[str, Any]]:
    """Standard normal draws to inject."""
    draw = np.random.default_rng(seed)
    return [{name: np.asarray(draw.normal(size=shape)) for name, shape in SHAPES.items()} for _ in range(steps)]


def run(
    rule: Any, params: Any, gradients: Any, *, lr: Any = None, losses: Any = None, noise: Any = None, **options: Any
) -> tuple[list[Any], Any]:
    """The parameters after each step, and the last state."""
    optimizer = tw.Optimizer(rule, lr=lr, **options)
    state = optimizer.init(params)
    path = []
    for i, g in enumerate(gradients):
        loss = losses[i] if "loss" in optimizer.asks and losses is not None else None
        params, state = stepped(optimizer, params, g, state, loss=loss, noise=None if noise is None else noise[i])
        path.append(params)
    return path, state


def drive(optimizer: Any, params: list[Any], gradients: list[list[Any]]) -> None:
    """Steps of an optimizer of `thalweg.torch`, at a loss of 1.5."""
    for own in gradients:
        for p, g in zip(params, own, strict=True):
            p.grad = g.clone()
        optimizer.step(lambda: 1.5)


def through_a_file(state: Any) -> Any:
    """What torch.save writes of it, read with weights_only."""
    import torch

    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


PATIENCE = 500.0
"""Seconds after which what a test waits for hangs: many times what it takes, less than pytest gives the test."""


FOUR_DEVICES = "--xla_force_host_platform_device_count=4 --xla_cpu_collective_call_terminate_timeout_seconds=400"
"""XLA's flags for as many devices made of the CPU; one that waits long for the others does not end the process."""


def wait_for(true: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> Any:
    """What it comes to, once that is true. process: whose work that is, which goes on meanwhile."""
    begun = time.monotonic()
    while not (found := true()):
        assert process is None or process.poll() is None, "it ended before that"
        assert time.monotonic() - begun < PATIENCE, "it never came"
        time.sleep(0.005)
    return found


@contextlib.contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone when the block is left."""
    process = subprocess.Popen(command, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def python(before: str, *arguments: str) -> list[str]:
    """The command of Python with these arguments, in a process that has first run a statement.

    `preexec_fn` would run it in a fork of this process, where JAX's threads may be.
    """
    if not before:
        return [sys.executable, *arguments]
    first = f"import os, signal, sys; {before}; os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    return [sys.executable, "-c", first, *arguments]
