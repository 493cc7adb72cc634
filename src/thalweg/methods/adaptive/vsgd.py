"""VSGD: the gradient as it is believed to be, from what is measured of it."""

from typing import Annotated

from thalweg.form.hyper import NonNegative, Positive, Range
from thalweg.ops import mix, sqrt, where
from thalweg.rule import rule

Fading = Annotated[float, Range(0.5, 1, low_in=False)]


@rule(lr=1e-1, search=(1e-3, 1e1))
def vsgd(
    g, t, mu=0.0, b=0.0, b_hat=0.0, *, gamma: Positive = 1e-8, K: Positive = 30.0, kappa1: Fading = 0.81,
    kappa2: Fading = 0.9, delta: NonNegative = 0.0, eps: NonNegative = 0.0,
):  # fmt: skip
    """VSGD (Chen, Kuzina, Esmaeili & Tomczak 2024, arXiv 2404.06549, algorithm 1): variational stochastic gradient descent.

    From rmsprop: the gradient and its noise are estimated by variational inference in place of plain averages.
    mu and s are the mean and the variance of the true gradient. Its changes and the noise of g have the precisions a / b and
    a / b_hat; a prior of strength gamma holds the noise's variance to be K times the changes'.
    Differs from the authors' code: delta=5e-5, which is added to a, and eps=1e-8, beside the root.
    """
    a, old = where(t == 1, gamma, gamma + 0.5) + delta, mu
    change, noisy = (b + where(t == 1, gamma, 0.0)) / a, (b_hat + where(t == 1, K * gamma, 0.0)) / a
    mu, s = (noisy * old + change * g) / (change + noisy), change * noisy / (change + noisy)
    b = mix(b, gamma + 0.5 * (s + (mu - old) * (mu - old)), 1 - t**-kappa1)
    b_hat = mix(b_hat, K * gamma + 0.5 * (s + (mu - g) * (mu - g)), 1 - t**-kappa2)
    return mu / (sqrt(mu * mu + s) + eps), mu, b, b_hat
