"""Which engine runs trials as lanes, and what of it a trial's outcome depends on."""

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
    """What runs trials as lanes of one program. For JAX also its version, and how many lanes a device has at once (chunk):
    the last digits of all numbers depend on both.
    """

    name: str = "numpy"
    version: str | None = None
    chunk: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it stands in a trial's record."""
        return (
            {"engine": self.name} if self.chunk is None else {"engine": self.name, "version": self.version, "chunk": self.chunk}
        )


NUMPY = LaneEngine()
DIFFERENTIABLE = ("batch", "held_out", "loss", "judge")
"""What a problem has that is `Differentiable`."""


def engine_for(name: str, problem: Problem, rule: Rule, batch_size: int) -> LaneEngine:
    """What runs a rule's trials on a problem, where `name` is asked for.

    NumPy where JAX cannot: for a problem that is not `Differentiable`, such as one from a user's file, and a rule that asks
    for gradients itself, since a line search decides as it goes. Raises Refusal where JAX is not installed.
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
    """How many lanes are fastest at once: timed once for a problem and machine, then remembered, or no trial would be
    found again."""
    place, key = cache_folder() / "lanes.json", f"{problem.fingerprint} {batch_size} jax {version}"
    with json_cache(place, cached=True) as known:
        if int(known.get(key, 0)) < 1:
            prepare()
            from thalweg.lab.trials.chunk import fastest  # it imports JAX

            known[key] = fastest(problem, batch_size)
        return int(known[key])
