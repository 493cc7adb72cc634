"""Adalite: Adam's averages in Adafactor's memory, the first one of rank one."""

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.form.memory import cols, rows
from thalweg.ops import X, col_means, debias, exp, maximum, mix, norm, row_means, sizes, sqrt, total, where
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@recipe(lr=1e-3, search=(1e-5, 1e-1))
def adalite(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-6, eps2: Positive = 1e-10, tau: Positive = 1.0,
    weight_decay: NonNegative = 0.01,
):  # fmt: skip
    """Adalite (VatsaDev 2024, github.com/VatsaDev/adalite): Adam in the memory of a matrix's rows and columns.

    From adafactor: the gradient is first scaled to its parameter's norm.
    A tensor's gradient first gets its parameter's norm. The decay is decoupled.
    """
    core = choose((is_matrix, adalite_matrix(beta1, beta2, eps, eps2, tau)), otherwise=adalite_vector(beta1, beta2, eps))
    return chain(as_long_as_p(), core.named("adalite", None), decay(weight_decay))


@rule
def as_long_as_p(g, p):
    """Adalite's first stage (VatsaDev 2024, github.com/VatsaDev/adalite): the gradient at its parameter's norm.

    Of a single number it is the gradient itself. The gradient's norm counts as 1e-10 at least, the factor as 1e-4.
    """
    factor = maximum(norm(p) / maximum(norm(g), 1e-10), 1e-4)
    return where(total(1 + 0 * g) > 1, factor, 1 + 0 * factor) * g


@rule
def adalite_matrix(
    g, t, r=rows, c=cols, C=rows, R=cols, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-6,
    eps2: Positive = 1e-10, tau: Positive = 1.0,
):  # fmt: skip
    """Adalite's step of a matrix (VatsaDev 2024, github.com/VatsaDev/adalite).

    v is kept as r c / |r|_1, and m as C R: sums of its rows and columns, weighted by the softmax of v's means, times the factor s
    with which their product is nearest to it. The same softmax says how much of m gives way to the gradient.
    """
    down, across = sizes(g)
    m = mix(C * R, g, beta1)
    v = mix(r * c / maximum(down * col_means(r), eps2), (g - m) * (g - m), beta2)
    of_rows, of_cols = row_means(v), col_means(v)
    m = mix(m, g, by_rows(of_rows, down) * by_cols(of_cols, across))
    step = mix(m, g, beta1) / sqrt(debias(v, beta2, t) + eps)
    r = across * of_rows
    C, R = across * row_means(m * by_cols(of_cols / tau, across)), down * col_means(m * by_rows(of_rows / tau, down))
    along = down * col_means(across * row_means(C * m * R))
    s = along / maximum(down * col_means(C * C) * (across * row_means(R * R)), eps2)
    return step, r, down * of_cols / maximum(down * col_means(r), eps2), s * C, R


def by_rows(x: X, down: X) -> X:
    """The softmax of one number a row."""
    return exp(x) / (down * col_means(exp(x)))


def by_cols(x: X, across: X) -> X:
    """The softmax of one number a column."""
    return exp(x) / (across * row_means(exp(x)))


@rule
def adalite_vector(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-6):
    """Adalite's step of a vector (VatsaDev 2024, github.com/VatsaDev/adalite): an AdaBelief that looks ahead."""
    m = mix(m, g, beta1)
    v = mix(v, (g - m) * (g - m), beta2)
    return mix(m, g, beta1) / sqrt(debias(v, beta2, t) + eps), m, v
