"""Yogi: Adam with a second moment whose increments do not depend on its error; and Ano, which has Yogi's root and no average."""

from typing import Annotated

from thalweg.form.hyper import Decay, Eps, Range
from thalweg.ops import mix, outside, over_debiased_root, over_root, sign
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0))
def yogi(g, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-3)):
    """Yogi (Zaheer, Reddi, Sachan, Kale & Kumar 2018, NeurIPS, "Adaptive Methods for Nonconvex Optimization", algorithm 2).

    From adam: v moves towards g^2 by (1 - beta2) g^2, however far it is, so that it shrinks slowly after large gradients.
    Differs from optax: that corrects both moments (`corrected_yogi` of `thalweg.dialects.variants`), which begin at 1e-6.
    For m this is a downward drift that does not depend on the gradients; in the paper m starts at 0.
    """
    m = mix(m, g, beta1)
    v = v - (1 - beta2) * sign(v - g * g) * (g * g)
    return over_root(m, v, eps), m, v


@rule(lr=1e-4, search=(1e-5, 1e-1))
def ano(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.92, beta2: Annotated[float, Range(0.5, 1, high_in=False)] = 0.99,
    eps: Eps = outside(1e-8),
):  # fmt: skip
    """Ano (Kegreisz 2025, arXiv 2508.18258, algorithm 1): the direction of an average, the size of the gradient.

    From yogi: the step has the sign of the average and the size of the new gradient, over the root of v.
    v is Yogi's with a decay, corrected for its start. With beta2 below 1/2 it could become negative. Weight decay:
    `chain(ano(), decay(0.01))`.
    Differs from the authors' code: eps=inside(1e-8).
    """
    m = mix(m, g, beta1)
    v = beta2 * v - (1 - beta2) * sign(v - g * g) * (g * g)
    return over_debiased_root(abs(g) * sign(m), v, beta2, t, eps), m, v
