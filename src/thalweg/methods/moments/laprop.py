"""LaProp: momentum of the gradients that Adam has already scaled."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import debias, mix, outside, over_debiased_root
from thalweg.rule import rule


@rule(lr=4e-4, search=(1e-4, 1e0))
def laprop(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-15)):
    """LaProp (Ziyin, Wang & Ueda 2020, arXiv 2002.04839, algorithm 1).

    From adam: each gradient is divided by the root of v before it is averaged, not after.
    Each gradient is divided by the root of v at its own step, and then averaged; Adam averages first and divides by the last
    root. With beta1 = 0 the two are the same. The decay: `chain(laprop(), decay(0.01))`.
    """
    v = mix(v, g * g, beta2)
    m = mix(m, over_debiased_root(g, v, beta2, t, eps), beta1)
    return debias(m, beta1, t), m, v
