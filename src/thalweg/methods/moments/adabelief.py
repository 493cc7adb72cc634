"""AdaBelief: steps by how far a gradient is from what was expected."""

from typing import Literal

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.ops import debias, mix, off, over_root
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def adabelief(
    g, t, m=0.0, s=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-16,
    eps_place: Literal["both", "outside"] = "both", eps_root: NonNegative = 0.0,
):  # fmt: skip
    """AdaBelief (Zhuang et al. 2020, arXiv 2010.07468, algorithm 2).

    Adam with the average of (g - m)^2 in place of g^2. The epsilon goes into s itself at every step, so that it piles
    up to eps / (1 - beta2), and once more beside the root: so the paper's body and its authors' code have it. The paper
    speaks of 1e-8, the code of 1e-16. The paper's appendix and first version have other places for it. eps_place="outside" keeps
    it beside the root; eps_root is added to s at every step.
    Differs from optax: eps_place="outside", eps_root=1e-16.
    """
    m = mix(m, g, beta1)
    surprise = (1 - beta2) * (g - m) * (g - m)
    surprise = surprise + eps if eps_place == "both" else surprise
    s = beta2 * s + (surprise if off(eps_root) else surprise + eps_root)
    return over_root(debias(m, beta1, t), debias(s, beta2, t), eps, "outside"), m, s
