"""diffGrad: Adam with a friction where the gradient hardly changes."""

from thalweg.form.hyper import Decay, Eps
from thalweg.ops import debias, mix, outside, over_debiased_root, sigmoid
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def diffgrad(g, t, m=0.0, v=0.0, previous=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8)):
    """diffGrad (Dubey, Chakraborty, Roy, Mukherjee, Singh & Chaudhuri 2020, arXiv 1909.11015, equations 5-7).

    From adam: the step is multiplied by xi, the sigmoid of |g - the previous g|, 1/2 where the gradient stays the same.
    The gradient before the first is 0. The first version of the authors' code compared each with itself, as they note there.
    """
    xi = sigmoid(abs(g - previous))
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return xi * over_debiased_root(debias(m, beta1, t), v, beta2, t, eps), m, v, g
