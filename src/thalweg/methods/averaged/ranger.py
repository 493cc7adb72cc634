"""Ranger: RAdam that looks ahead."""

from typing import Annotated

from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, EpsOrZero, Fraction, NonNegative, Range
from thalweg.methods.moments.adam import radam
from thalweg.ops import outside
from thalweg.rule import recipe
from thalweg.stages.after import lookahead
from thalweg.stages.decay import decay


@recipe(lr=1e-3, search=(1e-4, 1e0))
def ranger(
    *, k: Count = 6, alpha: Fraction = 0.5, beta1: Decay = 0.95, beta2: Decay = 0.999, eps: EpsOrZero = outside(1e-5, raw=True),
    threshold: Annotated[float, Range(4)] = 5.0, weight_decay: NonNegative = 0.0,
):  # fmt: skip
    """Ranger (Wright 2019, github.com/lessw2020/Ranger-Deep-Learning-Optimizer): RAdam with Lookahead.

    From radam: Lookahead: every few steps slow weights go part of the way to the fast ones, which start again from there.
    There is no paper; the epsilon and the threshold are the code's. The slow weights are the ones to ship. Later versions of the
    code centralize gradients: `chain(only(is_matrix, centralize()), ranger())`.
    """
    return chain(radam(beta1, beta2, eps, threshold), decay(weight_decay), lookahead(k, alpha))
