"""Optimistic gradient descent and Adam, for games."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, NonNegative
from thalweg.methods.moments.adam import adam
from thalweg.ops import outside, where
from thalweg.rule import recipe, rule


@rule(lr=1e-2, search=(1e-3, 1e1))
def optimistic_gd(g, t, previous=0.0, *, alpha: NonNegative = 1.0, beta: NonNegative = 1.0):
    """Optimistic gradient descent (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, optimistic mirror descent).

    The step is alpha g + beta (g - the previous g), in the paper both 1: as if the gradient changed once more as it did.
    Two players who descend so meet at a saddle point, where gradient descent circles. At first nothing has changed: the
    run begins with two equal points, as optax has it too.
    """
    return alpha * g + beta * (g - where(t == 1, g, previous)), g


@recipe(lr=1e-3, search=(1e-5, 1e-1))
def optimistic_adam(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), alpha: NonNegative = 1.0, beta: NonNegative = 1.0
):
    """Optimistic Adam (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, algorithm 1): 2 Adam's step - the last.

    alpha and beta are optimistic_gd's, of Adam's direction instead of the gradient. The first direction counts as the one
    before it too; the algorithm leaves that open, its quotient being 0 / 0 there.
    Differs from optax: it has Nadam in Adam's place, `chain(nadam(0.9, schedule=False, nu_factor=False), optimistic_gd())`,
    unless nesterov=False; and optimistic_adam, unlike optimistic_adam_v2, multiplies beta by no rate.
    """
    return chain(adam(beta1, beta2, eps), optimistic_gd(alpha, beta))
