"""Early stopping of tuning runs by successive halving: one rule, the same for all optimizers.

All settings of a round run for a fixed share of the steps, on the tuning seeds; the better half by the validation score goes
on (Karnin, Koren and Somekh 2013; for training runs Jamieson and Talwalkar 2016, arXiv 1502.07943). A run that goes on begins
anew, as nothing saves its state. So each run depends on its own setting, seed and length alone, and neither on the number of
parallel jobs nor on the order in which runs end. It is halved once: with runs that begin anew, a second halving saves little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from thalweg.lab.protocol.tune import End, Setting

NAMES = ("none", "halving")
"""The kinds of early stopping."""
SHARE = 1 / 8
"""The share of the steps after which a hopeless run stops."""
FEWEST = 4
"""The fewest settings of a round that is halved."""


def stop(steps: int) -> int:
    """The step from which on a run stops at its next report."""
    return math.ceil(SHARE * steps)


def survivors(settings: int) -> int:
    """How many settings of a round go on."""
    return math.ceil(settings / 2) if settings >= FEWEST else settings


def better(ends: Mapping[Setting, End]) -> set[Setting]:
    """The settings that go on, by their results so far."""
    order = sorted(ends, key=lambda setting: (*ends[setting], setting.lr))
    return set(order[: survivors(len(order))])


def sentences(early_stopping: str) -> list[str]:
    """The rule in words, if there is one."""
    return [WORDS] if early_stopping != NAMES[0] else []


WORDS = (
    f"Hopeless tuning runs stop early (successive halving): at the first report from {SHARE:.3g} of the steps on, the half of an "
    "optimizer's first settings with the worse median validation score stops. Only the others, which then run whole, can be "
    "chosen. Each optimizer's settings are compared with each other alone, and judged runs always run whole. Where settings that "
    "were not chosen count, a stopped one counts with its last score."
)
