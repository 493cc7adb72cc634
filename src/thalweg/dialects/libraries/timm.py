"""timm.optim: the classes that are its own, and not torch's."""

from __future__ import annotations

from typing import Any

from thalweg.core.compose import choose
from thalweg.core.stage import Stage, chain
from thalweg.dialects.method import Method, given
from thalweg.dialects.plain import starting
from thalweg.dialects.variants import (
    corrected_adan,
    corrected_amsgrad,
    local_rate_with_eps,
    mars_from_the_second,
    nadam_of_next_average,
    normalized_within,
)
from thalweg.methods.adaptive.madgrad import madgrad
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.descent.signs import lion
from thalweg.methods.layers.layerwise import lamb, lars, novograd
from thalweg.methods.matrices.adafactor import adafactor, adafactor_matrix, adafactor_vector
from thalweg.methods.moments.adabelief import adabelief
from thalweg.methods.moments.adam import adam, nadam, radam
from thalweg.methods.moments.adan import adan
from thalweg.methods.moments.adopt import adopt
from thalweg.methods.moments.amsgrad import amsgrad
from thalweg.methods.moments.laprop import laprop
from thalweg.methods.moments.mars import mars
from thalweg.ops import inside, outside
from thalweg.stages.agree import cautious
from thalweg.stages.clip import clip
from thalweg.stages.decay import decay
from thalweg.stages.learning_rate import learning_rate
from thalweg.stages.trust_ratio import trust_ratio

VERSION = "1.0.31"
PLACE = "timm/optim/"
LR = {"lr": 1e-3}
ADAM = {**LR, "betas": (0.9, 0.999), "eps": 1e-8}


def _adamw(o: Any, largest: Any) -> Stage:
    careful = [cautious()] if o.caution else []
    return chain((largest if o.amsgrad else adam)(*o.betas, o.eps), *careful, decay(o.weight_decay))


def _ball(o: Any) -> Stage:
    return chain(sgd()) if o.momentum == 0 else chain((nesterov if o.nesterov else momentum)(o.momentum))


def _rmsprop_tf(o: Any, eps: Any, first: float) -> Stage:
    core = starting(rmsprop(o.alpha, eps(o.eps), o.centered), v=first)
    return chain(core, learning_rate(), momentum(o.momentum)) if o.momentum else chain(core)


def _lamb(o: Any) -> Stage:
    limit = [] if o.max_grad_norm is None else [clip(o.max_grad_norm)]
    adapted = [trust_ratio()] if o.weight_decay or o.always_adapt else []
    return chain(*limit, adam(*o.betas, o.eps), decay(o.weight_decay), *adapted)


def _lars(o: Any) -> Stage:
    if o.weight_decay or o.always_adapt:
        return chain(local_rate_with_eps(o.weight_decay, o.trust_coeff, o.eps), *_ball(o).parts)
    return _ball(o)


def _adafactor(o: Any) -> Stage:
    forms = {"eps1": o.eps, "beta2_decay": o.decay_rate, "d": o.clip_threshold}
    forms |= {"relative_step": o.lr is None, "parameter_scale": o.lr is None}
    least = o.min_dim_size_to_factor
    return choose((_Both(least), adafactor_matrix(**forms)), otherwise=adafactor_vector(**forms))


class _Both:
    """Whether both sides of a matrix are longer than this."""

    __name__ = "large"

    def __init__(self, least: int) -> None:
        self.least = least

    def __call__(self, leaf: Any) -> bool:
        return len(leaf.shape) == 2 and min(leaf.shape) >= self.least


