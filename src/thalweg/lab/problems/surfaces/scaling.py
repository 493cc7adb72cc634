"""f(x) = x² beside the same problem in another unit, f(10 x)."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface


def f(x: Array, y: Array) -> Array:
    return x**2 + (10 * y) ** 2


def df(x: Array, y: Array) -> tuple[Array, Array]:
    return 2 * x, 200 * y


def problem() -> Surface:
    return Surface(
        name="scaling",
        about="f(x) = x² beside f(10 y), two problems at once: the second is the first with its coordinate in another unit, and "
        "starts from a tenth of the number. An optimizer that knows no units walks both alike; the others must make do with one "
        "learning rate for two curvatures, 2 and 200.",
        f=f,
        df=df,
        minima=np.array([[0.0, 0.0]]),
        lowest=0.0,
        window=((-3.5, 3.5), (-0.35, 0.35)),
        start=np.array([3.0, 0.3]),
        box=((-3.0, 3.0), (-0.3, 0.3)),
        steps=100,
    )
