"""PNM: momentum minus older momentum, whose noise is that of the sum."""

from thalweg.form.hyper import Decay, NonNegative
from thalweg.ops import mix, sqrt
from thalweg.rule import rule


@rule(lr=1e-1, search=(1e-3, 1e1))
def pnm(g, m=0.0, older=0.0, *, beta0: NonNegative = 1.0, beta1: Decay = 0.9):
    """PNM (Xie, Yuan, Zhu & Sugiyama 2021, arXiv 2103.17182, algorithm 1): positive-negative momentum.

    From momentum: two momenta take turns, and the step is a positive multiple of one less a multiple of the other.
    m averages this step's gradient and every second one before it, older averages the others. The step is (1 + beta0) m -
    beta0 older over the norm of these two weights, so that the noise of the gradients counts for more than their mean.
    """
    return positive_negative(g, m, older, beta0, beta1)


def positive_negative(g, m, older, beta0, beta1):
    """Return the normalized difference of the two averages, and the averages."""
    m, older = mix(older, g, beta1 * beta1), m
    return ((1 + beta0) * m - beta0 * older) / sqrt((1 + beta0) ** 2 + beta0**2), m, older
