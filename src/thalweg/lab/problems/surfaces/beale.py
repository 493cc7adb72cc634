"""Beale's function (E. M. L. Beale 1958; number 5 of Moré, Garbow and Hillstrom 1981, ACM TOMS 7:17)."""

import numpy as np

from thalweg.lab.data.surface import Array, Surface


def f(x: Array, y: Array) -> Array:
    a, b, c = _residuals(x, y)
    return a**2 + b**2 + c**2


def df(x: Array, y: Array) -> tuple[Array, Array]:
    a, b, c = _residuals(x, y)
    dx = 2 * (a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1))
    dy = 2 * x * (a + 2 * b * y + 3 * c * y**2)
    return dx, dy


def _residuals(x: Array, y: Array) -> tuple[Array, Array, Array]:
    return 1.5 - x * (1 - y), 2.25 - x * (1 - y**2), 2.625 - x * (1 - y**3)


def problem() -> Surface:
    return Surface(
        name="beale",
        about="f(x, y) = Σ (cₖ − x (1 − yᵏ))², c = 1.5, 2.25, 2.625: plains beside steep walls, where one learning rate is too "
        "small and too large at once. The minimum is at (3, 0.5); along y = 1 there is a plain without one.",
        f=f,
        df=df,
        minima=np.array([[3.0, 0.5]]),
        lowest=0.0,
        window=((-4.5, 4.5), (-4.5, 4.5)),
        start=np.array([1.0, 1.0]),  # Moré, Garbow and Hillstrom's
        box=((-2.0, 2.0), (-2.0, 2.0)),
        steps=1000,
    )
