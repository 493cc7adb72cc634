"""FAdam: Adam as natural gradient descent, with Adam's squares as the Fisher information."""

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.methods.matrices.adafactor import clipped, rms
from thalweg.ops import minimum, mix, ratio, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def fadam(
    g, t, p, m=0.0, f=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8, eps2: NonNegative = 1e-2,
    c: Positive = 1.0, weight_decay: NonNegative = 0.1,
):  # fmt: skip
    """FAdam (Hwang 2024, arXiv 2405.12807, algorithm 1, with the exponent 1/2): natural gradients, clipped and then averaged.

    From adam: v is read as Fisher information: the decay is divided by its root too, and averaging comes after dividing.
    f is the empirical Fisher information of each coordinate, an average without a start to correct; the gradient and the
    parameter, for its decay, are divided by its root, and each has a root mean square of c at most. The epsilon is eps, or the
    share eps2 of the gradient's root mean square if that is less.
    """
    f = mix(f, g * g, beta2 * (1 - beta2 ** (t - 1)) / (1 - beta2**t))
    root = sqrt(f) + minimum(eps, eps2 * rms(g))
    m = mix(m, clipped(ratio(g, root), c), beta1)
    return m + weight_decay * clipped(ratio(p, root), c), m, f
