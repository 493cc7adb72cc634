"""Polyak's step: a step length from the height of the loss."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, LeastLoss, NonNegative, Positive
from thalweg.methods.descent.momentum import nesterov
from thalweg.ops import maximum, minimum, off, ratio
from thalweg.rule import recipe, rule


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def polyak_sgd(
    g, loss, gnorm, lr, *, c: Positive = 0.5, fstar: LeastLoss = 0.0, positive_part: bool = True, eps: NonNegative = 0.0
):  # fmt: skip
    """SGD with Polyak's step (Loizou, Vaswani, Laradji & Lacoste-Julien 2021, arXiv 2002.10542, SPS_max; Polyak 1987).

    From sgd: the rate is the distance of the loss from its smallest value, over the squared norm of the model's gradient.
    Below fstar nothing moves, or, with positive_part=False, the step is uphill; the paper does not treat this case.
    Differs from optax: it has c=1, and positive_part=False but for variant="sps+".
    """
    gap = maximum(loss - fstar, 0.0) if positive_part else loss - fstar
    return minimum(ratio(gap, c * gnorm * gnorm if off(eps) else c * gnorm * gnorm + eps), lr) * g


@recipe(lr=0.1, search=(1e-3, 1e1))
def alig(*, mu: Decay = 0.9, eps: NonNegative = 1e-5):
    """ALI-G (Berrada, Zisserman & Kumar 2020, arXiv 1906.05661, algorithm 1): rates for models that can fit all data.

    From polyak_sgd and nesterov: the smallest loss is taken as 0, and the step goes through Nesterov's momentum.
    Polyak's step for f* = 0 and c = 1, with eps added to |g|^2 and at most lr, in Nesterov's momentum; its projection on
    a ball of parameters is not here.
    """
    return chain(polyak_sgd(c=1.0, eps=eps), nesterov(mu))
