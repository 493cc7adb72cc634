"""TensorFlow 1: tf.compat.v1.train, without the part "Optimizer" of the names."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.method import Method, given
from thalweg.dialects.plain import starting
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.adagrad import adagrad
from thalweg.methods.adaptive.ftrl import ftrl
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.moments.adam import adam
from thalweg.ops import inside, outside
from thalweg.stages.learning_rate import learning_rate

VERSION = "2.21.0"
LR = {"learning_rate": None}
AT = {"learning_rate": 1e-2}
PLACE = "tensorflow/python/training/"


def _rmsprop(o: Any, eps: Any, first: float) -> Stage:
    core = starting(rmsprop(o.decay, eps(o.epsilon), o.centered), v=first)
    return chain(core, learning_rate(), momentum(o.momentum)) if o.momentum else chain(core)


METHODS = (
    Method("GradientDescent", PLACE + "gradient_descent.py", LR, lambda o: sgd(), settings=(given(**AT),), rate="learning_rate"),
    Method("Momentum", PLACE + "momentum.py", {**LR, "momentum": None, "use_nesterov": False},
           lambda o: (nesterov if o.use_nesterov else momentum)(o.momentum), rate="learning_rate",
           settings=(given(**AT, momentum=0.9), given(**AT, momentum=0.9, use_nesterov=True))),
    Method("Adagrad", PLACE + "adagrad.py", {**LR, "initial_accumulator_value": 0.1}, lambda o: adagrad(0.0),
           "the sum of squares starts at 0.1", lambda o: starting(adagrad(0.0), G=o.initial_accumulator_value),
           (given(**AT),), "learning_rate"),
    Method("Adadelta", PLACE + "adadelta.py", {"learning_rate": 1e-3, "rho": 0.95, "epsilon": 1e-8},
           lambda o: adadelta(o.rho, o.epsilon), rate="learning_rate"),
    Method("RMSProp", PLACE + "rmsprop.py",
           {**LR, "decay": 0.9, "momentum": 0.0, "epsilon": 1e-10, "centered": False},
           lambda o: _rmsprop(o, outside, 0.0), "the average of squares starts at 1, and epsilon is under the root",
           lambda o: _rmsprop(o, inside, 1.0), (given(**AT), given(**AT, momentum=0.9), given(**AT, centered=True)),
           "learning_rate"),
    Method("Adam", PLACE + "adam.py", {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
           lambda o: adam(o.beta1, o.beta2, o.epsilon),
           "epsilon is beside the root of the uncorrected second moment, the form that ends section 2 of the paper",
           lambda o: adam(o.beta1, o.beta2, outside(o.epsilon, raw=True)), rate="learning_rate",
           remains="the powers of beta1 and beta2 are kept in float32"),
    Method("Ftrl", PLACE + "ftrl.py",
           {**LR, "learning_rate_power": -0.5, "initial_accumulator_value": 0.1, "l1_regularization_strength": 0.0,
            "l2_regularization_strength": 0.0, "beta": None},
           lambda o: ftrl(o.beta or 0.0, o.l1_regularization_strength, o.l2_regularization_strength),
           "the sum of squares starts at 0.1, so that the first rate is that of a later step of the paper",
           lambda o: starting(ftrl(o.beta or 0.0, o.l1_regularization_strength, 2 * o.l2_regularization_strength),
                              n=o.initial_accumulator_value),
           (given(**AT), given(**AT, l1_regularization_strength=0.1)), "learning_rate", only={"learning_rate_power": -0.5}),
)  # fmt: skip
