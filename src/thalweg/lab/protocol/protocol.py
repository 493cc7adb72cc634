"""The protocol: how trials are drawn, tuned and judged. Its version is part of every trial's identity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.form import schedules as rates
from thalweg.lab.data.problem import Problem

VERSION = "2"
BUDGET = 12
RESERVED = 6
"""One trial in RESERVED is held back, and spent next to the best of the others, or beyond the edge if the best is there."""
TUNING_SEEDS = 2
SEEDS = 15
EVALUATIONS = 50
EXPENSIVE = 1e-3
"""Seconds per step and lane above which a rule has fewer trials in a suite."""
RULES = (
    *("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "adamax", "nadam"),
    *("radam", "amsgrad", "adabelief", "adabound", "yogi", "lion", "adan", "ademamix", "adopt", "smorms3"),
)
"""The default rules: twenty that are or were in use, run on any parameters and are fast."""
SEARCHES = ("quasi-random", "optuna")
"""The search methods: settings spread over the ranges in advance, or proposed one after the other by Optuna."""
SPREAD = 3
"""With Optuna, one trial in SPREAD is spread over the ranges first, before the sampler has any data."""
AT_ONCE = 4
"""Settings that Optuna proposes at once, to run as lanes of one program. More at once would adapt less."""
CONTROL = "adam"
"""The rule of the A/A control, if it takes part."""
NEAR = 0.05
"""A value counts as good within this share of the way from the best back to the start. It defines the target of "steps to
target" (from the best loss of all) and the width of the range of good learning rates (from an optimizer's best score)."""


def seeds(phase: str, problem: Problem, steps: int, batch_size: int, count: int) -> list[int]:
    """The seeds of a phase ("tuning", "judging"). Nobody can choose them, and asking for more keeps the first ones.

    They are a hash of the protocol's version, the problem with its data, the steps and the batch size, but not of the list
    of rules: every rule has the same starts and order of data, and adding a rule changes nothing for the others.
    """
    text = f"thalweg {VERSION}/{problem.name}/{problem.fingerprint}/{steps}/{batch_size}/{phase}"
    return [int.from_bytes(hashlib.sha256(f"{text}/{i}".encode()).digest()[:4], "big") >> 1 for i in range(count)]


UNEQUAL = (
    "Adaptive search makes the tuning unequal: every optimizer has the same number of trials, but not the same trials. The next "
    "setting depends on the sampler's random draws and on how well its model fits an optimizer's space, and both differ between "
    "optimizers; a lead may be due to the sampler. Confirm it with --search quasi-random."
)
"""The caution shown with optimizers tuned by Optuna."""


def name(search: str, early_stopping: str = "none") -> str:
    """The protocol's name: its version, and whether the search was adaptive, or tuning runs stopped early."""
    if search != SEARCHES[0]:
        return f"{VERSION} with adaptive search"
    return VERSION if early_stopping == "none" else f"{VERSION} with successive halving"


def caution(search: str) -> str | None:
    """The caution shown with each ranking under this search, if any."""
    return None if search == SEARCHES[0] else UNEQUAL


def spread(budget: int) -> int:
    """The number of trials before Optuna's proposals."""
    return max(1, round(budget / SPREAD))


