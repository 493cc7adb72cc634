"""Suites: problems that are compared on together, by name."""

from __future__ import annotations

from thalweg.form.hyper import nearest
from thalweg.lab.refusal import Refusal

SUITES: dict[str, tuple[str, ...]] = {
    # Without what takes seconds a trial, and without what has to be installed: `small` is for two cores and half an hour.
    "small": (
        "quadratic_1000",  # convex, ill-conditioned, without noise
        "quadratic_noisy",  # convex, with noise
        "turned_rosenbrock",  # a bent valley, without noise
        "logistic",  # convex, real data
        "zipf",  # convex, classes as unequal as words
        "diabetes",  # regression
        "digits",  # images, dense layers
        "digits_conv",  # images, convolutions
        "mnist1d",  # curves, three dense layers
        "autoencoder",  # images drawn again through a bottleneck
        "photograph",  # an image as a function of place
        "transformer",  # language
    ),
    "tiny": ("quadratic_10", "logistic", "wine"),
}

BUDGET, SEEDS = 8, 5
"""Trials of each rule on a problem, and seeds that judge it, unless told."""


def suite(name: str) -> tuple[str, ...]:
    """The names of a suite's problems. Raises Refusal, with the nearest name, where there is no such suite."""
    plain = name.strip().lower().replace("-", "_")
    if plain not in SUITES:
        raise Refusal(f"no suite is called {name!r}; there are {', '.join(SUITES)}{nearest(plain, SUITES)}")
    return SUITES[plain]
