"""Clipping."""

from thalweg.form.hyper import Positive
from thalweg.ops import minimum
from thalweg.rule import rule


@rule
def clip(g, gnorm, *, max_norm: Positive = 1.0):
    """Clipping by the global norm (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1).

    Scales the directions so that their norm over the whole model is at most max_norm; a smaller norm stays unchanged.
    """
    return g * minimum(1.0, max_norm / gnorm)
