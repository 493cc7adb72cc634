"""Filters of the gradients' sequence, in front of a rule."""

from thalweg.form.hyper import Decay, NonNegative
from thalweg.ops import mix, where
from thalweg.rule import rule


@rule
def grokfast(g, t, mu=0.0, *, alpha: Decay = 0.98, lamb: NonNegative = 2.0):
    """Grokfast-EMA (Lee, Kang, Kim & Lee 2024, arXiv 2405.20233, algorithm 3): slow components of the gradients, amplified.

    Adds lamb times the average of the gradients, which starts at the first, as in the authors' code. `chain(grokfast(), adam())`.
    """
    mu = where(t == 1, g, mix(mu, g, alpha))
    return g + lamb * mu, mu


@rule
def gradient_correction(g, previous=0.0, *, gamma: NonNegative = 0.025, beta: Decay = 0.95):
    """MARS' scaled gradient correction (Yuan, Liu, Wu, Zhou & Gu 2024, arXiv 2411.10438, equation 2.3, the approximate form).

    Adds gamma beta / (1 - beta) times the change of the gradient, so that an average over beta, behind it, varies less. The
    previous gradient is of the previous batch; before the first it is 0, as in the authors' code.
    """
    return g + gamma * beta / (1 - beta) * (g - previous), g
