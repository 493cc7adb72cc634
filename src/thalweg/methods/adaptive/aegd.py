"""AEGD: gradient descent whose rates fall with an energy."""

from thalweg.form.hyper import NonNegative
from thalweg.ops import sqrt, where
from thalweg.rule import rule


@rule(lr=1e-1, search=(1e-3, 1e1), step=True)
def aegd(g, t, loss, lr, r=0.0, *, c: NonNegative = 1.0):
    """AEGD (Liu & Tian 2020, arXiv 2010.05109, algorithm 1): adaptive gradient descent with energy.

    From sgd: each coordinate's rate is an energy, tied to the loss, that can only fall.
    v is the gradient of sqrt(loss + c), where loss + c has to be positive. A coordinate's energy r starts at that root, and falls
    whatever the rate is. Its 2 r v is about the gradient as long as r is about the root.
    """
    root = sqrt(loss + c)
    v = g / (2 * root)
    r = where(t == 1, root, r) / (1 + 2 * lr * v * v)
    return 2 * lr * r * v, r
