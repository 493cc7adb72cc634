"""A row of the table: a rule, its options, and the paper's loop that it must equal; the rates that rows walk at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from support import SHAPES

import thalweg as tw


@dataclass
class Case:
    """A rule with options, and the oracle it must equal; `whole` for one that is given the whole model as one vector."""

    name: str
    stage: Callable[[], Any]
    oracle: Callable[..., np.ndarray]
    options: dict[str, Any] = field(default_factory=dict)
    lr: Any = None
    asks: str = ""
    leaves: tuple[str, ...] = tuple(SHAPES)
    whole: bool = False


def halving(t: int) -> float:
    return 0.01 * 0.5 ** (t // 10)


def shrinking(t: int) -> float:
    return 1e-3 / (1 + 0.1 * t)


def shrinking_share(t: int) -> float:
    return 1 / (1 + 0.1 * t)


def resting(t: int) -> float:
    return 0.0 if t % 5 == 0 else 0.01


WD = 0.03


def at(place: str, eps: float, root: float = 0.0) -> tw.ops.Epsilon:
    """An epsilon in the place that an oracle calls so."""
    return tw.ops.Epsilon(eps, place, root)
