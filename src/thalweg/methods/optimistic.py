"""Optimistic gradient descent, for games."""

from thalweg.hyper import NonNegative
from thalweg.ops import where
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-3, 1e1))
def optimistic_gd(g, t, previous=0.0, *, alpha: NonNegative = 1.0, beta: NonNegative = 1.0):
    """Optimistic gradient descent (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, optimistic mirror descent).

    The step is alpha g + beta (g - the previous g), in the paper both 1: as if the gradient changed once more as it did.
    Two players who descend so meet at a saddle point, where gradient descent circles. At first nothing has changed: the
    run begins with two equal points, as optax has it too.
    """
    return alpha * g + beta * (g - where(t == 1, g, previous)), g
