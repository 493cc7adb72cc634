"""chainer.optimizers; the library is archived."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.method import Method, given
from thalweg.dialects.variants import corrected_amsgrad, nesterov_of_new
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.adagrad import adagrad
from thalweg.methods.adaptive.rmsprop import rmsprop, rmsprop_graves, smorms3
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.moments.adabound import adabound, amsbound
from thalweg.methods.moments.adam import adam
from thalweg.methods.moments.amsgrad import amsgrad
from thalweg.ops import inside, outside
from thalweg.stages.decay import decay, independent_decay
from thalweg.stages.learning_rate import learning_rate

VERSION = "7.8.1"
PLACE = "chainer/optimizers/"
LR = {"lr": 0.01}
BALL = {**LR, "momentum": 0.9}
ADAM = {"alpha": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
BOUND = {**ADAM, "final_lr": 0.1, "gamma": 1e-3}
RAW = "epsilon is beside the root of the uncorrected second moment, the form that ends section 2 of Adam's paper"
BOUNDED = (
    "as the authors' code: Adam's corrections and an epsilon, the bounds close at the rate gamma, and nothing is divided by "
    "sqrt(t); the final rate follows alpha"
)


def _raw_adam(o: Any) -> Stage:
    return adam(o.beta1, o.beta2, outside(o.eps, raw=True))


def _as_authors(o: Any) -> dict[str, Any]:
    return {"gamma": o.gamma, "eps": o.eps, "sqrt_decay": False, "bias_correction": True, "base_lr": o.alpha}


METHODS = (
    Method("SGD", PLACE + "sgd.py", LR, lambda o: sgd()),
    Method("MomentumSGD", PLACE + "momentum_sgd.py", BALL, lambda o: chain(learning_rate(), momentum(o.momentum))),
    Method("CorrectedMomentumSGD", PLACE + "corrected_momentum_sgd.py", BALL, lambda o: momentum(o.momentum)),
    Method("NesterovAG", PLACE + "nesterov_ag.py", BALL, lambda o: chain(learning_rate(), nesterov(o.momentum)),
           "its formula is for the velocity before the update, and takes the one after it",
           lambda o: chain(learning_rate(), nesterov_of_new(o.momentum))),
    Method("AdaGrad", PLACE + "ada_grad.py", {"lr": 1e-3, "eps": 1e-8}, lambda o: adagrad(o.eps)),
    Method("AdaDelta", PLACE + "ada_delta.py", {"rho": 0.95, "eps": 1e-6}, lambda o: adadelta(o.rho, o.eps), rate=lambda o: 1.0),
    Method("RMSprop", PLACE + "rmsprop.py", {**LR, "alpha": 0.99, "eps": 1e-8, "eps_inside_sqrt": False},
           lambda o: rmsprop(o.alpha, o.eps), "", lambda o: rmsprop(o.alpha, (inside if o.eps_inside_sqrt else outside)(o.eps)),
           (given(), given("epsilon is under the root", eps_inside_sqrt=True))),
    Method("RMSpropGraves", PLACE + "rmsprop_graves.py", {"lr": 1e-4, "alpha": 0.95, "momentum": 0.9, "eps": 1e-4},
           lambda o: rmsprop_graves(o.alpha, o.momentum, o.eps)),
    Method("SMORMS3", PLACE + "smorms3.py", {"lr": 1e-3, "eps": 1e-16}, lambda o: smorms3(o.eps)),
    Method("Adam", PLACE + "adam.py", ADAM, lambda o: adam(o.beta1, o.beta2, o.eps), RAW, _raw_adam, rate="alpha"),
    Method("AdamW", PLACE + "adam.py", {**ADAM, "weight_decay_rate": 0.0},
           lambda o: chain(adam(o.beta1, o.beta2, o.eps), decay(o.weight_decay_rate)), RAW,
           lambda o: chain(_raw_adam(o), learning_rate(), independent_decay(o.weight_decay_rate)),
           (given(), given("the decay is not multiplied by alpha; " + RAW, weight_decay_rate=1e-4)), "alpha"),
    Method("AMSGrad", PLACE + "adam.py", ADAM, lambda o: amsgrad(o.beta1, o.beta2, o.eps),
           "with Adam's corrections and at a steady rate, where the paper has neither and divides by sqrt(t); the maximum is of "
           "the uncorrected second moment, and epsilon beside its root",
           lambda o: corrected_amsgrad(o.beta1, o.beta2, outside(o.eps, raw=True)), rate="alpha"),
    Method("AdaBound", PLACE + "adam.py", BOUND, lambda o: adabound(o.beta1, o.beta2, o.final_lr), BOUNDED,
           lambda o: adabound(o.beta1, o.beta2, o.final_lr, **_as_authors(o)), rate="alpha"),
    Method("AMSBound", PLACE + "adam.py", BOUND, lambda o: amsbound(o.beta1, o.beta2, o.final_lr), BOUNDED,
           lambda o: amsbound(o.beta1, o.beta2, o.final_lr, **_as_authors(o)), rate="alpha"),
)  # fmt: skip
