"""AdaDelta."""

from thalweg.form.hyper import Decay, Positive
from thalweg.ops import mix, sqrt
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-2, 1e2))
def adadelta(g, v=0.0, u=0.0, *, rho: Decay = 0.95, eps: Positive = 1e-6):
    """AdaDelta (Zeiler 2012, arXiv 1212.5701, algorithm 1).

    From adagrad: the sum of squares becomes a decaying average, and an average of past steps takes the rate's place.
    A learning rate of 1 is the paper's rule; the memory u holds the steps before that rate.
    """
    v = mix(v, g * g, rho)
    delta = sqrt(u + eps) / sqrt(v + eps) * g
    u = mix(u, delta * delta, rho)
    return delta, v, u
