"""Schedule-free SGD, AdamW and RAdam: rules that take gradients between the iterate and its average, and ship the average."""

from typing import Literal

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, NonNegative
from thalweg.form.memory import like_p, per_tensor, shipped
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.moments.adam import adam, rectification
from thalweg.ops import X, outside, sqrt, where
from thalweg.rule import after_step, recipe, rule
from thalweg.stages.after import schedule_free, weight_of_new
from thalweg.stages.decay import decay


@recipe(lr=1.0, search=(1e-3, 1e1))
def schedule_free_sgd(*, beta: Decay = 0.9, power: NonNegative = 2.0, weight_decay: NonNegative = 0.0):
    """Schedule-Free SGD (Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky 2024, arXiv 2405.15682, equations 2-4).

    From sgd and asgd: gradients are taken between the last point and the average of the points, which is shipped.
    The average is the point to ship. Decay, as in the paper's algorithm 1, is taken where the gradient is. A warm-up is a
    schedule of the rate, `warm_up(1000, 1.0)`; power is that of `schedule_free`.
    """
    return chain(sgd(), decay(weight_decay), schedule_free(beta, power))


@recipe(lr=2.5e-3, search=(1e-4, 1e0))
def schedule_free_adamw(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), weight_decay: NonNegative = 0.0,
    power: NonNegative = 2.0, correction: Literal["rate", "moment"] = "rate",
):  # fmt: skip
    """Schedule-Free AdamW (Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky 2024, arXiv 2405.15682, algorithm 1).

    From schedule_free_sgd and adamw: the steps are Adam's without momentum, with decoupled decay.
    beta1 is the place between iterate and average where gradient and decay are taken; there is no other momentum. The average
    is the point to ship. A warm-up is a schedule of the rate, `warm_up(1000, 2.5e-3)`. correction="rate": the bias correction
    of v, sqrt(1 - beta2^t), is part of the rate, and so of the decay and of the average's weights.
    Differs from the authors' code: it now has correction="moment", as optax, which corrects v itself; that is the steadier form.
    """
    if correction == "moment":
        return chain(adam(0.0, beta2, eps), decay(weight_decay), schedule_free(beta1, power))
    return chain(rmsprop(beta2, eps), decay(weight_decay), warmed(beta2), schedule_free_warmed(beta1, beta2, power))


@recipe(lr=2.5e-3, search=(1e-4, 1e0))
def schedule_free_radam(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), weight_decay: NonNegative = 0.0,
    power: NonNegative = 2.0,
):  # fmt: skip
    """Schedule-Free RAdam (Defazio et al. 2024, github.com/facebookresearch/schedule_free; their paper is arXiv 2405.15682).

    From schedule_free_adamw and radam: RAdam's factor is part of the rate, and of decay and weights, in a warm-up's place.
    No paper has it; as in the code, nothing moves until it is rectified: at beta2 = 0.999, in step 5.
    """
    by: Literal["rectified"] = "rectified"
    return chain(adam(0.0, beta2, eps), decay(weight_decay), warmed(beta2, by), schedule_free_warmed(beta1, beta2, power, by))


@rule
def warmed(g, t, *, beta2: Decay = 0.999, by: Literal["corrected", "rectified"] = "corrected"):
    """What arrives at a rate that begins small (Defazio et al. 2024, arXiv 2405.15682, algorithm 1): times sqrt(1 - beta2^t).

    by="rectified": times the factor of RAdam, which is 0 until it is rectified.
    """
    return warmth(t, beta2, by) * g


@after_step
def schedule_free_warmed(
    z, t, lr, x=shipped(like_p), top=per_tensor, total=per_tensor, *, beta: Decay = 0.9, beta2: Decay = 0.999,
    power: NonNegative = 2.0, by: Literal["corrected", "rectified"] = "corrected",
):  # fmt: skip
    """Schedule-Free learning (Defazio et al. 2024, arXiv 2405.15682, algorithm 1) behind `warmed`, whose rate has the weights."""
    c, top, total = weight_of_new(t, lr * warmth(t, beta2, by), top, total, power)
    x = x + c * (z - x)  # where nothing moves, not by a rounding either
    return x + (1 - beta) * (z - x), x, top, total


def warmth(t: X, beta2: X, by: str) -> X:
    """Return the share of the rate at step t."""
    if by == "corrected":
        return sqrt(1 - beta2**t)
    rho, r = rectification(t, beta2)
    return where(rho > 4, r, 0.0)
