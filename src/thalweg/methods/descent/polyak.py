"""Polyak's step: a step length from the height of the loss."""

from thalweg.form.hyper import LeastLoss, NonNegative, Positive
from thalweg.ops import maximum, minimum, off, ratio
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-2, 1e2), step=True)
def polyak_sgd(
    g, loss, gnorm, lr, *, c: Positive = 0.5, fstar: LeastLoss = 0.0, positive_part: bool = True, eps: NonNegative = 0.0
):  # fmt: skip
    """SGD with Polyak's step (Loizou, Vaswani, Laradji & Lacoste-Julien 2021, arXiv 2002.10542, SPS_max; Polyak 1987).

    The rate is (loss - f*) / (c |g|^2), at most lr; |g| is over the whole model. f* is the smallest possible loss, 0 for most
    problems. If the loss is nevertheless below f*, nothing moves, or, with positive_part=False, the step is uphill; the paper
    does not treat this case. eps is added to c |g|^2.
    Differs from optax: it has c=1, and positive_part=False but for variant="sps+".
    """
    gap = maximum(loss - fstar, 0.0) if positive_part else loss - fstar
    return minimum(ratio(gap, c * gnorm * gnorm if off(eps) else c * gnorm * gnorm + eps), lr) * g
