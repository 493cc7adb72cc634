"""Adan: Adam with Nesterov's momentum from differences of gradients."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import mix, outside, over_root, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def adan(
    g, t, m=0.0, v=0.0, n=0.0, prev=0.0, *, beta1: Decay = 0.98, beta2: Decay = 0.92, beta3: Decay = 0.99,
    eps: Eps = outside(1e-8),
):  # fmt: skip
    """Adan (Xie, Zhou, Li, Lin & Yan 2022, arXiv 2208.06677, algorithm 1, without restarts and weight decay).

    From adam and nesterov: the change of the gradient has an average of its own, which predicts the next gradient.
    A beta is the share that an average keeps, as everywhere here and in the authors' code; the paper's is 1 minus that. m starts
    at the first gradient, n at its square, v at the first difference of two gradients.
    Differs from the authors' code: there all three begin at 0 and are corrected for it (`corrected_adan` of
    `thalweg.dialects.variants`). In `chain(adan(), decay(0.02))` the decay is that of their no_prox; the paper's divides the new
    parameter by 1 + lr weight_decay.
    Differs from optax: it is corrected too, but weights differences by 1 - beta2 = 0.08 where the paper and the authors'
    code have 0.92: the paper writes 1 - beta2, but its beta2 is 0.08. The paper is right. It also has
    eps=outside(1e-8, root=1e-8).
    """
    difference = where(t == 1, 0.0 * g, g - prev)
    ahead = g + beta2 * difference
    m_next, v_next, n_next = mix(m, g, beta1), mix(v, difference, beta2), mix(n, ahead * ahead, beta3)
    m, v, n = where(t == 1, g, m_next), where(t <= 2, difference, v_next), where(t == 1, g * g, n_next)
    return over_root(m + beta2 * v, n, eps), m, v, n, g
