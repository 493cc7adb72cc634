"""AdaSmooth: RMSprop whose memory is short on a straight path."""

from thalweg.form.hyper import Decay, Positive
from thalweg.ops import ratio, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0), step=True)
def adasmooth(g, lr, v=0.0, way=0.0, path=0.0, *, rho1: Decay = 0.5, rho2: Decay = 0.99, eps: Positive = 1e-6):
    """AdaSmooth (Lu 2022, arXiv 2204.00825, algorithm 1).

    From rmsprop: the average's memory is short where the steps go straight on and long where they go to and fro.
    The ratio of |way|, the sum of a coordinate's steps, to the path, the sum of their sizes, tells: the new square enters v with
    c^2, c going from 1 - rho2 at a ratio of 0 to 1 - rho1 at 1. The paper's window of M steps is here the run so far.
    """
    c = (rho2 - rho1) * ratio(abs(way), path) + (1 - rho2)
    v = v + c * c * (g * g - v)
    step = lr * g / sqrt(v + eps)
    return step, v, way + step, path + abs(step)
