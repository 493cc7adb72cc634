"""MARS, Grams and AdamC: AdamW with one stage more."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, NonNegative, Positive
from thalweg.methods.moments.adam import adam
from thalweg.ops import outside
from thalweg.rule import recipe
from thalweg.stages.agree import gradient_sign
from thalweg.stages.clip import clip_each
from thalweg.stages.decay import corrected_decay, decay
from thalweg.stages.filter import gradient_correction


@recipe(lr=3e-3, search=(1e-4, 1e0))
def mars(
    *, gamma: NonNegative = 0.025, beta1: Decay = 0.95, beta2: Decay = 0.99, eps: Eps = outside(1e-8),
    weight_decay: NonNegative = 0.01,
):  # fmt: skip
    """MARS (Yuan, Liu, Wu, Zhou & Gu 2024, arXiv 2411.10438, algorithm 2, MARS-AdamW): AdamW of variance-reduced gradients.

    From adamw: the change of the gradient is added to it, and the result clipped, before Adam sees it.
    The change of the gradient is added, and a tensor's corrected gradient is then clipped to the norm 1. This is the approximate
    form, which needs one gradient a step. The authors' code has it for matrices only, and AdamW for the rest.
    """
    return chain(gradient_correction(gamma, beta1), clip_each(1.0), adam(beta1, beta2, eps), decay(weight_decay))


@recipe(lr=1e-3, search=(1e-4, 1e0))
def grams(*, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-6), weight_decay: NonNegative = 0.0):
    """Grams (Cao, Li, Liang, Sha, Shi, Song, Xia & Zhou 2024, arXiv 2412.17107, algorithm 1).

    From adam: Adam's step keeps its size and takes the sign of the gradient.
    Gradient descent with adaptive momentum scaling: Adam's size of each step, with the sign of the gradient.
    """
    return chain(adam(beta1, beta2, eps), gradient_sign(), decay(weight_decay))


@recipe(lr=1e-3, search=(1e-4, 1e0))
def adamc(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), weight_decay: NonNegative = 0.05,
    max_lr: Positive = 1e-3,
):  # fmt: skip
    """AdamC (Defazio 2025, arXiv 2506.02285, algorithm 1): AdamW with corrected weight decay.

    From adamw: the decay follows the square of the rate's schedule.
    The decay is multiplied by lr^2 / max_lr, max_lr being the largest rate of the schedule. The algorithm is for layers before a
    normalization, and has AdamW for the others, such as the last: `choose((named("head"), adamw()), otherwise=adamc())`.
    """
    return chain(adam(beta1, beta2, eps), corrected_decay(weight_decay, max_lr))
