"""Himmelblau's function (D. M. Himmelblau 1972, Applied Nonlinear Programming)."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface


def f(x: Array, y: Array) -> Array:
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def df(x: Array, y: Array) -> tuple[Array, Array]:
    a, b = x**2 + y - 11, x + y**2 - 7
    return 4 * x * a + 2 * b, 2 * a + 4 * y * b


def problem() -> Surface:
    return Surface(
        name="himmelblau",
        about="f(x, y) = (x² + y − 11)² + (x + y² − 7)²: four minima, all as low as each other, around a hill.",
        f=f,
        df=df,
        minima=np.array(
            [
                [3.0, 2.0],
                [-2.805118086952745, 3.131312518250573],
                [-3.779310253377747, -3.283185991286169],
                [3.5844283403304917, -1.8481265269644034],
            ]
        ),
        lowest=0.0,
        window=((-5.0, 5.0), (-5.0, 5.0)),
        start=np.array([0.0, 0.0]),
        box=((-5.0, 5.0), (-5.0, 5.0)),
        steps=300,
    )