def trials(budget: int, seconds: float) -> int:
    """Tuning trials of a rule in a suite, given the seconds per step and lane: an expensive rule has fewer."""
    return budget if seconds <= EXPENSIVE else max(2, budget // 4)


def evaluated_at(steps: int) -> list[int]:
    """The steps after which a trial is evaluated: 0, about EVALUATIONS in between, the last."""
    return sorted({round(x) for x in np.linspace(0, steps, min(steps, EVALUATIONS) + 1).tolist()})


class Schedule(NamedTuple):
    """The factor of the learning rate, given the number of steps; its description as a clause and as an adjective."""

    factor: Callable[[int], Callable[[Any], Any]]
    clause: str
    word: str


SCHEDULES = {
    "constant": Schedule(lambda steps: rates.constant(1.0), "the learning rate is constant", "a constant"),
    "linear": Schedule(
        lambda steps: rates.linear(1.0, steps), "the learning rate falls in a straight line to 0", "a linearly falling"
    ),
    "cosine": Schedule(lambda steps: rates.cosine(1.0, steps), "the learning rate falls to 0 along half a cosine", "a cosine"),
    "wsd": Schedule(
        lambda steps: rates.warm_up_stable_decay(1.0, steps),
        "the learning rate rises over the first tenth of the steps, stays, and falls to 0 over the last fifth",
        "a warm-up-stable-decay",
    ),
}


CHECKS = (
    "One optimizer takes part twice, the second time with tuning draws and judging seeds of its own (the A/A control). If "
    "Adam and momentum take part, Adam takes part once more with its epsilon tuned too: with a large one it equals momentum."
)
TARGET = (
    f"The target is a validation loss {NEAR:.0%} of the way from the lowest median that any optimizer here reached back to "
    "the start, so it depends on which optimizers take part."
)


def sentences(
    budget: int,
    judged: int,
    steps: int | None,
    batch_size: int | None,
    tune: str = "lr",
    schedules: Sequence[str] = ("constant",),
    search: str = SEARCHES[0],
) -> list[str]:
    """The protocol in words, for the report. steps, batch_size: None if they differ between problems."""
    batch = f" of {batch_size} samples each" if batch_size else ""
    found = _quasi_random if search == SEARCHES[0] else _adaptive
    return [
        *found(budget, tune, schedules),
        f"Each trial is {f'{steps} steps' if steps else 'as many steps as its problem states'}{batch}, on {TUNING_SEEDS} tuning "
        "seeds. The setting with the best median validation score at the end is chosen, with the lower loss in a tie; a run that "
        "diverged counts as the worst. A hyper-parameter N of a rule is set to the size of the data set.",
        f"The chosen setting starts afresh on {judged} other seeds and is judged on test data, which no choice has used. Every "
        "rule is judged in the same way at its usual learning rate, which gives its untuned score.",
        "A seed fixes the start and the order of the data. The seeds follow from a hash of this protocol, the problem, its data, "
        "the steps and the batch size; all optimizers have the same, and more seeds leave the first ones as they are.",
        CHECKS,
        "A run has diverged if a loss was not finite, or if both its training and its validation loss ended above their start. "
        "No run is left out.",
        TARGET,
        "Step cost is the time of one optimizer step on this problem's parameters, in NumPy, as a multiple of plain "
        "gradient descent's.",
    ]


def tuned(budget: int, tune: str, schedules: Sequence[str], search: str = SEARCHES[0]) -> str:
    """How the settings are found."""
    if not budget:
        return "No optimizer is tuned, as there was no time for it: each runs at its usual learning rate."
    found = _quasi_random if search == SEARCHES[0] else _adaptive
    return " ".join(found(budget, tune, schedules))


def _quasi_random(budget: int, tune: str, schedules: Sequence[str]) -> list[str]:
    of = (
        "of its learning rate, on a log grid over the range that it declares itself; its other hyper-parameters stay at their "
        "defaults"
        if tune == "lr" and len(schedules) == 1
        else f"drawn quasi-randomly and log-uniformly from the ranges of its learning rate{_others(tune, schedules)}"
    )
    kept = (
        f" One trial in {RESERVED} is kept back: if the best of the others lies at the edge of what was tried, these go beyond "
        "it, otherwise next to it. They are part of the budget."
    )
    return [
        f"Every optimizer has {budget} trial{'' if budget == 1 else 's'} {of}; "
        f"{' or '.join(SCHEDULES[name].clause for name in schedules)}.{kept if budget >= RESERVED else ''}",
    ]


def _adaptive(budget: int, tune: str, schedules: Sequence[str]) -> list[str]:
    first = spread(budget)
    way = "on a log grid" if tune == "lr" and len(schedules) == 1 else "quasi-randomly and log-uniformly"
    rest = "; its other hyper-parameters stay at their defaults" if tune == "lr" else ""
    return [
        f"Every optimizer has {budget} trials in the ranges of its learning rate{_others(tune, schedules)}{rest}; "
        f"{' or '.join(SCHEDULES[name].clause for name in schedules)}. "
        f"The first {first} {'is' if first == 1 else 'are'} spread {way}; the other {budget - first} are proposed by Optuna's "
        f"TPE sampler (Bergstra et al. 2011), {AT_ONCE} at a time, from the ranking of the earlier ones on validation data, in "
        "which those that diverged are last. None goes beyond the ranges.",
        UNEQUAL,
    ]


def _others(tune: str, schedules: Sequence[str]) -> str:
    found = [" and its other hyper-parameters"] if tune == "all" else []
    found += [", with one of the schedules drawn"] if len(schedules) > 1 else []
    return "".join(found)
