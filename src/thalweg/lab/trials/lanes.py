"""The choice of the engine that runs trials as lanes, and its part in a trial's identity."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

from thalweg.core.optimizer import Optimizer
from thalweg.lab.data.problem import Problem
from thalweg.lab.refusal import Refusal
from thalweg.lab.trials.configured import configured
from thalweg.lab.trials.json_cache import json_cache
from thalweg.lab.trials.xla import cache_folder, jax_version, prepare
from thalweg.rule import Rule

NAMES = ("numpy", "jax")


@dataclass(frozen=True)
class LaneEngine:
    """The engine that runs trials as lanes, with what affects the last digits: its version, and for JAX the lanes per device
    (chunk). Training functions run one by one.
    """

    name: str = "numpy"
    version: str | None = None
    chunk: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The engine as in a trial's record."""
        affects = {"version": self.version, "chunk": self.chunk}
        return {"engine": self.name, **{name: value for name, value in affects.items() if value is not None}}


NUMPY = LaneEngine()
DIFFERENTIABLE = ("batch", "held_out", "loss", "judge")
"""The methods of a `Differentiable` problem."""


def engine_for(name: str, problem: Problem, rule: Rule, batch_size: int) -> LaneEngine:
    """The engine for a rule's trials on a problem, if engine `name` is requested.

    NumPy if JAX cannot run it: for a problem that is not `Differentiable`, such as a user's, and for a rule that requests
    gradients itself, whose line search branches on values. Raises Refusal if JAX is not installed.
    """
    if name == "numpy" or not (all(hasattr(problem, word) for word in DIFFERENTIABLE) and getattr(problem, "traceable", True)):
        return NUMPY
    if Optimizer(configured(rule, problem), lr=1.0).asks_gradients:
        return NUMPY
    if importlib.util.find_spec("jax") is None:
        raise Refusal("jax is not installed; write pip install 'thalweg[jax]', or leave --lanes out")
    version = jax_version()
    return LaneEngine("jax", version, _chunk(problem, batch_size, version))


def _chunk(problem: Problem, batch_size: int, version: str) -> int:
    """The fastest number of lanes, timed once per problem and machine and cached: as a part of a trial's identity it
    must not change."""
    place, key = cache_folder() / "lanes.json", f"{problem.fingerprint} {batch_size} jax {version}"
    with json_cache(place, cached=True) as known:
        if int(known.get(key, 0)) < 1:
            prepare()
            from thalweg.lab.trials.chunk import fastest  # imports JAX

            known[key] = fastest(problem, batch_size)
        return int(known[key])
