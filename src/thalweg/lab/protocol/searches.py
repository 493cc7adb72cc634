"""How the settings that an optimizer is tried at are chosen, by name."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Mapping

from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import protocol, tune
from thalweg.lab.protocol.tune import End, Setting, Space
from thalweg.lab.refusal import Refusal

Search = Callable[[Space, Mapping[Setting, End], int], list[Setting]]
"""What to try next, from what is tuned, how the settings tried so far ended, and how many of the budget they are; nothing
once it is spent."""


def quasi_random(space: Space, ends: Mapping[Setting, End], spent: int) -> list[Setting]:
    """Settings spread over the ranges, then those kept back."""
    if not spent:
        return tune.opening(space)
    return tune.following(space, ends) if spent < space.budget else []


def search_for(name: str, problem: Problem, steps: int, batch_size: int) -> Search:
    """The search of this name. Raises Refusal where what it needs is not installed."""
    if name == protocol.SEARCHES[0]:
        return quasi_random
    if importlib.util.find_spec("optuna") is None:
        raise Refusal("optuna is not installed; write pip install 'thalweg[optuna]', or leave --search out")
    from thalweg.lab.protocol.adaptive import proposed

    return functools.partial(proposed, seed_of=functools.partial(_seed, problem, steps, batch_size))


def needs(name: str) -> tuple[str, ...]:
    """The packages whose version has a part in which settings are tried."""
    return () if name == protocol.SEARCHES[0] else ("optuna",)


def _seed(problem: Problem, steps: int, batch_size: int, draws: str, spent: int) -> int:
    """A sampler's, nobody's choice either: the same for all rules but a control, another for each round."""
    return protocol.seeds(f"searching {draws}".strip(), problem, steps, batch_size, spent + 1)[spent]
