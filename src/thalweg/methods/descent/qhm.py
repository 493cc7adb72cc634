"""QHM: the gradient and its average, mixed."""

from thalweg.form.hyper import Decay, Fraction
from thalweg.ops import mix
from thalweg.rule import rule


@rule(lr=1e-1, search=(1e-3, 1e1))
def qhm(g, m=0.0, *, nu: Fraction = 0.7, beta: Decay = 0.999):
    """QHM (Ma & Yarats 2019, arXiv 1810.06801, algorithm QHM): quasi-hyperbolic momentum.

    From momentum: the step is a weighted mean of the average and the new gradient.
    nu is the share of the average m, which is not corrected for its start at 0; the rest is the gradient. The defaults are those
    that the authors recommend. nu = 0 is SGD, nu = 1 momentum with dampening, and nu = beta Nesterov's method with dampening.
    """
    m = mix(m, g, beta)
    return mix(m, g, nu), m
