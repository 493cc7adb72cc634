"""Layer-wise rates: LARS, LAMB, NovoGrad and Fromage scale each tensor's step by its norm or its gradient's."""

import math

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, NonNegative, Positive
from thalweg.form.memory import per_tensor
from thalweg.methods.descent.momentum import momentum
from thalweg.methods.moments.adam import adam
from thalweg.ops import maximum, mix, norm, outside, over_root, ratio, sqrt, total, where
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay
from thalweg.stages.learning_rate import learning_rate
from thalweg.stages.trust_ratio import trust, trust_ratio


@recipe(lr=1.0, search=(1e-1, 1e3))
def lars(*, mu: Decay = 0.9, weight_decay: NonNegative = 5e-4, coefficient: Positive = 1e-3):
    """LARS (You, Gitman & Ginsburg 2017, arXiv 1708.03888, algorithm 1): momentum at a rate for each layer.

    From momentum: a tensor's rate is in proportion to its norm over its gradient's norm.
    A tensor's rate is lr times coefficient |p| / (|g| + weight_decay |p|), so that a step is a share of the parameter. It
    is lr where |p| or |g| is 0, as in the authors' code; in the paper, a layer that is 0 stays 0 forever.
    Differs from optax: with decay, it divides by |g + weight_decay p|, which is
    `chain(decay(wd), trust_ratio(coefficient=1e-3), learning_rate(), momentum())`.
    """
    return chain(local_rate(weight_decay, coefficient), learning_rate(), momentum(mu))


@rule
def local_rate(g, p, *, weight_decay: NonNegative = 5e-4, coefficient: Positive = 1e-3):
    """LARS' local rate (You, Gitman & Ginsburg 2017, arXiv 1708.03888, equation 6), times gradient and L2 penalty."""
    size, slope = norm(p), norm(g)
    local = where((size == 0) | (slope == 0), 1.0, ratio(coefficient * size, slope + weight_decay * size))
    return local * (g + weight_decay * p)


@recipe(lr=1e-3, search=(1e-4, 1e0))
def lamb(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-6), weight_decay: NonNegative = 0.01,
    low: NonNegative = 0.0, high: Positive = math.inf,
):  # fmt: skip
    """LAMB (You, Li, Reddi et al. 2019, arXiv 1904.00962, algorithm 2): AdamW whose step is as long as the layer.

    From adamw and lars: Adam's step, scaled to the norm of the tensor.
    The paper's phi clips the norm to low and high; its experiments do not. If that or the step's norm is 0, the ratio is 1.
    Differs from optax: it has weight_decay=0.
    """
    return chain(adam(beta1, beta2, eps), decay(weight_decay), trust_ratio(low, high))


@recipe(lr=1e-2, search=(1e-4, 1e0))
def novograd(*, beta1: Decay = 0.95, beta2: Decay = 0.98, eps: Eps = outside(1e-8), weight_decay: NonNegative = 0.0):
    """NovoGrad (Ginsburg et al. 2019, arXiv 1905.11286, algorithm 1): momentum of gradients over their layer's norm.

    From adam and lars: v is one number for each tensor, and divides the gradient before it is averaged.
    The second moment is one number for each tensor, an average of |g|^2 that starts at the first |g|^2. The momentum is a sum,
    not an average, and includes the decay.
    Differs from optax: it has beta1=0.9, beta2=0.25, eps=1e-6.
    """
    return chain(layer_normalized(beta2, eps), decay(weight_decay), momentum(beta1))


@rule
def layer_normalized(g, t, n=per_tensor, *, beta2: Decay = 0.98, eps: Eps = outside(1e-8)):
    """NovoGrad's normalized gradient (Ginsburg et al. 2019, arXiv 1905.11286, algorithm 1): over a running norm of it."""
    squares = total(g * g)
    n = where(t == 1, squares, mix(n, squares, beta2))
    return over_root(g, n, eps), n


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def fromage(g, p, lr, *, min_norm: NonNegative = 0.0):
    """Fromage (Bernstein, Vahdat, Yue & Liu 2020, arXiv 2002.03432, algorithm 1): steps a share lr of each layer's norm.

    From lars: every step is a fixed share of the tensor's norm, and the norm is kept from growing.
    p becomes (p - lr |p| / |g| g) / sqrt(1 + lr^2); the division keeps norms from growing. |p| / |g| is 1 where either is 0,
    as in the authors' code. A norm below min_norm counts as min_norm.
    Differs from optax: it has min_norm=1e-6.
    """
    shrink = 1 / sqrt(1 + lr * lr)
    size, slope = maximum(norm(p), min_norm), maximum(norm(g), min_norm)
    return shrink * lr * trust(size, slope) * g + (1 - shrink) * p
