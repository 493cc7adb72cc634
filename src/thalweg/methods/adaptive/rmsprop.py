"""RMSprop and its descendants: Graves' centred form, and SMORMS3."""

from typing import Literal

from thalweg.form.hyper import Decay, EpsOrZero, Positive
from thalweg.ops import maximum, minimum, mix, outside, over_root, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def rmsprop(
    g, grad, v=0.0, m=0.0, *, rho: Decay = 0.9, eps: EpsOrZero = outside(1e-8), centred: bool = False,
    accumulate: Literal["arriving", "raw"] = "arriving",
):  # fmt: skip
    """RMSprop (Tieleman & Hinton 2012, Coursera, Neural networks for machine learning, lecture 6.5).

    From adagrad and rprop: the sum of squares becomes a decaying average, so that the rate does not fall forever.
    The lecture has no epsilon. centred=True divides by the gradient's spread instead of its size. With momentum:
    `chain(rmsprop(), momentum())`, and `chain(rmsprop(), nesterov())` for Goodfellow et al. 2016, algorithm 8.6.
    With its average corrected for the start at zero it is `adam(beta1=0)`, which then keeps no m.
    Differs from Keras and optax: they put eps inside the root; TensorFlow 1 starts v at 1.
    """
    x = g if accumulate == "arriving" else grad
    v = mix(v, x * x, rho)
    if not centred:
        return over_root(g, v, eps), v, m
    m = mix(m, x, rho)
    return over_root(g, maximum(v - m * m, 0.0), eps), v, m


@rule(lr=1e-4, search=(1e-5, 1e-1), step=True)
def rmsprop_graves(g, lr, n=0.0, m=0.0, delta=0.0, *, rho: Decay = 0.95, mu: Decay = 0.9, eps: Positive = 1e-4):
    """RMSprop as Graves has it (2013, arXiv 1308.0850, equations 38-45): centred, with momentum, eps inside the root.

    From rmsprop and momentum: the average gradient is subtracted from the mean square, and momentum added.
    """
    n = mix(n, g * g, rho)
    m = mix(m, g, rho)
    delta = mu * delta + lr * g / sqrt(n - m * m + eps)
    return delta, n, m, delta


@rule(lr=1e-3, search=(1e-4, 1e0), step=True)
def smorms3(g, lr, mem=1.0, g1=0.0, g2=0.0, *, eps: Positive = 1e-16):
    """SMORMS3 (Funk 2015, "RMSprop loses to SMORMS3 - Beware the Epsilon!", sifter.org/~simon/journal/20150420.html).

    From rmsprop: the average's memory is short where the gradient has a clear direction, long where it is noise.
    """
    r = 1 / (mem + 1)
    g1 = mix(g1, g, 1 - r)
    g2 = mix(g2, g * g, 1 - r)
    x = g1 * g1 / (g2 + eps)
    mem = 1 + mem * (1 - x)
    return g * minimum(lr, x) / (sqrt(g2) + eps), mem, g1, g2
