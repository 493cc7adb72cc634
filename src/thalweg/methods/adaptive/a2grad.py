"""A2Grad: accelerated descent whose rate falls with the gradients' deviation from their mean."""

from thalweg.form.hyper import Decay, NonNegative
from thalweg.form.memory import like_p, per_tensor
from thalweg.ops import maximum, sqrt, total
from thalweg.rule import rule


@rule(lr=1e-1, search=(1e-3, 1e1), step=True)
def a2grad_uni(g, t, p, lr, y=like_p, mean=0.0, v=per_tensor, *, beta: NonNegative = 10.0):
    """A2GradUni (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-uni): accelerated, with all deviations alike.

    From nesterov and adagrad: the accelerated step's rate is reduced by the gradients' deviations from their mean.
    lr is 1 / L, L bounding the curvature. The rate of y, the aggressive one of three sequences, is 1 / (2 L / t + beta h): h is
    the root of the sum of a tensor's squared deviations from the mean gradient so far, one number as in torch-optimizer.
    """
    mean, deviation = deviating(g, t, mean)
    v = v + deviation
    step, y = accelerated(g, t, p, lr, y, beta * sqrt(v))
    return step, y, mean, v


@rule(lr=1e-1, search=(1e-3, 1e1), step=True)
def a2grad_inc(g, t, p, lr, y=like_p, mean=0.0, v=per_tensor, *, beta: NonNegative = 10.0):
    """A2GradInc (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-inc): later deviations count for more.

    From a2grad_uni: later deviations count for more.
    As `a2grad_uni`, but the sum is multiplied by ((t - 1) / t)^2 before a deviation enters it.
    """
    mean, deviation = deviating(g, t, mean)
    share = (t - 1) / t
    v = share * share * v + deviation
    step, y = accelerated(g, t, p, lr, y, beta * sqrt(v))
    return step, y, mean, v


@rule(lr=1e-1, search=(1e-3, 1e1), step=True)
def a2grad_exp(
    g, t, p, lr, y=like_p, mean=0.0, v=per_tensor, largest=per_tensor, *, beta: NonNegative = 10.0, rho: Decay = 0.5
):  # fmt: skip
    """A2GradExp (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-exp): an exponential average of the deviations.

    From a2grad_uni: the deviations are averaged with a decay; h is the root of t times the largest average so far.
    """
    mean, deviation = deviating(g, t, mean)
    v = rho * v + (1 - rho) * deviation
    largest = maximum(largest, v)
    step, y = accelerated(g, t, p, lr, y, beta * sqrt(t * largest))
    return step, y, mean, v, largest


def deviating(g, t, mean):
    """Return the mean of all gradients so far, and the squared deviation of the last from it."""
    mean = mean + (g - mean) / t
    away = g - mean
    return mean, total(away * away)


def accelerated(g, t, p, lr, y, damping):
    """Return the step of p, at which the gradient is taken, and the new y: Lan's accelerated stochastic approximation."""
    long = lr / (2 / t + lr * damping) * g
    y = y - long
    return 2 / (t + 2) * (p - y) + t / (t + 2) * 2 / (t + 1) * long, y
