"""Projections of the gradient."""

from thalweg.form.hyper import Fraction, NonNegative, Positive
from thalweg.ops import maximum, mean, norm, ratio, row_means, sign, sizes, sqrt, total, where
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


@rule
def tangent(g, grad, p, *, delta: Positive = 0.1, weight_decay: NonNegative = 0.0, share: Fraction = 0.1):
    """AdamP's projection (Heo et al. 2021, arXiv 2006.08217, section 3): the direction without its radial part.

    For matrices of (outputs, inputs) whose scale a normalization undoes, which shows in a gradient that is orthogonal to them. If
    |cos| is at most delta / sqrt(columns) for each row, the part along each row is taken out; if not, but it is so for the whole
    matrix, the part along that. The decay is then multiplied by share.
    """
    rows, columns = sizes(p)
    touching = abs(row_means(grad * p)) * sqrt(columns) - delta * sqrt(row_means(grad * grad) * row_means(p * p))
    by_row = total(maximum(sign(touching), 0.0)) == 0
    whole = abs(mean(grad * p)) * sqrt(rows * columns) <= delta * sqrt(mean(grad * grad) * mean(p * p))
    along = where(by_row, ratio(row_means(g * p), row_means(p * p)), where(whole, ratio(mean(g * p), mean(p * p)), 0.0))
    decayed = weight_decay * p
    return g - along * p + where(by_row | whole, share * decayed, decayed)
