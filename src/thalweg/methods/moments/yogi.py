"""Yogi: Adam with a second moment whose increments do not depend on its error."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import mix, outside, over_root, sign
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0))
def yogi(
    g, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-3),
):  # fmt: skip
    """Yogi (Zaheer, Reddi, Sachan, Kale & Kumar 2018, NeurIPS, "Adaptive Methods for Nonconvex Optimization", algorithm 2).

    v moves towards g^2 by (1 - beta2) g^2, however large its distance is, so that it decreases slowly after large gradients.
    Differs from optax: that corrects both moments (`corrected_yogi` of `thalweg.dialects.variants`), which begin at 1e-6.
    For m this is a downward drift that does not depend on the gradients; in the paper m starts at 0.
    """
    m = mix(m, g, beta1)
    v = v - (1 - beta2) * sign(v - g * g) * (g * g)
    return over_root(m, v, eps), m, v
