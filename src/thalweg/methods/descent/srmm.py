"""SRMM: from the average of the points along the average of the gradients."""

from thalweg.form.hyper import Fraction
from thalweg.form.memory import like_p
from thalweg.ops import mix
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def srmm(g, t, p, lr, m=0.0, centre=like_p, *, beta: Fraction = 0.5):
    """SRMM (Lyu 2022, arXiv 2201.01652, algorithm 1, with quadratic surrogates): averaged points, averaged gradients.

    From asgd: both the points and the gradients are averaged, with weights that favour the newest.
    The t-th point q has the weight t^-beta; the average of f(q) + <g, x - q> + |x - q|^2 / (2 lr) is least at centre - lr m.
    Differs from the authors' code: its average of points starts at 0, and each new point overwrites it (variants.srmm_in_place).
    """
    weight = t**-beta
    m = mix(m, g, 1 - weight)
    centre = centre + weight * (p - centre)
    return p - centre + lr * m, m, centre
