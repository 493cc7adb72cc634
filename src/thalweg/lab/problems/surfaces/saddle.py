"""A saddle, announced but not used by one of the sources."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface


def f(x: Array, y: Array) -> Array:
    return x**2 - y**2 + y**4 / 4


def df(x: Array, y: Array) -> tuple[Array, Array]:
    return 2 * x, y**3 - 2 * y


def problem() -> Surface:
    return Surface(
        name="saddle",
        about="f(x, y) = x² − y² + y⁴/4: a saddle at (0, 0) between two minima at (0, ±√2). Trials start on the ridge, where the "
        "way down is at most 0.05 aside: who leaves the saddle late ends late.",
        f=f,
        df=df,
        minima=np.array([[0.0, np.sqrt(2)], [0.0, -np.sqrt(2)]]),
        lowest=-1.0,
        window=((-2.0, 2.0), (-2.2, 2.2)),
        start=np.array([1.5, 0.01]),
        box=((-2.0, 2.0), (-0.05, 0.05)),
        steps=100,
    )
