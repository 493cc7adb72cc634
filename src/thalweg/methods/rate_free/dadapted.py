"""D-Adaptation of AdaGrad, Adan and Lion: as of Adam and of gradient descent, in `prodigy.py`."""

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.form.memory import like_p, per_model
from thalweg.methods.rate_free.prodigy import decayed
from thalweg.ops import maximum, mix, model_total, ratio, sign, sqrt, where
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def dadapt_adagrad(
    g, p, lr, x0=like_p, a=1e-6, s=0.0, r=per_model, d=per_model, *, d0: Positive = 1e-6, eps: NonNegative = 0.0
):  # fmt: skip
    """DAdapt-AdaGrad (Defazio & Mishchenko 2023, arXiv 2301.07733, AdaGrad with D-Adaptation, as in the authors' code).

    From adagrad and dadapt_sgd: the rate is d, the largest lower bound so far on the distance to the solution.
    It is AdaGrad by dual averaging: the point is the first one, x0, less the weighted sum s of the gradients over the root of
    the sum of their squares, a.
    """
    d = maximum(d, d0)
    rate = d * lr
    a = a + g * g
    root = sqrt(a) + eps
    s = s + rate * g
    r = r + rate * rate * model_total(g * g / root)
    found = maximum(d, ratio(model_total(s * s / root) - r, model_total(abs(s))))
    return p - x0 + s / root, x0, a, s, r, found


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def dadapt_adan(
    g, t, p, lr, m=0.0, v=0.0, n=0.0, prev=0.0, s=0.0, r=per_model, d=per_model, *, beta1: Decay = 0.98, beta2: Decay = 0.92,
    beta3: Decay = 0.99, eps: NonNegative = 1e-8, d0: Positive = 1e-6, weight_decay: NonNegative = 0.0,
):  # fmt: skip
    """DAdapt-Adan (Defazio & Mishchenko 2023, arXiv 2301.07733, in the authors' code alone): Adan at a rate that it finds itself.

    From adan and dadapt_adam: Adan at the rate that D-Adaptation finds.
    The averages begin at 0 and are not corrected for it; d is inside the first two. The decay is decoupled, at the rate lr d, as
    with the code's no_prox.
    """
    d = maximum(d, d0)
    rate = d * lr
    difference = where(t == 1, 0.0 * g, g - prev)
    ahead = g + beta2 * difference
    m, v, n = mix(m, rate * g, beta1), mix(v, rate * difference, beta2), mix(n, ahead * ahead, beta3)
    root = sqrt(n) + eps
    s = mix(s, rate * g, beta3)
    r = mix(r, rate * rate * model_total(ratio(g * g, root)), beta3)
    found = maximum(d, ratio(model_total(ratio(s * s, root)) / (1 - beta3) - r, model_total(abs(s))))
    return decayed(ratio(m + beta2 * v, root), rate * p, weight_decay), m, v, n, g, s, r, found


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def dadapt_lion(
    g, p, lr, m=0.0, s=0.0, r=per_model, d=per_model, *, beta1: Decay = 0.9, beta2: Decay = 0.99, d0: Positive = 1e-6,
    weight_decay: NonNegative = 0.0,
):  # fmt: skip
    """DAdapt-Lion (Defazio & Mishchenko 2023, arXiv 2301.07733, in the authors' code alone): Lion at a rate that it finds itself.

    From lion and dadapt_adam: Lion at the rate that D-Adaptation finds.
    d is inside the momentum, though not in the gradient with which it is mixed. The decay is decoupled, at the rate lr d. The
    later versions of the code forget the estimate's numerator r after each step; this is the first one.
    """
    d = maximum(d, d0)
    rate = d * lr
    beta = sqrt(beta2)
    u = sign(mix(m, g, beta1))
    r = mix(r, model_total(rate * u * s), beta)
    m, s = mix(m, rate * g, beta2), mix(s, rate * u, beta)
    found = maximum(d, ratio(r, (1 - beta) * model_total(abs(s))))
    return decayed(rate * u, rate * p, weight_decay), m, s, r, found
