"""AdaMod: Adam whose rates are bounded by their own average."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import debias, minimum, mix, outside, over_debiased_root
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0), step=True)
def adamod(
    g, t, lr, m=0.0, v=0.0, s=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, beta3: Decay = 0.999, eps: Eps = outside(1e-8)
):  # fmt: skip
    """AdaMod (Ding, Ren, Luo & Sun 2019, arXiv 1910.12249, algorithm 1).

    From adam: a coordinate's rate, lr / sqrt(v_hat), is at most s, its average over some 1 / (1 - beta3) steps.
    s starts at 0 and is not corrected for it, which is a warm-up of that length.
    Differs from the authors' code: it bounds lr / sqrt(v_hat) / (1 - beta1^t), where m's correction is part of the rate
    (`adamod_of_corrected` of `thalweg.dialects.variants`).
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    eta = over_debiased_root(lr, v, beta2, t, eps)
    s = mix(s, eta, beta3)
    return minimum(eta, s) * debias(m, beta1, t), m, v, s
