"""StableAdamW: AdamW with a smaller rate where v is out of date."""

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.ops import debias, maximum, mean, mix, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def stable_adamw(
    g, t, p, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.99, eps: Positive = 1e-6, weight_decay: NonNegative = 0.01
):  # fmt: skip
    """StableAdamW (Wortsman, Dettmers, Zettlemoyer, Morcos, Farhadi & Schmidt 2023, arXiv 2304.13013, algorithm 2).

    AdamW, with AdaFactor's clipping of updates: where the root mean square of a tensor's g / sqrt(v_hat) is above 1, the
    tensor's rate is divided by it, that of the decay too.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    root = sqrt(debias(v, beta2, t))
    rms = sqrt(mean((g / maximum(root, eps)) ** 2))
    return (debias(m, beta1, t) / (root + eps) + weight_decay * p) / maximum(rms, 1.0), m, v
