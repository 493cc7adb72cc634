"""SWATS: Adam that goes on as gradient descent, at a rate that its steps have shown."""

from thalweg.form.hyper import Decay, Eps, Positive
from thalweg.form.memory import per_model, per_tensor
from thalweg.ops import debias, maximum, mix, model_total, outside, over_debiased_root, ratio, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0), step=True)
def swats(
    g, t, lr, m=0.0, v=0.0, unit=per_tensor, average=per_model, seen=per_model, found=per_model, *, beta1: Decay = 0.9,
    beta2: Decay = 0.999, eps: Eps = outside(1e-9, raw=True), tolerance: Positive = 1e-9,
):  # fmt: skip
    """SWATS (Keskar & Socher 2017, arXiv 1712.07628, algorithm 1): switches from Adam to SGD when their rates have settled.

    From adam and momentum: it begins as Adam and goes on as momentum, at the rate that Adam's steps suggest.
    gamma is the rate at which a step of SGD, projected on Adam's step p, is p: |p|^2 / <p, g> over the whole model. When it is
    within `tolerance` of its average, which must be positive, SGD with momentum goes on at the rate (1 - beta1) found lr / unit:
    found is that average, and unit was lr then. m is its momentum from there on. seen corrects the average for its start.
    """
    adam, later = found == 0, seen > 0
    first = mix(m, g, beta1)
    v = where(adam, mix(v, g * g, beta2), v)
    p = lr * over_debiased_root(debias(first, beta1, t), v, beta2, t, eps)
    along = model_total(p * g)
    gamma = ratio(model_total(p * p), along)
    average, seen = where(along == 0, average, mix(average, gamma, beta2)), mix(seen, 1.0, beta2)
    settled = average / seen
    close = where(along == 0, tolerance, abs(settled - gamma)) < tolerance
    next_found = where(adam, where(later, where(close, maximum(settled, 0.0), 0.0), 0.0), found)
    ball = beta1 * m + g
    step = where(adam, p, (1 - beta1) * found * ratio(lr, unit) * ball)
    m = where(adam, where(next_found == 0, first, 0.0 * g), ball)
    return step, m, v, where(adam, lr, unit), average, seen, next_found
