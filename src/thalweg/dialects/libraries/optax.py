"""optax, but for optax.contrib."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.libraries.optax_contrib import METHODS as CONTRIB
from thalweg.dialects.libraries.optax_contrib import asked, of
from thalweg.dialects.method import Build, Method, given
from thalweg.dialects.optax import OPTAX
from thalweg.dialects.plain import starting
from thalweg.dialects.variants import adan_with_swapped_share, corrected_yogi, late_rprop
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.adagrad import adagrad
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.optimistic import optimistic_adam, optimistic_gd
from thalweg.methods.descent.rprop import rprop
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.descent.signs import lion, signsgd, signum
from thalweg.methods.layers.layerwise import fromage, lamb, lars, novograd
from thalweg.methods.matrices.adafactor import adafactor
from thalweg.methods.matrices.sm3 import sm3
from thalweg.methods.moments.adabelief import adabelief
from thalweg.methods.moments.adam import adam, adamax, nadam, radam
from thalweg.methods.moments.adan import adan
from thalweg.methods.moments.amsgrad import amsgrad
from thalweg.methods.moments.yogi import yogi
from thalweg.ops import outside
from thalweg.stages.decay import decay

VERSION = "0.2.8"
LR = {"learning_rate": None}
B = {**LR, "b1": 0.9, "b2": 0.999, "eps": 1e-8}
ROOT = {"eps_root": 0.0}
DECAY = {"weight_decay": 0.0, "mask": None}
ALIAS = "optax/_src/alias.py"
AT = {"learning_rate": 1e-2}
NADAM = (
    "the momentum is constant, where Dozat's warms up, with Nesterov's look-ahead on it, and there is no factor beta2 before the "
    "second moment"
)
AMSGRAD = "with Adam's corrections and at a steady rate, where the paper has neither and divides by sqrt(t); the maximum is of "
AMSGRAD += "the corrected second moment"


def _descent(o: Any) -> Stage:
    return chain(sgd() if o.momentum is None else (nesterov if o.nesterov else momentum)(o.momentum))


def _nadam(o: Any) -> Stage:
    return chain(nadam(o.b1, o.b2, outside(o.eps, root=o.eps_root)), decay(o.weight_decay))


def _rmsprop(o: Any) -> Stage:
    core = rmsprop(o.decay, o.eps, o.centered)
    return chain(core) if o.momentum is None else chain(core, (nesterov if o.nesterov else momentum)(o.momentum))


def _alias(name: str, defaults: dict[str, Any], paper: Build, differs: str = "", *settings: Any, **more: Any) -> Method:
    row = OPTAX[name]
    more = {"theirs": of(row), "rate": row.rate if name in ("adadelta", "adafactor") else asked(row), **more}
    return Method(name, ALIAS, defaults, paper, differs, settings=settings or (given(**AT),), **more)


METHODS = (
    _alias("sgd", {**LR, "momentum": None, "nesterov": False}, _descent, "", given(**AT), given(**AT, momentum=0.9),
           given(**AT, momentum=0.9, nesterov=True)),
    _alias("adam", {**B, **ROOT, "nesterov": False}, lambda o: adam(o.b1, o.b2, o.eps)),
    _alias("adamw", {**B, **ROOT, **DECAY, "weight_decay": 1e-4, "nesterov": False},
           lambda o: chain(adam(o.b1, o.b2, o.eps), decay(o.weight_decay))),
    _alias("nadam", {**B, **ROOT, **DECAY, "nesterov": True}, _nadam, NADAM),
    _alias("nadamw", {**B, **ROOT, **DECAY, "weight_decay": 1e-4, "nesterov": True}, _nadam, NADAM),
    _alias("adamax", B, lambda o: adamax(o.b1, o.b2), "an epsilon is added to each |g| in the maximum; the paper has none"),
    _alias("adamaxw", {**B, **DECAY, "weight_decay": 1e-4}, lambda o: chain(adamax(o.b1, o.b2), decay(o.weight_decay)),
           "an epsilon is added to each |g| in the maximum; the paper has none"),
    _alias("radam", {**B, **ROOT, "threshold": 5.0, "nesterov": False}, lambda o: radam(o.b1, o.b2),
           "an epsilon beside the root, and rectified from a length of 5, where the paper has none and 4",
           only={"nesterov": False}),
    _alias("amsgrad", {**B, **ROOT, "bias_correction_mu": True, "bias_correction_nu": True},
           lambda o: amsgrad(o.b1, o.b2, o.eps), AMSGRAD),
    _alias("adabelief", {**B, "eps": 1e-16, "eps_root": 1e-16, "nesterov": False}, lambda o: adabelief(o.b1, o.b2, o.eps),
           "", given(**AT), given("the second epsilon, which is added at every step, is a separate argument", **AT, eps_root=0.0),
           only={"nesterov": False}),
    _alias("adan", {**B, "b1": 0.98, "b2": 0.92, "b3": 0.99, "eps_root": 1e-8, **DECAY}, lambda o: adan(o.b1, o.b2, o.b3, o.eps),
           "differences of gradients have the weight 1 - b2, 0.08, where the paper and the authors' code have 0.92; the averages "
           "start at 0 and are corrected, and there is a second epsilon, under the root",
           theirs=lambda o: chain(adan_with_swapped_share(o.b1, o.b2, o.b3, outside(o.eps, root=o.eps_root)), decay(o.weight_decay))),
    _alias("yogi", {**B, "eps": 1e-3}, lambda o: yogi(o.b1, o.b2, o.eps),
           "both moments start at 1e-6, the first one too, and are corrected as Adam's are",
           theirs=lambda o: starting(corrected_yogi(o.b1, o.b2, o.eps), m=1e-6, v=1e-6)),
    _alias("rmsprop", {**LR, "decay": 0.9, "eps": 1e-8, "initial_scale": 0.0, "eps_in_sqrt": True, "centered": False,
                       "momentum": None, "nesterov": False, "bias_correction": False}, _rmsprop,
           "epsilon is under the root", given(**AT), given(**AT, momentum=0.9), given(**AT, centered=True),
           given("", **AT, eps_in_sqrt=False),
           given("the average of squares starts at 1, as in TensorFlow 1", **AT, initial_scale=1.0, eps_in_sqrt=False)),
    _alias("adagrad", {**LR, "initial_accumulator_value": 0.1, "eps": 1e-7}, lambda o: adagrad(o.eps),
           "the sum of squares starts at 0.1, and epsilon is under the root"),
    _alias("adadelta", {**LR, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.0, "weight_decay_mask": None},
           lambda o: adadelta(o.rho, o.eps)),
    _alias("adafactor", {**LR, "min_dim_size_to_factor": 128, "decay_rate": 0.8, "decay_offset": 0,
                         "multiply_by_parameter_scale": True, "clipping_threshold": 1.0, "momentum": None,
                         "weight_decay_rate": None, "eps": 1e-30, "factored": True, "weight_decay_mask": None},
           lambda o: adafactor(-o.decay_rate, d=o.clipping_threshold, relative_step=False,
                               parameter_scale=o.multiply_by_parameter_scale),
           "only matrices with 128 rows and columns or more are factored, and the decay of the averages is computed in float32",
           given(**AT), given("", **AT, min_dim_size_to_factor=1), remains="the decay of the averages is computed in float32"),
    _alias("lion", {**LR, "b1": 0.9, "b2": 0.99, **DECAY, "weight_decay": 1e-3},
           lambda o: chain(lion(o.b1, o.b2), decay(o.weight_decay))),
    _alias("sign_sgd", LR, lambda o: signsgd()),
    _alias("signum", {**LR, "beta": 0.9}, lambda o: signum(o.beta)),
    _alias("lars", {**LR, "weight_decay": 0.0, "weight_decay_mask": True, "trust_coefficient": 1e-3, "eps": 0.0,
                    "trust_ratio_mask": True, "momentum": 0.9, "nesterov": False},
           lambda o: lars(o.momentum, o.weight_decay, o.trust_coefficient), "", given(**AT),
           given("the ratio has the norm of gradient and decay together, the paper the sum of their norms", **AT, weight_decay=0.01)),
    _alias("lamb", {**B, "eps": 1e-6, **ROOT, **DECAY}, lambda o: lamb(o.b1, o.b2, o.eps, o.weight_decay), "", given(**AT),
           given(**AT, weight_decay=0.01)),
    _alias("novograd", {**B, "b2": 0.25, "eps": 1e-6, **ROOT, "weight_decay": 0.0},
           lambda o: novograd(o.b1, o.b2, o.eps, o.weight_decay), "", given(**AT), given(**AT, weight_decay=0.01)),
    _alias("fromage", {**LR, "min_norm": 1e-6}, lambda o: fromage()),
    _alias("optimistic_gradient_descent", {**LR, "alpha": 1.0, "beta": 1.0}, lambda o: optimistic_gd(o.alpha, o.beta)),
    _alias("optimistic_adam_v2", {**LR, "alpha": 1.0, "beta": 1.0, **B, **ROOT, "nesterov": True},
           lambda o: optimistic_adam(o.b1, o.b2, o.eps, o.alpha, o.beta), "Nadam at a constant momentum in Adam's place",
           given(**AT), given("", **AT, nesterov=False)),
    _alias("rprop", {**LR, "eta_minus": 0.5, "eta_plus": 1.2, "min_step_size": 1e-6, "max_step_size": 50.0},
           lambda o: rprop(o.eta_minus, o.eta_plus, o.min_step_size, o.max_step_size, backtracking=True),
           "the step handed out is that of the update before: the first is 0, and one that a change of sign should take back or "
           "omit is made late", theirs=lambda o: late_rprop(o.eta_minus, o.eta_plus, o.min_step_size, o.max_step_size)),
    _alias("sm3", {**LR, "momentum": 0.9}, lambda o: chain(sm3(), momentum(o.momentum)),
           "with an average in place of momentum, and 1e-8 beside the root"),
    *CONTRIB,
)  # fmt: skip
