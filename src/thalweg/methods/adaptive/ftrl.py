"""FTRL-Proximal: follow the regularized leader, for sparse linear models."""

from thalweg.form.hyper import NonNegative
from thalweg.ops import ratio, sign, sqrt, where
from thalweg.rule import rule


@rule(lr=1e-1, search=(1e-3, 1e1), step=True)
def ftrl(g, p, lr, z=0.0, n=0.0, *, beta: NonNegative = 1.0, l1: NonNegative = 0.0, l2: NonNegative = 0.0):
    """FTRL (McMahan et al. 2013, KDD, "Ad click prediction: a view from the trenches", algorithm 1): FTRL-Proximal.

    From adagrad: the new point minimizes the sum of all linear losses so far, with an L1 and an L2 penalty.
    AdaGrad's rate is lr / (beta + sqrt(n)). With l1, coordinates are exactly 0 until their gradients sum up to it. The method
    is for parameters that start at 0: one that has had no gradient yet goes there in one step. lr = 0 moves nothing.
    """
    before, n = sqrt(n), n + g * g
    z = z + g - ratio(sqrt(n) - before, lr) * p
    least = ratio(lr * (sign(z) * l1 - z), beta + sqrt(n) + lr * l2)
    return sign(lr) * (p - where(abs(z) <= l1, 0.0, least)), z, n
