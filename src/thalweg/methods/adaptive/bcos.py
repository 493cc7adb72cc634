"""BCOS: momentum over a second moment that needs no memory."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import mix, outside, over_root, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def bcos(g, t, m=0.0, *, beta: Decay = 0.9, eps: Eps = outside(1e-6)):
    """BCOS (Jiang & Xiao 2025, arXiv 2507.08963, with momentum and its conditional estimator): one memory in place of two.

    From adam: one memory does for two: the average's own square is estimated from it.
    v estimates the new average's square, given the old average and with it in the place of the gradient's mean. The average
    starts at the first gradient. BCOSW is `chain(bcos(), decay(0.1))`, the authors' default.
    """
    old = where(t == 1, g, m)
    m = mix(old, g, beta)
    v = mix(old * old, g * g, 1 - (1 - beta) * (1 - beta))
    return over_root(m, v, eps), m
