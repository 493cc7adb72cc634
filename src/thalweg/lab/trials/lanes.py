"""Which engine runs trials as lanes, and what of it belongs to a trial's identity. JAX is imported only once it is wanted."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import platformdirs

from thalweg.core.optimizer import Optimizer
from thalweg.lab.data.problem import Problem
from thalweg.lab.refusal import Refusal
from thalweg.lab.trials import trials
from thalweg.lab.trials.remembered import remembered
from thalweg.rule import Rule
from thalweg.values import own_files

NAMES = ("numpy", "jax")
NUMPY: dict[str, Any] = {"engine": "numpy"}
DIFFERENTIABLE = ("batch", "held_out", "loss", "judge")
"""What a problem has that is `Differentiable`."""


def chosen(name: str, problem: Problem, rule: Rule, batch_size: int) -> dict[str, Any]:
    """What runs a rule's trials on a problem, as their identity has it: the engine, for JAX its version and the lanes at once.

    NumPy where JAX cannot: for a problem that is not `Differentiable`, such as one from a user's file, and a rule that asks
    for gradients itself, since a line search decides as it goes. Raises Refusal where JAX is not installed.
    """
    if name == "numpy" or not (all(hasattr(problem, word) for word in DIFFERENTIABLE) and getattr(problem, "traceable", True)):
        return NUMPY
    if Optimizer(trials.configured(rule, problem), lr=1.0).asks_gradients:
        return NUMPY
    if importlib.util.find_spec("jax") is None:
        raise Refusal("jax is not installed; write pip install 'thalweg[jax]', or leave --lanes out")
    version = jax_version()
    return {"engine": "jax", "version": version, "chunk": _chunk(problem, batch_size, version)}


def jax_version() -> str:
    """Of the JAX that is installed."""
    return importlib.metadata.version("jax")


def prepare() -> None:
    """Import JAX for a process that has one core to itself, and keep what it compiles. To be called before anybody else does."""
    if "jax" not in sys.modules:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        os.environ.setdefault("NPROC", "1")
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=false {flags}".strip()
    import jax

    config: Any = jax.config
    if config.jax_compilation_cache_dir is None and own_files.is_own(_cache() / "xla"):
        config.update("jax_compilation_cache_dir", str(_cache() / "xla"))
        config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def _cache() -> Path:
    return Path(os.environ.get("THALWEG_CACHE") or platformdirs.user_cache_dir("thalweg"))


def _chunk(problem: Problem, batch_size: int, version: str) -> int:
    """How many lanes are fastest at once: timed once for a problem and machine, then remembered, or no trial would be
    found again."""
    place, key = _cache() / "lanes.json", f"{problem.fingerprint} {batch_size} jax {version}"
    with remembered(place, cached=True) as known:
        if int(known.get(key, 0)) < 1:
            prepare()
            from thalweg.lab.trials.chunk import fastest

            known[key] = fastest(problem, trials.configured, batch_size)
        return int(known[key])
