"""Rastrigin's function in two coordinates (L. A. Rastrigin 1974)."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface
from thalweg.ops import cos


def f(x: Array, y: Array) -> Array:
    waves: Array = cos(2 * np.pi * x) + cos(2 * np.pi * y)
    return 20 + x**2 + y**2 - 10 * waves


def df(x: Array, y: Array) -> tuple[Array, Array]:
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x), 2 * y + 20 * np.pi * np.sin(2 * np.pi * y)


def problem() -> Surface:
    return Surface(
        name="rastrigin",
        about="f(x, y) = 20 + x² + y² − 10 (cos 2πx + cos 2πy): a bowl full of dents, a local minimum near every pair of "
        "integers. The lowest is at (0, 0); who follows the gradient alone stays in the first dent.",
        f=f,
        df=df,
        minima=np.array([[0.0, 0.0]]),
        lowest=0.0,
        window=((-5.12, 5.12), (-5.12, 5.12)),
        start=np.array([3.3, -2.4]),
        box=((-5.12, 5.12), (-5.12, 5.12)),
        steps=500,
    )
