"""Aida: AdaBelief with gradient and momentum projected on each other."""

from thalweg.form.hyper import Count, Decay, Positive
from thalweg.ops import debias, mix, sqrt, total
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def aida(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8, K: Count = 2, xi: Positive = 1e-20
):  # fmt: skip
    """Aida (Zhang, Niwa & Kleijn 2022, arXiv 2203.13273, as in the authors' code): smaller differences among the step sizes.

    From adabelief: gradient and average are projected on each other first, so that the step sizes within a tensor differ less.
    They are, K times, before (g - m)^2 is taken. xi is added to the squared norms there, and eps to v at every step, where it
    accumulates to eps / (1 - beta2).
    """
    m = mix(m, g, beta1)
    a, b = g, m
    for _ in range(K):
        both = total(a * b)
        a, b = both / (total(a * a) + xi) * a, both / (total(b * b) + xi) * b
    v = mix(v, (b - a) * (b - a), beta2) + eps
    return debias(m, beta1, t) / sqrt(debias(v, beta2, t)), m, v
