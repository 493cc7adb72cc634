"""AdamG: Adam with the golden step size."""

from thalweg.form.hyper import Decay, Eps, Positive
from thalweg.ops import debias, minimum, mix, outside, over_debiased_root, sqrt
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-3, 1e1), step=True)
def adamg(
    g, t, lr, m=0.0, v=0.0, r=0.0, *, beta1: Decay = 0.95, beta2: Decay = 0.999, beta3: Decay = 0.95, p: Positive = 0.2,
    q: Positive = 0.24, eps: Eps = outside(1e-8),
):  # fmt: skip
    """AdamG (Pang, Yu, Hoang & Zhou 2024, arXiv 2405.04376, algorithm 2): Adam without a rate to tune.

    From adam and adagrad_norm: a running measure of the steps' golden size multiplies the gradient, in place of a tuned rate.
    r averages p v^q, the golden step size, which multiplies the gradient. The step's rate is 1 / sqrt(t), and lr at most.
    """
    v = mix(v, g * g, beta2)
    r = mix(r, p * v**q, beta3)
    m = mix(m, r * g, beta1)
    return minimum(lr, 1 / sqrt(t)) * over_debiased_root(debias(m, beta1, t), v, beta2, t, eps), m, v, r
