"""AMSGrad: Adam with the largest second moment so far; and Padam, AMSGrad that divides by a smaller power of it."""

from typing import Annotated

from thalweg.form.hyper import Decay, EpsOrZero, Range
from thalweg.ops import maximum, mix, outside, over_root, ratio, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def amsgrad(g, t, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: EpsOrZero = outside(0.0)):
    """AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237, algorithm 2), with 0/0 = 0.

    From adam: the largest v so far divides, so that no coordinate's rate grows again.
    As the paper: lr / sqrt(t), no epsilon, no bias correction.
    Differs from torch: variants.corrected_amsgrad(eps=1e-8); optax has amsgrad_of_corrected, the largest of corrected ones.
    Differs from Keras: variants.corrected_amsgrad(eps=outside(1e-7, raw=True)).
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, v)
    return over_root(m, v_max, eps) / sqrt(t), m, v, v_max


@rule(lr=1e-1, search=(1e-3, 1e1))
def padam(
    g, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999,
    p: Annotated[float, Range(0, 0.5, low_in=False)] = 0.125,
):  # fmt: skip
    """Padam (Chen, Zhou, Tang, Yang, Cao & Gu 2020, IJCAI, arXiv 1806.06763, algorithm 1), with 0/0 = 0.

    From amsgrad: the root of v becomes a smaller power, between momentum and AMSGrad.
    p says how much of the adaptive step is kept: 1/2 is AMSGrad at a steady rate, and towards 0 it is momentum.
    Differs from the authors' code: Adam's corrections, an epsilon beside the root, p=1/4
    (`corrected_padam` of `thalweg.dialects.variants`).
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, v)
    return ratio(m, v_max**p), m, v, v_max
