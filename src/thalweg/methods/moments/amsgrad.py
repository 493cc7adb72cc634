"""AMSGrad: Adam with the largest second moment so far."""

from thalweg.form.hyper import Decay, EpsOrZero
from thalweg.ops import maximum, mix, outside, over_root, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def amsgrad(g, t, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: EpsOrZero = outside(0.0)):
    """AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237, algorithm 2), with 0/0 = 0.

    As the paper: lr / sqrt(t), no epsilon, no bias correction. `thalweg.dialects.variants` has it at a steady rate, with
    Adam's corrections.
    Differs from torch: variants.corrected_amsgrad(eps=1e-8); optax has amsgrad_of_corrected, the largest of corrected ones.
    Differs from Keras: variants.corrected_amsgrad(eps=outside(1e-7, raw=True)).
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, v)
    return over_root(m, v_max, eps) / sqrt(t), m, v, v_max
