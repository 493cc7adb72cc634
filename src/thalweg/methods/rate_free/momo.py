"""MoMo: momentum with a rate from a model of the loss."""

import math
from typing import NamedTuple

from thalweg.form.hyper import Decay, EpsOrZero, LeastLoss, NonNegative
from thalweg.form.memory import per_model
from thalweg.ops import X, maximum, minimum, mix, model_total, off, outside, over_debiased_root, ratio, where
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def momo(
    g, t, p, loss, lr, d=0.0, f_bar=per_model(math.inf), gamma=per_model, low=per_model(-math.inf), *,
    beta: Decay = 0.9, fstar: LeastLoss = 0.0, weight_decay: NonNegative = 0.0, estimate: bool = False,
):  # fmt: skip
    """MoMo (Schaipp, Ohana, Eickenberg, Defazio & Gower 2023, arXiv 2305.07583, algorithm 1): momentum and a model's rate.

    From polyak_sgd and momentum: the rate comes from averages of losses and gradients, not from one batch alone.
    The averages of losses and gradients form a linear model of the loss. The step goes to the point where the model is f*, the
    smallest possible loss, with a rate of at most lr. estimate: the smallest loss is estimated along the way, and f* is a lower
    bound on it (MoMo*).
    Differs from optax: with weight_decay, it does not shrink the step along with the parameter.
    """
    first = f_bar == math.inf
    d = where(t == 1, g, mix(d, g, beta))
    f_bar = where(first, loss, mix(f_bar, loss, beta))
    slope = model_total(g * p)
    gamma = where(first, slope, mix(gamma, slope, beta))
    line = Line(f_bar - gamma, model_total(d * p), model_total(d * d))
    shrinking = 0.0 if off(weight_decay) else lr * weight_decay
    tau, low = to_the_bound(line, low, lr, 1.0, fstar, shrinking, estimate)
    return proximal(tau * d, p, shrinking), d, f_bar, gamma, low


@rule(lr=1e-2, search=(1e-3, 1e1), step=True)
def momo_adam(
    g, t, p, loss, lr, d=0.0, v=0.0, f_bar=per_model, gamma=per_model, low=per_model(-math.inf), *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: EpsOrZero = outside(1e-8), fstar: LeastLoss = 0.0,
    weight_decay: NonNegative = 0.0, estimate: bool = False,
):  # fmt: skip
    """MoMo-Adam (Schaipp, Ohana, Eickenberg, Defazio & Gower 2023, arXiv 2305.07583, algorithm 2): MoMo in Adam's metric.

    From momo and adam: the model's distances are measured as Adam scales the coordinates.
    The rate is that of MoMo's linear model, at most lr / (1 - beta1^t). The options are those of MoMo.
    Differs from optax: with weight_decay, it does not shrink the step along with the parameter.
    """
    d = mix(d, g, beta1)
    v = mix(v, g * g, beta2)
    f_bar = mix(f_bar, loss, beta1)
    gamma = mix(gamma, model_total(g * p), beta1)
    step = over_debiased_root(d, v, beta2, t, eps)
    rho = 1 - beta1**t
    line = Line(f_bar - gamma, model_total(d * p), model_total(d * step))
    shrinking = 0.0 if off(weight_decay) else lr * weight_decay
    tau, low = to_the_bound(line, low, lr, rho, fstar, shrinking, estimate)
    return proximal(tau * step, p, shrinking), d, v, f_bar, gamma, low


class Line(NamedTuple):
    """The averaged linear model of the loss: height + inner at the parameters, `square` less per unit of tau along d."""

    height: X
    inner: X
    square: X


def to_the_bound(averaged: Line, low: X, lr: X, rho: X, fstar: X, shrinking: X, estimate: bool) -> tuple[X, X]:
    """Return how far along d the averaged line reaches the least loss, at most lr; and the estimate of that loss.

    rho: the weights in the averages, which put lr and losses on the averages' scale.
    """
    height, inner, square = averaged
    grown = 1 + shrinking
    least = fstar
    if estimate:
        low = maximum(low, fstar)
        line = grown * height + inner
        least = where(line < grown * rho * low, maximum(line / (2 * grown * rho), fstar), low)
    tau = minimum(lr / rho, ratio(maximum(grown * (height - rho * least) + inner, 0.0), square))
    return tau, maximum((height + inner - 0.5 * tau * square) / rho, fstar) if estimate else low


def proximal(step: X, p: X, shrinking: X) -> X:
    """Return the step from p to (p - step) / (1 + shrinking), where the sum of model and weight-decay penalty is least."""
    return step if off(shrinking) else (step + shrinking * p) / (1 + shrinking)
