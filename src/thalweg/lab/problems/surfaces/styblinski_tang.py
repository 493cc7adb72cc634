"""Styblinski and Tang's function in two coordinates (M. A. Styblinski, T.-S. Tang 1990, Neural Networks 3:467)."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface


def f(x: Array, y: Array) -> Array:
    return (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y) / 2


def df(x: Array, y: Array) -> tuple[Array, Array]:
    return 2 * x**3 - 16 * x + 2.5, 2 * y**3 - 16 * y + 2.5


def problem() -> Surface:
    return Surface(
        name="styblinski_tang",
        about="f(x, y) = ½ Σ (x⁴ − 16x² + 5x) over the coordinates: four basins, the lowest at (−2.90, −2.90), behind low hills.",
        f=f,
        df=df,
        minima=np.array([[-2.903534027771177, -2.903534027771177]]),
        lowest=-78.33233140754283,
        window=((-5.0, 5.0), (-5.0, 5.0)),
        start=np.array([4.5, 4.0]),
        box=((-5.0, 5.0), (-5.0, 5.0)),
        steps=300,
    )
