"""AvaGrad: rates for the coordinates whose mean square is that of one rate for all."""

from thalweg.form.hyper import Decay, Positive
from thalweg.ops import mix, model_total, sqrt
from thalweg.rule import rule


@rule(lr=1e-1, search=(1e-3, 1e1))
def avagrad(g, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 0.1):
    """AvaGrad (Savarese, McAllester, Babu & Maire 2021, CVPR, arXiv 1912.01823, algorithm 2).

    From adam: the rates, eta, do not know the newest gradient, and are divided by their root mean square over the model.
    eps then says how unequal they are: a large one makes it momentum, whatever the learning rate.
    Differs from the authors' code: Adam's corrections, the size of the eta before, a first step of 0 (variants.late_avagrad).
    """
    m = mix(m, g, beta1)
    eta = 1 / (sqrt(v) + eps)
    size = sqrt(model_total(eta * eta) / model_total(1 + 0 * g))
    return eta / size * m, m, mix(v, g * g, beta2)
