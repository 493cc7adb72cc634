"""Gradient descent, plain and with noise."""

from thalweg.form.hyper import NonNegative
from thalweg.ops import sqrt
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-3, 1e1))
def sgd(g):
    """SGD, gradient descent (Robbins & Monro 1951, Ann. Math. Stat. 22:400, stochastic; Cauchy 1847, C. R. 25:536).

    Batch, mini-batch and online learning all use this rule; they differ in the number of samples in the gradient.
    """
    return g


@rule(lr=1e-2, search=(1e-3, 1e1))
def noisy_sgd(g, t, noise, *, eta: NonNegative = 0.01, gamma: NonNegative = 0.55):
    """SGD with gradient noise (Neelakantan et al. 2015, arXiv 1511.06807, equation 1): normal draws that fade away.

    From sgd: normal draws whose variance fades with time are added to the gradient.
    Their variance is eta / t^gamma with t = 1 at the first step: the paper counts from 0, and has 1 + t. Its eta is one of
    0.01, 0.3 and 1. optax.noisy_sgd is the same but for the draws. A draw belongs to the rule's name, the parameter and t,
    so that two in a chain add the same noise: one with four times the eta.
    """
    return g + sqrt(eta / t**gamma) * noise
