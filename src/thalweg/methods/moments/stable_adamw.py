"""StableAdamW: AdamW with a smaller rate where v is out of date; and AdamS, AdamW with a decay like Adam's steps."""

from thalweg.form.hyper import Decay, Eps, NonNegative, Positive
from thalweg.ops import debias, maximum, mean, mix, model_total, outside, over_debiased_root, ratio, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def stable_adamw(
    g, t, p, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.99, eps: Positive = 1e-6, weight_decay: NonNegative = 0.01
):  # fmt: skip
    """StableAdamW (Wortsman, Dettmers, Zettlemoyer, Morcos, Farhadi & Schmidt 2023, arXiv 2304.13013, algorithm 2).

    From adamw and adafactor: a tensor whose step would be too long has its rate reduced.
    Where the root mean square of its g / sqrt(v_hat) is above 1, the rate is divided by it, that of the decay too.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    root = sqrt(debias(v, beta2, t))
    rms = sqrt(mean((g / maximum(root, eps)) ** 2))
    return (debias(m, beta1, t) / (root + eps) + weight_decay * p) / maximum(rms, 1.0), m, v


@rule(lr=1e-3, search=(1e-4, 1e0))
def adams(
    g, t, p, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), weight_decay: NonNegative = 1e-4
):  # fmt: skip
    """AdamS (Xie, Xu, Zhang, Sato & Sugiyama 2020, arXiv 2011.11152, algorithm AdamS): Adam with stable weight decay.

    From adamw: the decay is divided by the root of v_hat's mean over the whole model, as Adam's steps are by its own roots.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    size = sqrt(model_total(debias(v, beta2, t)) / model_total(1 + 0 * g))
    return over_debiased_root(debias(m, beta1, t), v, beta2, t, eps) + ratio(weight_decay, size) * p, m, v
