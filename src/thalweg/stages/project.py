"""Projections of the gradient."""

from thalweg.ops import norm, ratio, row_means, total
from thalweg.rule import rule


@rule
def centralize(g):
    """Gradient centralization (Yong, Huang, Hua & Zhang 2020, arXiv 2004.01461, equation 1): each row without its mean.

    For matrices of (outputs, inputs), in front of a rule: `chain(only(is_matrix, centralize()), adam())`.
    """
    return g - row_means(g)


@rule
def orthograd(g, p, *, keep_norm: bool = False):
    """OrthoGrad (Prieto, Barsbey, Mediano & Birdal 2025, arXiv 2501.04697, equation 8): the gradient orthogonal to its tensor.

    The part along the parameter, which only scales the logits, is taken out: `chain(orthograd(), adam())`. keep_norm=True gives
    the rest the norm of the whole. One number has no orthogonal part: `only(is_matrix, orthograd())`.
    Differs from the authors' code: keep_norm=True.
    """
    rest = g - ratio(total(g * p), total(p * p)) * p
    return ratio(norm(g), norm(rest)) * rest if keep_norm else rest
