"""AdaBelief: steps scaled by a gradient's deviation from its prediction."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import both, debias, mix, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def adabelief(
    g, t, m=0.0, s=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = both(1e-16)
):  # fmt: skip
    """AdaBelief (Zhuang et al. 2020, arXiv 2010.07468, algorithm 2).

    Adam with the average of (g - m)^2 in place of g^2. The epsilon goes into s itself at every step, so that it piles
    up to eps / (1 - beta2), and once more beside the root: so the paper's body and its authors' code have it. The paper
    speaks of 1e-8, the code of 1e-16. The paper's appendix and first version have other places for it. `outside(eps)` keeps
    it beside the root; its `root` is added to s at every step.
    Differs from optax: eps=outside(1e-16, root=1e-16).
    """
    m = mix(m, g, beta1)
    s = beta2 * s + eps.under((1 - beta2) * (g - m) * (g - m))
    return debias(m, beta1, t) / eps.beside(sqrt(debias(s, beta2, t))), m, s