METHODS = (
    Method("AdamWLegacy", PLACE + "adamw.py", {**ADAM, "weight_decay": 0.01, "amsgrad": False, "caution": False},
           lambda o: _adamw(o, amsgrad), "", lambda o: _adamw(o, corrected_amsgrad),
           (given(), given(caution=True), given("with Adam's corrections and at a steady rate, where the paper has neither and "
                                                "divides by sqrt(t)", amsgrad=True))),
    Method("NAdamLegacy", PLACE + "nadam.py", {"lr": 2e-3, "betas": (0.9, 0.999), "eps": 1e-8, "schedule_decay": 4e-3},
           lambda o: nadam(*o.betas, o.eps, o.schedule_decay),
           "the gradients are averaged with the constant beta1 and not the scheduled momentum, and there is no factor beta2 "
           "before the second moment",
           lambda o: nadam(*o.betas, o.eps, o.schedule_decay, average="constant", nu_factor=False)),
    Method("NAdamW", PLACE + "nadamw.py", {**ADAM, "weight_decay": 0.01},
           lambda o: chain(nadam(*o.betas, o.eps), decay(o.weight_decay)),
           "the momentum is constant, the look-ahead is that of the average itself and corrected by 1 - beta1^t, and there is no "
           "factor beta2 before the second moment",
           lambda o: chain(nadam_of_next_average(*o.betas, o.eps), decay(o.weight_decay))),
    Method("RAdamLegacy", PLACE + "radam.py", ADAM, lambda o: radam(*o.betas),
           "an epsilon, beside the root of the uncorrected second moment, and rectified above a length of 5, where the paper has "
           "none and 4", lambda o: radam(*o.betas, outside(o.eps, raw=True), 5.0), (given(lr=0.1),), remains="the arithmetic is of float32, and so are the parameters"),
    Method("RMSpropTF", PLACE + "rmsprop_tf.py",
           {"lr": 1e-2, "alpha": 0.9, "eps": 1e-10, "momentum": 0.0, "centered": False},
           lambda o: _rmsprop_tf(o, outside, 0.0),
           "the average of squares starts at 1, and epsilon is under the root, as in TensorFlow 1",
           lambda o: _rmsprop_tf(o, inside, 1.0), (given(), given(momentum=0.9), given(centered=True))),
    Method("SGDW", PLACE + "sgdw.py", {**LR, "momentum": 0.0, "weight_decay": 0.0, "nesterov": False},
           lambda o: chain(_ball(o), decay(o.weight_decay)),
           settings=(given(), given(momentum=0.9, weight_decay=0.1), given(momentum=0.9, nesterov=True, weight_decay=0.1))),
    Method("Lion", PLACE + "lion.py", {"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0},
           lambda o: chain(lion(*o.betas), decay(o.weight_decay)), settings=(given(), given(lr=1e-3, weight_decay=0.1))),
    Method("Adan", PLACE + "adan.py", {**LR, "betas": (0.98, 0.92, 0.99), "eps": 1e-8}, lambda o: adan(*o.betas, o.eps),
           "as the authors' code: the averages start at 0 and are corrected, where the paper starts them at the first gradient",
           lambda o: corrected_adan(*o.betas, o.eps)),
    Method("Lamb", PLACE + "lamb.py",
           {**LR, "betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.01, "max_grad_norm": 1.0, "always_adapt": False},
           lambda o: lamb(*o.betas, o.eps, o.weight_decay),
           "the gradients are clipped to a global norm of 1 first", _lamb,
           (given(), given("", max_grad_norm=None), given("without decay there is no trust ratio, unless always_adapt=True: Adam",
                                                          max_grad_norm=None, weight_decay=0.0),
            given("", max_grad_norm=None, weight_decay=0.0, always_adapt=True))),
    Method("Lars", PLACE + "lars.py",
           {"lr": 1.0, "momentum": 0, "weight_decay": 0, "nesterov": False, "trust_coeff": 1e-3, "eps": 1e-8, "always_adapt": False},
           lambda o: lars(o.momentum, o.weight_decay, o.trust_coeff),
           "without decay there is no trust ratio, unless always_adapt=True: SGD", _lars,
           (given(momentum=0.9), given("an epsilon is added to the divisor", momentum=0.9, weight_decay=0.01),
            given("an epsilon is added to the divisor", momentum=0.9, always_adapt=True))),
    Method("NvNovoGrad", PLACE + "nvnovograd.py", {**LR, "betas": (0.95, 0.98), "eps": 1e-8, "weight_decay": 0},
           lambda o: novograd(*o.betas, o.eps, o.weight_decay), settings=(given(), given(weight_decay=0.01)),
           remains="the second moment is kept in float32"),
    Method("MADGRAD", PLACE + "madgrad.py", {"lr": 1e-2, "momentum": 0.9, "eps": 1e-6},
           lambda o: madgrad(o.momentum, o.eps), "epsilon is added to the learning rate too, as in the authors' code",
           lambda o: madgrad(o.momentum, o.eps).at(o.lr + o.eps)),
    Method("AdaBelief", PLACE + "adabelief.py",
           {**LR, "betas": (0.9, 0.999), "eps": 1e-16, "weight_decay": 0, "rectify": True},
           lambda o: adabelief(*o.betas, o.eps), settings=(given(rectify=False),), only={"rectify": False}),
    Method("Adopt", PLACE + "adopt.py", {**LR, "betas": (0.9, 0.9999), "eps": 1e-6, "clip_exp": 0.333},
           lambda o: adopt(*o.betas, o.eps), "the limit is t^0.333, the paper's and the authors' code's t^0.25",
           lambda o: adopt(*o.betas, o.eps, c=lambda t: max((t - 1.0) ** o.clip_exp, 1e-300)), (given(), given("", clip_exp=0.25))),
    Method("LaProp", PLACE + "laprop.py", {"lr": 4e-4, "betas": (0.9, 0.999), "eps": 1e-15}, lambda o: laprop(*o.betas, o.eps),
           remains="the correction of the second moment is kept in float32"),
    Method("Mars", PLACE + "mars.py",
           {"lr": 3e-3, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.0, "gamma": 0.025, "optimize_1d": False},
           lambda o: mars(o.gamma, *o.betas, o.eps, o.weight_decay),
           "the first gradient is not corrected, where the authors' code takes 0 for the gradient before it",
           lambda o: chain(mars_from_the_second(o.gamma, o.betas[0]), normalized_within(1.0), adam(*o.betas, o.eps),
                           decay(o.weight_decay)), (given(optimize_1d=True),), only={"optimize_1d": True}),
    Method("Adafactor", PLACE + "adafactor.py",
           {"lr": None, "eps": 1e-30, "clip_threshold": 1.0, "decay_rate": -0.8, "min_dim_size_to_factor": 16},
           lambda o: adafactor(o.decay_rate, o.eps, d=o.clip_threshold, relative_step=o.lr is None),
           "only matrices with 16 rows and columns or more are factored", _adafactor,
           (given(), given("", min_dim_size_to_factor=1),
            given("with a learning rate of one's own the step is not multiplied by the parameter's size", lr=1e-2,
                  min_dim_size_to_factor=1)), lambda o: 1e-2 if o.lr is None else o.lr),
)  # fmt: skip
