"""CAME: Adafactor's factored second moment, with momentum that a second factored average holds back where it wavers."""

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.form.memory import cols, rows
from thalweg.methods.matrices.adafactor import clipped
from thalweg.ops import X, col_means, mix, ratio, row_means, sqrt
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@recipe(lr=2e-4, search=(1e-5, 1e-1))
def came(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, beta3: Decay = 0.9999, eps1: NonNegative = 1e-30, eps2: NonNegative = 1e-16,
    d: Positive = 1.0, weight_decay: NonNegative = 0.0,
):  # fmt: skip
    """CAME (Luo, Ren, Zheng, Jiang, Jiang & You 2023, arXiv 2307.02047, algorithm 2): confidence in a memory-efficient Adam.

    From adafactor: a factored measure of how far steps differ from their average divides them once more.
    It is for matrices, a tensor's last two axes; vectors have, as in the authors' code, no confidence. The decay is decoupled.
    """
    rest = came_vector(beta1, beta2, eps1, d)
    return chain(choose((is_matrix, came_matrix(beta1, beta2, beta3, eps1, eps2, d)), otherwise=rest), decay(weight_decay))


@rule
def came_matrix(
    g, m=0.0, r=rows, c=cols, R=rows, C=cols, *, beta1: Decay = 0.9, beta2: Decay = 0.999, beta3: Decay = 0.9999,
    eps1: NonNegative = 1e-30, eps2: NonNegative = 1e-16, d: Positive = 1.0,
):  # fmt: skip
    """CAME's step of a matrix (Luo, Ren, Zheng, Jiang, Jiang & You 2023, arXiv 2307.02047, algorithm 2).

    u is the gradient over the root of its mean square, as rows r and columns c have it, with an RMS of d at most. Its average m
    is the step, over the root of the mean square of their distance, which R and C have.
    """
    r, c = mix(r, row_means(g * g + eps1), beta2), mix(c, col_means(g * g + eps1), beta2)
    u = clipped(ratio(g, sqrt(product(r, c))), d)
    m = mix(m, u, beta1)
    away = (u - m) * (u - m) + eps2
    R, C = mix(R, row_means(away), beta3), mix(C, col_means(away), beta3)
    return ratio(m, sqrt(product(R, C))), m, r, c, R, C


@rule
def came_vector(g, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps1: NonNegative = 1e-30, d: Positive = 1.0):
    """CAME's step of a vector (Luo, Ren, Zheng, Jiang, Jiang & You 2023, arXiv 2307.02047, the authors' code)."""
    v = mix(v, g * g + eps1, beta2)
    m = mix(m, clipped(ratio(g, sqrt(v)), d), beta1)
    return m, m, v


def product(r: X, c: X) -> X:
    """Return the matrix of rank one that has these means of rows and columns."""
    return ratio(r, col_means(r)) * c
