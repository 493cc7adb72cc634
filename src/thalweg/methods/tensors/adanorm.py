"""AdaNorm: Adam whose small gradients are enlarged to their usual norm."""

from thalweg.form.hyper import Decay, Eps
from thalweg.form.memory import per_tensor
from thalweg.ops import debias, maximum, mix, norm, outside, over_debiased_root, ratio
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def adanorm(
    g, t, m=0.0, v=0.0, e=per_tensor, *, beta1: Decay = 0.9, beta2: Decay = 0.999, gamma: Decay = 0.95,
    eps: Eps = outside(1e-8),
):  # fmt: skip
    """AdaNorm (Dubey, Singh & Chaudhuri 2023, arXiv 2210.06364, algorithm 2): the paper's AdamNorm.

    From adam: a tensor's gradient with a norm below e, the average of its norms, is scaled up to it before it enters m.
    It enters v as it is. e is not corrected for its start at 0.
    """
    size = norm(g)
    e = mix(e, size, gamma)
    m = mix(m, maximum(ratio(e, size), 1.0) * g, beta1)
    v = mix(v, g * g, beta2)
    return over_debiased_root(debias(m, beta1, t), v, beta2, t, eps), m, v, e
