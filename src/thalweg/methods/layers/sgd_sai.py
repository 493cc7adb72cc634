"""SGD-SaI: momentum at a rate for each tensor that its first gradient sets."""

from typing import Annotated

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, NonNegative, Places, Range
from thalweg.form.memory import per_tensor
from thalweg.methods.descent.momentum import momentum
from thalweg.ops import Epsilon, mean, norm, outside, ratio, sqrt, total, where
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay

Beside = Annotated[Epsilon, Range(0), Places(("outside", "at_least"))]
"""x >= 0, added to the deviation, or its lower bound."""


@recipe(lr=1e-2, search=(1e-4, 1e0))
def sgd_sai(*, mu: Decay = 0.9, eps: Beside = outside(1e-8), weight_decay: NonNegative = 0.01):
    """SGD-SaI (Xu, Xiang, Cai & Wen 2024, arXiv 2412.11768, algorithm 1): learning rates scaled at initialization.

    From sgdw: each tensor's rate is set once, by the signal to noise of its first gradient.
    Momentum with decoupled decay; a tensor's rate is lr times `initial_snr`. The authors' code, version 1.0.4, divides these
    ratios by the largest one of the model, which changes lr alone, and starts the average of gradients at the first.
    """
    return chain(initial_snr(eps), momentum(mu, mu), decay(weight_decay))


@rule
def initial_snr(g, t, s=per_tensor, *, eps: Beside = outside(1e-8)):
    """SGD-SaI's factor (Xu, Xiang, Cai & Wen 2024, arXiv 2412.11768): a tensor's first signal-to-noise ratio, for good.

    The ratio of the norm of the first gradient to the standard deviation of its entries; where they do not deviate, as those of a
    single number, here the norm. A tensor whose first gradient is 0 never moves, unless a decay follows.
    """
    rest = g - mean(g)
    deviation = sqrt(ratio(total(rest * rest), total(1 + 0 * g) - 1))
    snr = where(deviation == 0, norm(g), ratio(norm(g), eps.beside(deviation)))
    s = where(t == 1, snr, s)
    return s * g, s
