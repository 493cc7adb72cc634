"""AdaBelief: steps scaled by a gradient's deviation from its prediction."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import both, debias, mix, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def adabelief(g, t, m=0.0, s=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = both(1e-16)):
    """AdaBelief (Zhuang et al. 2020, arXiv 2010.07468, algorithm 2).

    From adam: v averages the squared distance of the gradient from its average, not the squared gradient.
    As in the paper's main text and its authors' code, the epsilon is added to s at every step, so that it accumulates to
    eps / (1 - beta2), and once more to the root. Its value is 1e-8 in the paper and 1e-16 in the code; the paper's appendix and
    first version have it in other places. `outside(eps)` adds it only to the root; its `root` is added to s at every step.
    Differs from optax: it has eps=outside(1e-16, root=1e-16).
    """
    m = mix(m, g, beta1)
    s = beta2 * s + eps.under((1 - beta2) * (g - m) * (g - m))
    return debias(m, beta1, t) / eps.beside(sqrt(debias(s, beta2, t))), m, s
