"""Apollo: a quasi-Newton method that keeps the Hessian's diagonal."""

from thalweg.form.hyper import Decay, Positive
from thalweg.ops import maximum, sqrt, total
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-2, 1e2))
def apollo(g, t, m=0.0, B=0.0, d=0.0, *, beta: Decay = 0.9, sigma: Positive = 1.0, eps: Positive = 1e-4):
    """Apollo (Ma 2020, arXiv 2009.13586, algorithm 1): a diagonal B that explains how the average gradient m changed.

    From sgd: |B|, or sigma if that is larger, divides the average gradient m, corrected for its start.
    B changes by as little as fits the weak secant equation along the last direction d, for each tensor. The authors warm the
    rate up over some hundred steps.
    """
    change = (1 - beta) / (1 - beta**t) * (g - m)
    m, squares = m + change, d * d
    size = sqrt(sqrt(total(squares * squares))) + eps
    B = B - total(d * change + B * squares) / (size * size * size * size) * squares
    d = m / maximum(abs(B), sigma)
    return d, m, B, d
