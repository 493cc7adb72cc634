"""KATE: AdaGrad without the root in the divisor."""

from thalweg.form.hyper import NonNegative
from thalweg.ops import ratio, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def kate(g, b=0.0, m=0.0, *, eta: NonNegative = 0.9, eps: NonNegative = 1e-8):
    """KATE (Choudhury, Tupitsa, Loizou, Horvath, Takac & Gorbunov 2024, arXiv 2403.02648, algorithm 1), with 0/0 = 0 if eps = 0.

    From adagrad: the root is left out, and the numerator grows to make up, so that units of a coordinate do not matter.
    b and m hold the squares of the paper's. With eta = 0 a coordinate measured in other units walks the same way.
    eps, beside b, is the authors' code's: the paper has none, so that the first step is about lr / g, however small g is.
    """
    square = g * g
    b = b + square
    m = m + eta * square + ratio(square, b + eps)
    return ratio(sqrt(m) * g, b + eps), b, m
