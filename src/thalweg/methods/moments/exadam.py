"""EXAdam: Adam whose moments correct each other, with the newest gradient beside its average."""

from thalweg.form.hyper import Decay, Positive
from thalweg.ops import debias, mix, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def exadam(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8):
    """EXAdam (Adly 2024, arXiv 2412.20302, algorithm 1): Adam with adaptive cross-moments.

    From adam: each moment's correction also depends on the other moment.
    d1 and d2 begin near 2 and go to 1; eps decides below which moments they are 1 from the start.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    d1 = 1 + beta2**t * (v / (v + eps))
    d2 = 1 + beta1**t * (m * m / (m * m + eps))
    return debias(m + g, beta1, t) * d1 / (sqrt(debias(v, beta2, t) * d2) + eps), m, v
