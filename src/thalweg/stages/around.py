"""Stages around the step: methods that take several gradients."""

from thalweg.form.hyper import Positive
from thalweg.ops import maximum, norm
from thalweg.rule import around


@around
def sam(p, *, rho: Positive = 0.05):
    """Sharpness-aware minimization (Foret et al. 2021, arXiv 2010.01412, algorithm 1).

    `chain(sam(), sgd())`, stepped with `grad_fn=`: takes the gradient at the worst point within rho, to first order.
    """
    _, g = yield p
    _, g = yield p + rho * g / maximum(norm(g), 1e-12)  # the authors' guard for a zero gradient
    return g
