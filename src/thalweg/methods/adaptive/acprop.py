"""ACProp: the gradient divided by the deviation of earlier gradients from their mean."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import debias, maximum, mix, outside, sqrt, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def acprop(g, t, m=0.0, s=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8)):
    """ACProp (Zhuang, Ding, Tang, Dvornek, Tatikonda & Duncan 2021, arXiv 2110.05454, algorithm 2).

    From adabelief: the new gradient, not its average, is divided, by the root of the previous step's s, the mean square of g - m.
    As in the authors' code, s is corrected for its start at 0, and the first step, which has no previous s, is the gradient
    itself. If a coordinate's first gradient that is not 0 comes later, its step is g / eps. The `root` of eps is added to s at
    every step, as the authors' code adds its epsilon.
    Differs from optax: g - m has the previous step's m, so that all steps but the first are those of beta1 times the rate and
    eps here; and it has eps=outside(1e-16, root=1e-16).
    """
    before = debias(s, beta2, maximum(t - 1, 1))
    m = mix(m, g, beta1)
    s = eps.under(mix(s, (g - m) ** 2, beta2))
    return where(t == 1, g, g / eps.beside(sqrt(before))), m, s
