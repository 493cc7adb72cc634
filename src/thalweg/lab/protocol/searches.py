"""The search methods by name."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Mapping

from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import protocol, tune
from thalweg.lab.protocol.tune import End, Setting, Space
from thalweg.lab.refusal import Refusal

Search = Callable[[Space, Mapping[Setting, End], int], list[Setting]]
"""(space, results so far, trials spent) -> the next settings to try; none once the budget is spent."""


def quasi_random(space: Space, ends: Mapping[Setting, End], spent: int) -> list[Setting]:
    """Settings spread over the ranges, then the reserved ones."""
    if not spent:
        return tune.opening(space)
    return tune.following(space, ends) if spent < space.budget else []


def search_for(name: str, problem: Problem, steps: int, batch_size: int) -> Search:
    """The search of this name. Raises Refusal if a package that it needs is not installed."""
    if name == protocol.SEARCHES[0]:
        return quasi_random
    if importlib.util.find_spec("optuna") is None:
        raise Refusal("optuna is not installed; write pip install 'thalweg[optuna]', or leave --search out")
    from thalweg.lab.protocol.adaptive import proposed

    return functools.partial(proposed, seed_of=functools.partial(_seed, problem, steps, batch_size))


def needs(name: str) -> tuple[str, ...]:
    """The packages whose version affects the proposed settings."""
    return () if name == protocol.SEARCHES[0] else ("optuna",)


def _seed(problem: Problem, steps: int, batch_size: int, draws: str, spent: int) -> int:
    """Sampler seed: derived from the protocol hash, shared by all rules except the control, different in each round."""
    return protocol.seeds(f"searching {draws}".strip(), problem, steps, batch_size, spent + 1)[spent]
