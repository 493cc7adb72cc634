"""The protocol: how trials are drawn, tuned and judged. Its version is part of every trial's identity."""

from __future__ import annotations

import hashlib

import numpy as np
from scipy.stats import qmc

from thalweg.lab.problem import Problem

VERSION = "1"
BUDGET = 12
TUNING_SEEDS = 2
SEEDS = 15
EVALUATIONS = 50
NEAR = 0.05
"""As good as the best: within this share of the way from it back to the start. For the target of "steps to target" (the
best loss of all), and for how wide a range of learning rates does well (an optimizer's own best score)."""


def seeds(phase: str, problem: Problem, steps: int, batch_size: int, count: int) -> list[int]:
    """Seeds of a phase ("tuning", "judging"): nobody can choose them, and more of them leave the first ones as they are.

    They follow from the protocol's version, the problem with its data, the steps and the batch size, not from the
    list of rules: every rule meets the same starts and the same order of data, and adding one changes no other's.
    """
    text = f"thalweg {VERSION}/{problem.name}/{problem.fingerprint}/{steps}/{batch_size}/{phase}"
    return [int.from_bytes(hashlib.sha256(f"{text}/{i}".encode()).digest()[:4], "big") >> 1 for i in range(count)]


def learning_rates(search: tuple[float, float], budget: int) -> list[float]:
    """`budget` learning rates, quasi-random and log-uniform in the range; more of them leave the first ones as they are."""
    shares = qmc.Halton(d=1, scramble=True, rng=np.random.default_rng(0)).random(budget)[:, 0]
    low, high = np.log(search[0]), np.log(search[1])
    return [float(f"{np.exp(low + share * (high - low)):.6g}") for share in shares]


def evaluated_at(steps: int) -> list[int]:
    """The steps after which a trial is evaluated: 0, about EVALUATIONS in between, the last."""
    return sorted({round(x) for x in np.linspace(0, steps, min(steps, EVALUATIONS) + 1).tolist()})


def sentences(budget: int, judged: int, steps: int, batch_size: int) -> list[str]:
    """The protocol in words, for the report."""
    batch = f" of {batch_size} samples each" if batch_size else ""
    return [
        f"Every optimizer has {budget} trials of its learning rate, drawn quasi-randomly and log-uniformly from the range "
        "that it declares itself; its other hyper-parameters stay at their defaults, and the rate is constant.",
        f"Each trial is {steps} steps{batch}, on {TUNING_SEEDS} tuning seeds. The learning rate with the best median "
        "validation score at the end wins, the lower loss where two are even; a run that diverged counts as the worst. A rule "
        "with a hyper-parameter N, the size of the data set, is told it.",
        f"The winner starts afresh on {judged} other seeds and is judged on test data, which no choice has seen.",
        "A seed fixes the start and the order of the data. The seeds follow from a hash of this protocol, the problem, its data, "
        "the steps and the batch size; all optimizers have the same.",
        "A run has diverged if a loss was not finite, or if both its training and its validation loss ended above their start. "
        "No run is left out.",
        f"The target is a validation loss {NEAR:.0%} of the way from the lowest median that any optimizer here reached back to "
        "the start; so it depends on who takes part.",
        "Step cost is the time of one optimizer step on this problem's parameters, in NumPy, as a multiple of plain "
        "gradient descent's.",
    ]
