"""Rosenbrock's valley (H. H. Rosenbrock 1960, The Computer Journal 3:175)."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface


def f(x: Array, y: Array) -> Array:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def df(x: Array, y: Array) -> tuple[Array, Array]:
    return -2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)


def problem() -> Surface:
    return Surface(
        name="rosenbrock",
        about="f(x, y) = (1 − x)² + 100 (y − x²)²: a narrow bent valley, easy to find and slow to follow to its "
        "minimum at (1, 1).",
        f=f,
        df=df,
        minima=np.array([[1.0, 1.0]]),
        lowest=0.0,
        window=((-2.0, 2.0), (-1.0, 3.0)),
        start=np.array([-1.2, 1.0]),  # Rosenbrock's own
        box=((-2.0, 2.0), (-1.0, 3.0)),
        steps=1000,
    )
