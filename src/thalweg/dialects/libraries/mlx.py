"""mlx.optimizers. The learning rate is kept in float32: one that float32 holds exactly, as 2**-10, is compared."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.method import Method, given
from thalweg.dialects.variants import uncorrected_adam, uncorrected_adamax
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.adagrad import adagrad
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.descent.signs import lion
from thalweg.methods.matrices.adafactor import adafactor
from thalweg.methods.matrices.muon import muon
from thalweg.methods.moments.adam import adam, adamax
from thalweg.stages.decay import decay

VERSION = "0.32.4"
FILE = "mlx/optimizers/optimizers.py"
LR = {"learning_rate": None}
AT = {"learning_rate": 2.0**-10}
FLOAT32 = "scalars of a step, the corrections among them, are computed in float32"
ADAM = {**LR, "betas": (0.9, 0.999), "eps": 1e-8}
UNCORRECTED = "neither moment is corrected for its start at 0, unless bias_correction=True"


def _descent(o: Any) -> Stage:
    core = sgd() if o.momentum == 0 else nesterov(o.momentum) if o.nesterov else momentum(o.momentum, o.dampening)
    return chain(decay(o.weight_decay), core)


def _adam(o: Any) -> Stage:
    return (adam if o.bias_correction else uncorrected_adam)(*o.betas, o.eps)


METHODS = (
    Method("SGD", FILE, {**LR, "momentum": 0.0, "weight_decay": 0.0, "dampening": 0.0, "nesterov": False}, _descent,
           settings=(given(**AT), given(**AT, momentum=0.9, dampening=0.5),
                     given(**AT, momentum=0.9, nesterov=True, weight_decay=0.01)), rate="learning_rate"),
    Method("RMSprop", FILE, {**LR, "alpha": 0.99, "eps": 1e-8}, lambda o: rmsprop(o.alpha, o.eps), settings=(given(**AT),),
           rate="learning_rate"),
    Method("Adagrad", FILE, {**LR, "eps": 1e-8}, lambda o: adagrad(o.eps), settings=(given(**AT),), rate="learning_rate"),
    Method("AdaDelta", FILE, {**LR, "rho": 0.9, "eps": 1e-6}, lambda o: adadelta(o.rho, o.eps), settings=(given(**AT),),
           rate="learning_rate"),
    Method("Adam", FILE, {**ADAM, "bias_correction": False}, lambda o: adam(*o.betas, o.eps), UNCORRECTED, _adam,
           (given(**AT), given("", **AT, bias_correction=True)), "learning_rate", FLOAT32),
    Method("AdamW", FILE, {**ADAM, "weight_decay": 0.01, "bias_correction": False},
           lambda o: chain(adam(*o.betas, o.eps), decay(o.weight_decay)), UNCORRECTED,
           lambda o: chain(_adam(o), decay(o.weight_decay)), (given(**AT), given("", **AT, bias_correction=True)),
           "learning_rate", FLOAT32),
    Method("Adamax", FILE, ADAM, lambda o: adamax(*o.betas),
           "the first moment is not corrected, and epsilon is added to the maximum; the paper corrects it and has no epsilon",
           lambda o: uncorrected_adamax(*o.betas, o.eps), (given(**AT),), "learning_rate"),
    Method("Lion", FILE, {**LR, "betas": (0.9, 0.99), "weight_decay": 0.0},
           lambda o: chain(lion(*o.betas), decay(o.weight_decay)), settings=(given(**AT), given(**AT, weight_decay=0.1)),
           rate="learning_rate"),
    Method("Adafactor", FILE,
           {"learning_rate": None, "eps": (1e-30, 1e-3), "clip_threshold": 1.0, "decay_rate": -0.8, "weight_decay": 0.0,
            "scale_parameter": True, "relative_step": True},
           lambda o: adafactor(o.decay_rate, *o.eps, o.clip_threshold, 0.0, o.relative_step, o.scale_parameter),
           settings=(given(), given(**AT, relative_step=False)), rate=lambda o: 1e-2 if o.relative_step else o.learning_rate, remains=FLOAT32),
    Method("Muon", FILE, {**LR, "momentum": 0.95, "weight_decay": 0.01, "nesterov": True, "ns_steps": 5},
           lambda o: chain(muon(o.momentum, o.nesterov, ns_steps=o.ns_steps), decay(o.weight_decay)),
           "the decay is coupled: it is added to the gradient, before the momentum",
           lambda o: chain(decay(o.weight_decay), muon(o.momentum, o.nesterov, "average", o.ns_steps)),
           (given(**AT), given("", **AT, weight_decay=0.0)), "learning_rate", "the iteration's matrix products are of float32",
           matrices=True),
)  # fmt: skip
