"""ADOPT: Adam with the previous steps' second moment, and momentum of the normalized gradient."""

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.ops import clip, maximum, mix, sqrt, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def adopt(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.9999, eps: Positive = 1e-6, clipped: bool = True,
    c: NonNegative = 0.0,
):  # fmt: skip
    """ADOPT (Taniguchi et al. 2024, arXiv 2411.02853, algorithm 2; algorithm 1 is clipped=False).

    From adam: the gradient is divided by a v that does not know it yet, and only then averaged.
    The gradient is divided by the root of the average that does not yet include it, clipped at c, and then averaged. If c is
    0, the bound is the fourth root of the step's number. The first gradient only starts v: nothing moves, and the paper counts
    its steps from the next one.
    optax.contrib.adopt is the same; its use_clipping is clipped, its clip_value_fn a schedule for c.
    """
    divided = g / maximum(sqrt(v), eps)
    if clipped:
        limit = where(c == 0, (t - 1) ** 0.25, c)
        divided = clip(divided, -limit, limit)
    m = where(t == 1, m, mix(m, divided, beta1))
    v = where(t == 1, g * g, mix(v, g * g, beta2))
    return m, m, v
