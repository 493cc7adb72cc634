"""SPAM: Adam that clips spikes and forgets, every so often, what it has averaged."""

import math

from thalweg.form.hyper import Count, Decay, Eps, Positive
from thalweg.ops import cos, debias, floor, mix, outside, over_debiased_root, sign, sqrt, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def spam(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-6, raw=True), every: Count = 500,
    warm_up: Count = 150, threshold: Positive = 5000.0, wait: Count = 20,
):  # fmt: skip
    """SPAM (Huang et al. 2025, arXiv 2501.06842, as in the authors' code, without sparse momentum): spike-aware Adam with resets.

    From adam: entries far above their mean square are cut back, and both averages start anew every so many steps.
    An entry whose square is more than `threshold` times v is set back to that size, from the step `wait` after a reset on.
    Every so many steps both averages start anew, and the step grows again from a hundredth, by a cosine over `warm_up` steps.
    """
    since = t - every * floor((t + 0.5) / every)
    m, v = where(since == 0, 0.0 * m, m), where(since == 0, 0.0 * v, v)
    above = where(since >= wait, g * g - threshold * v, 0.0 * g)
    g = where(above > 0, sign(g) * sqrt(threshold * v), g)
    m, v = mix(m, g, beta1), mix(v, g * g, beta2)
    warm = 1 - 0.495 * (1 + cos(math.pi * since / (warm_up + 1)))
    share = where(t < every, 1.0, where(since < warm_up, warm, 1.0))
    return share * over_debiased_root(debias(m, beta1, t), v, beta2, t, eps), m, v
