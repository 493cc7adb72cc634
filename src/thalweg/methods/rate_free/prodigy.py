"""D-Adaptation and Prodigy: the rate is a growing lower bound on the distance to the solution."""

from typing import Literal

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.form.memory import like_p, per_model
from thalweg.ops import X, maximum, mix, model_total, off, ratio, sqrt, where
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def prodigy(
    g, t, p, lr, x0=like_p, m=0.0, v=0.0, s=0.0, r=per_model, d=per_model, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8, d0: Positive = 1e-6, d_coef: Positive = 1.0,
    weight_decay: NonNegative = 0.0, bias_correction: bool = False, safeguard_warmup: bool = False,
    eps_by: Literal["d", "next d"] = "d", beta3: Decay = 0.0,
):  # fmt: skip
    """Prodigy (Mishchenko & Defazio 2023, arXiv 2306.06101, algorithm 4): Adam at a rate that it finds by itself.

    From dadapt_adam: the gradients are weighted by the square of the estimated distance, which then grows faster.
    d is the largest estimate so far of the distance to the solution, starting at d0, and the rate is lr d, where lr is 1 or a
    schedule. The options are those of the authors' code: d_coef, a factor of the estimates; weight_decay, decoupled, at the rate
    lr d; bias_correction, of the rate, also in the estimates; safeguard_warmup, which leaves lr out of the estimates'
    denominator; eps_by, the d that multiplies eps; beta3, the decay of the estimates, where 0 means the paper's sqrt(beta2).
    Differs from the authors' code: it has eps_by="next d". Differs from optax: it has that, and bias_correction=True.
    """
    d = maximum(d, d0)
    rate = d * lr * corrected(beta1, beta2, t) if bias_correction else d * lr
    beta3 = where(beta3 == 0, sqrt(beta2), beta3)
    m = mix(m, d * g, beta1)
    v = mix(v, d * d * g * g, beta2)
    r = beta3 * r + (1 - beta3) * model_total(rate * d * g * (x0 - p))
    s = beta3 * s + (1 - beta3) * (d if safeguard_warmup else rate) * d * g
    found = maximum(d, d_coef * ratio(r, model_total(abs(s))))
    step = ratio(m, sqrt(v) + (d if eps_by == "d" else found) * eps)
    return rate * decayed(step, p, weight_decay), x0, m, v, s, r, found


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def dadapt_adam(
    g, t, p, lr, m=0.0, v=0.0, s=0.0, r=per_model, d=per_model, *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8, d0: Positive = 1e-6, weight_decay: NonNegative = 0.0,
    bias_correction: bool = False, metric: Literal["new", "old"] = "new",
):  # fmt: skip
    """DAdapt-Adam (Defazio & Mishchenko 2023, arXiv 2301.07733, Adam with D-Adaptation): Adam at a rate that it finds by itself.

    From adam and dadapt_sgd: Adam at a rate that is a growing lower bound on the distance to the solution.
    As in Prodigy, its successor, the rate is lr d, where d is the largest lower bound so far on the distance to the solution;
    here d is inside the momentum. The options are those of the authors' code: weight_decay, decoupled, at the rate lr d;
    bias_correction, of the rate; metric, whether the inner product from which d is estimated is divided by the root of the new or
    of the old v.
    Differs from the authors' code: it has metric="old". Differs from optax: it has that, and bias_correction=True.
    """
    d = maximum(d, d0)
    rate = d * lr * corrected(beta1, beta2, t) if bias_correction else d * lr
    beta = sqrt(beta2)
    before = sqrt(v) + eps
    m = mix(m, rate * g, beta1)
    v = mix(v, g * g, beta2)
    a = sqrt(v) + eps
    r = mix(r, model_total(ratio(rate * g * s, a if metric == "new" else before)), beta)
    s = mix(s, rate * g, beta)
    found = maximum(d, ratio(r, (1 - beta) * model_total(abs(s))))
    return decayed(ratio(m, a), rate * p, weight_decay), m, v, s, r, found


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def dadapt_sgd(
    g, p, gnorm, lr, z=like_p, s=0.0, r=per_model, G=per_model, d=per_model, *, beta: Decay = 0.9, d0: Positive = 1e-6
):  # fmt: skip
    """DAdapt-SGD (Defazio & Mishchenko 2023, arXiv 2301.07733, SGD with D-Adaptation): momentum at a rate it finds by itself.

    From momentum: the rate is lr d / G, where d is a growing lower bound on the distance to the solution.
    G is the norm of the first gradient. The steps update z, and the parameter is a running average of z.
    """
    d = maximum(d, d0)
    G = where(G == 0, gnorm, G)
    rate = ratio(d * lr, G)
    r = r + rate * model_total(g * s)
    s = s + rate * g
    z = z - rate * g
    found = maximum(d, ratio(2 * r, sqrt(model_total(s * s))))
    return (1 - beta) * (p - z), z, s, r, G, found


def corrected(beta1: X, beta2: X, t: X) -> X:
    """Return Adam's two bias corrections as a factor on the rate."""
    return sqrt(1 - beta2**t) / (1 - beta1**t)


def decayed(step: X, p: X, weight_decay: X) -> X:
    """Return a step with decoupled weight decay."""
    return step if off(weight_decay) else step + weight_decay * p
