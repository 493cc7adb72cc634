"""AdamP and SGDP: Adam and momentum whose steps do not lengthen weights that a normalization rescales."""

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, Fraction, NonNegative, Positive
from thalweg.methods.descent.momentum import momentum
from thalweg.methods.moments.adam import adam
from thalweg.ops import outside
from thalweg.rule import recipe
from thalweg.stages.decay import decay
from thalweg.stages.project import tangent


@recipe(lr=1e-3, search=(1e-4, 1e0))
def adamp(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), delta: Positive = 0.1, weight_decay: NonNegative = 0.0,
    share: Fraction = 0.1,
):  # fmt: skip
    """AdamP (Heo, Chun, Oh, Han, Yun, Kim, Uh & Ha 2021, arXiv 2006.08217, algorithm 2): AdamW without radial steps.

    From adamw: the part of the step that only makes a weight longer is taken out.
    Vectors have plain AdamW, as in the authors' code. Its channels of a convolution are rows of the last two axes here.
    """
    return chain(adam(beta1, beta2, eps), tangential(delta, weight_decay, share))


@recipe(lr=1e-2, search=(1e-4, 1e0))
def sgdp(*, mu: Decay = 0.9, delta: Positive = 0.1, weight_decay: NonNegative = 0.0, share: Fraction = 0.1):
    """SGDP (Heo, Chun, Oh, Han, Yun, Kim, Uh & Ha 2021, arXiv 2006.08217, algorithm 1): momentum without radial steps.

    From momentum and adamp: momentum in place of Adam, with the same projection.
    Vectors have plain momentum, as in the authors' code, and channels are those of `adamp`. With Nesterov's look-ahead:
    `chain(nesterov(), only(is_matrix, tangent()))`.
    Differs from the authors' code: weight_decay / (1 - mu).
    """
    return chain(momentum(mu), tangential(delta, weight_decay, share))


def tangential(delta, weight_decay, share):
    """Return the projection for matrices, and decay alone for the rest."""
    return choose((is_matrix, tangent(delta, weight_decay, share)), otherwise=decay(weight_decay))
