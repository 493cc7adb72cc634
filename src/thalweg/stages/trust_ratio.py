"""The trust ratio: steps scaled to the norm of the parameter."""

import math

from thalweg.form.hyper import NonNegative, Positive
from thalweg.ops import X, clip, norm, off, ratio, where
from thalweg.rule import rule


@rule
def trust_ratio(
    g, p, *, low: NonNegative = 0.0, high: Positive = math.inf, coefficient: Positive = 1.0, eps: NonNegative = 0.0,
):  # fmt: skip
    """The trust ratio (You et al. 2019, arXiv 1904.00962, algorithm 2): each tensor's step made as long as the tensor.

    Multiplies the direction by phi(|p|) / |g|, where phi clips to [low, high]; if phi(|p|) or |g| is 0, the direction stays
    unchanged. coefficient multiplies the ratio, as in LARS, and eps is added to |g|.
    `chain(adam(), decay(0.01), trust_ratio())` is LAMB, `chain(sgd(), trust_ratio())` a normalized descent.
    """
    size, step = clip(norm(p), low, high), norm(g)
    beside = (size == 0) | (step == 0)
    return g * where(beside, 1.0, ratio(coefficient * size, step if off(eps) else step + eps))


def trust(size: X, step: X) -> X:
    """Return size / step, or 1 if either is 0, as in the authors' code; in the papers a tensor at 0 would stay at 0."""
    return where((size == 0) | (step == 0), 1.0, ratio(size, step))
