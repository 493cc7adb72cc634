"""Adai: momentum whose inertia adapts to each coordinate, and whose rate does not."""

from typing import Annotated

from thalweg.form.hyper import Decay, NonNegative, Range
from thalweg.ops import clip, debias, mix, model_total, ratio
from thalweg.rule import rule

Bound = Annotated[float, Range(0, 1, low_in=False)]


@rule(lr=1e-1, search=(1e-3, 1e1))
def adai(g, t, m=0.0, v=0.0, product=1.0, *, beta0: NonNegative = 0.1, beta2: Decay = 0.99, eps: Bound = 1e-3):
    """Adai (Xie, Wang, Zhang, Sato & Sugiyama 2022, arXiv 2006.15815, algorithm 2): adaptive inertia.

    From momentum: each coordinate's memory length depends on the size of its gradients; the rate stays the same for all.
    A coordinate's beta1 is 1 - beta0 v_hat / its mean over the whole model, kept within [0, 1 - eps]: coordinates with small
    gradients have the longer memory. product is that of all their beta1 so far, for the correction of m.
    """
    v = mix(v, g * g, beta2)
    v_hat = debias(v, beta2, t)
    share = ratio(model_total(1 + 0 * g) * v_hat, model_total(v_hat))
    beta1 = clip(1 - beta0 * share, 0.0, 1 - eps)
    m = mix(m, g, beta1)
    product = beta1 * product
    return m / (1 - product), m, v, product
