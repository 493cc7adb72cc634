"""Optimistic gradient descent and Adam, for games."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, NonNegative
from thalweg.methods.moments.adam import adam
from thalweg.ops import outside, where
from thalweg.rule import recipe, rule


@rule(lr=1e-2, search=(1e-3, 1e1))
def optimistic_gd(g, t, previous=0.0, *, alpha: NonNegative = 1.0, beta: NonNegative = 1.0):
    """Optimistic gradient descent (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, optimistic mirror descent).

    From sgd: the change since the previous gradient is added, as a guess of the next one.
    The step is alpha g + beta (g - the previous g), with alpha = beta = 1 in the paper: it assumes that the gradient changes by
    the same amount again. In games of two players it can converge to a saddle point around which gradient descent circles. In
    the first step, the previous g is g itself, as in optax.
    """
    return alpha * g + beta * (g - where(t == 1, g, previous)), g


@recipe(lr=1e-3, search=(1e-5, 1e-1))
def optimistic_adam(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), alpha: NonNegative = 1.0, beta: NonNegative = 1.0
):
    """Optimistic Adam (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, algorithm 1): 2 Adam's step - the last.

    From adam and optimistic_gd: twice Adam's step, less the previous one; alpha and beta are those of optimistic_gd.
    In the first step the previous direction is the direction itself; the algorithm leaves this open, with a quotient of 0 / 0.
    Differs from optax: it has Nadam in place of Adam, `chain(nadam(0.9, schedule=False, nu_factor=False), optimistic_gd())`,
    unless nesterov=False; and optimistic_adam, unlike optimistic_adam_v2, does not multiply beta by the rate.
    """
    return chain(adam(beta1, beta2, eps), optimistic_gd(alpha, beta))
