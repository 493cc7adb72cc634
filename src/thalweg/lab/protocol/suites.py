"""Suites of problems, by name."""

from __future__ import annotations

from thalweg.form.hyper import nearest
from thalweg.lab.refusal import Refusal

SUITES: dict[str, tuple[str, ...]] = {
    # `small` fits two cores and half an hour: no trials of several seconds, no packages to install.
    "small": (
        "quadratic_1000",  # convex, ill-conditioned, without noise
        "quadratic_noisy",  # convex, with noise
        "turned_rosenbrock",  # a curved valley, without noise
        "logistic",  # convex, real data
        "zipf",  # convex, classes with the frequencies of words
        "diabetes",  # regression
        "digits",  # images, dense layers
        "digits_conv",  # images, convolutions
        "mnist1d",  # curves, three dense layers
        "autoencoder",  # images through a bottleneck
        "photograph",  # an image as a function of coordinates
        "transformer",  # language
    ),
    "tiny": ("quadratic_10", "logistic", "wine"),
}

BUDGET, SEEDS = 8, 5
"""Default tuning trials of a rule on a problem, and default judging seeds."""


def suite(name: str) -> tuple[str, ...]:
    """The names of a suite's problems. Raises Refusal, with the nearest name, for an unknown suite."""
    plain = name.strip().lower().replace("-", "_")
    if plain not in SUITES:
        raise Refusal(f"no suite is called {name!r}; there are {', '.join(SUITES)}{nearest(plain, SUITES)}")
    return SUITES[plain]
