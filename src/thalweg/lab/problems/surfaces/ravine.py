"""A ravine: a quadratic a hundred times as steep across as along, and rotated against the axes."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface


def f(x: Array, y: Array) -> Array:
    along, across = 0.8 * x + 0.6 * y, 0.8 * y - 0.6 * x
    return (along**2 + 100 * across**2) / 2


def df(x: Array, y: Array) -> tuple[Array, Array]:
    along, across = 0.8 * x + 0.6 * y, 0.8 * y - 0.6 * x
    return 0.8 * along - 60 * across, 0.6 * along + 80 * across


def problem() -> Surface:
    return Surface(
        name="ravine",
        about="f = (u² + 100 v²) / 2, with u and v the coordinates turned by 37°: a ravine with condition number 100, which "
        "scaling each coordinate on its own cannot straighten. The minimum is at (0, 0).",
        f=f,
        df=df,
        minima=np.array([[0.0, 0.0]]),
        lowest=0.0,
        window=((-3.0, 3.0), (-3.0, 3.0)),
        start=np.array([-2.5, -1.0]),
        box=((-3.0, 3.0), (-3.0, 3.0)),
        steps=300,
    )
