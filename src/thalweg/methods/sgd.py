"""Gradient descent."""

from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-3, 1e1))
def sgd(g):
    """SGD, gradient descent (Robbins & Monro 1951, Ann. Math. Stat. 22:400, stochastic; Cauchy 1847, C. R. 25:536).

    Batch, mini-batch and online learning are this one rule: they differ in how many samples the gradient is over.
    """
    return g
