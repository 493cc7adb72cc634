"""The quartic curve on which the sources run all their optimizers."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface


def f(x: Array) -> Array:
    return x**4 - 2 / 3 * x**3 - 8.5 * x**2 - 7.5 * x


def df(x: Array) -> tuple[Array]:
    return (4 * (x + 1.5) * (x + 0.5) * (x - 2.5),)


def problem() -> Surface:
    return Surface(
        name="quartic",
        about="f(x) = x⁴ − 2x³/3 − 17x²/2 − 15x/2, one coordinate. Between the start and the minimum at 2.5 lie a shallow local "
        "minimum at −1.5 and a hill at −0.5. Trials start between −3 and −1.5, pictures at −3.",
        f=f,
        df=df,
        minima=np.array([[2.5]]),
        lowest=-2075 / 48,
        window=((-3.2, 3.8),),
        start=np.array([-3.0]),
        box=((-3.0, -1.5),),
        steps=100,
    )
