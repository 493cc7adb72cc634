"""AdaPNM: Adam with positive-negative momentum."""

from thalweg.form.hyper import Decay, Eps, NonNegative
from thalweg.methods.descent.pnm import positive_negative
from thalweg.ops import debias, maximum, mix, outside, over_debiased_root
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def adapnm(
    g, t, m=0.0, older=0.0, v=0.0, v_max=0.0, *, beta0: NonNegative = 1.0, beta1: Decay = 0.9, beta2: Decay = 0.999,
    eps: Eps = outside(1e-8),
):  # fmt: skip
    """AdaPNM (Xie, Yuan, Zhu & Sugiyama 2021, arXiv 2103.17182, algorithm 2): `pnm` over the root of the largest v so far.

    From pnm and amsgrad: the positive-negative momentum is divided by the root of the largest v so far.
    The momentum is corrected by 1 - beta1^t, as in the paper, though each of its averages keeps beta1^2 every second step.
    """
    step, m, older = positive_negative(g, m, older, beta0, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, v)
    return over_debiased_root(debias(step, beta1, t), v_max, beta2, t, eps), m, older, v, v_max
