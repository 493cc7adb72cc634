"""Keras 3, whose optimizers are the same on all its backends."""

from __future__ import annotations

from typing import Any

from thalweg.core.compose import choose
from thalweg.core.stage import Stage, chain
from thalweg.dialects.method import Build, Method, given
from thalweg.dialects.plain import starting
from thalweg.dialects.variants import bounded_adamax, corrected_amsgrad, schedule_free_from_new
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.adagrad import adagrad
from thalweg.methods.adaptive.ftrl import ftrl
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.averaged.schedule_free import schedule_free_adamw
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.descent.signs import lion
from thalweg.methods.layers.layerwise import lamb
from thalweg.methods.matrices.adafactor import adafactor
from thalweg.methods.matrices.muon import muon
from thalweg.methods.moments.adam import adam, adamax, nadam
from thalweg.methods.moments.amsgrad import amsgrad
from thalweg.ops import inside, outside
from thalweg.stages.after import schedule_free
from thalweg.stages.decay import decay
from thalweg.stages.learning_rate import learning_rate

VERSION = "3.15.1"
LR = {"learning_rate": 1e-3}
B = {**LR, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
RAW = "epsilon is beside the root of the uncorrected second moment, the form that ends section 2 of Adam's paper"
AMSGRAD = (
    "with Adam's corrections and at a steady rate, where the paper has neither and divides by sqrt(t); the maximum is of the "
    "uncorrected second moment, and epsilon beside its root"
)
NADAM = (
    "the momentum warms up with 0.96^t, where Dozat, torch and Keras 2 have 0.96^(0.004 t), and so is at its end after some "
    "hundred steps; the gradients are averaged with the constant beta_1; no factor beta_2 is before the second moment"
)


def _decayed(build: Build) -> Build:
    """Add its decoupled decay, which all its optimizers have."""
    return lambda o: chain(build(o), decay(o.weight_decay or 0.0))


def _keras(name: str, defaults: dict[str, Any], paper: Build, differs: str = "", *settings: Any, **more: Any) -> Method:
    if "theirs" in more:
        more["theirs"] = _decayed(more["theirs"])
    file, all_defaults = f"keras/src/optimizers/{name.lower()}.py", {"weight_decay": None, **defaults}
    return Method(
        name, file, all_defaults, _decayed(paper), differs, settings=settings or (given(),), rate="learning_rate", **more
    )


def _own(name: str, defaults: dict[str, Any], paper: Build, differs: str = "", **more: Any) -> Method:
    """Return a row without the decay: theirs goes before the step, which here depends on the parameter."""
    return Method(name, f"keras/src/optimizers/{name.lower()}.py", defaults, paper, differs, rate="learning_rate", **more)


def _descent(o: Any) -> Stage:
    return chain(sgd()) if o.momentum == 0 else chain(learning_rate(), (nesterov if o.nesterov else momentum)(o.momentum))


def _rmsprop(o: Any, eps: Any) -> Stage:
    core = rmsprop(o.rho, eps(o.epsilon), o.centered)
    return chain(core, learning_rate(), momentum(o.momentum)) if o.momentum else chain(core)


def _adam(o: Any) -> Stage:
    return (corrected_amsgrad if o.amsgrad else adam)(o.beta_1, o.beta_2, outside(o.epsilon, raw=True))


def _muon(o: Any, paper: bool) -> Stage:
    eps = o.epsilon if paper else outside(o.epsilon, raw=True)
    rest = chain(adam(o.adam_beta_1, o.adam_beta_2, eps), decay(o.adam_weight_decay)).at(o.learning_rate * o.adam_lr_ratio)
    scale = "original" if paper else "match_rms_adamw"
    numbers = {"ns_steps": o.ns_steps, "a": o.muon_a, "b": o.muon_b, "c": o.muon_c, "rms": o.rms_rate}
    core = chain(muon(o.momentum, o.nesterov, scale=scale, **numbers), decay(o.weight_decay))
    return choose((lambda leaf: len(leaf.shape) == 2, core), otherwise=rest)


def _schedule_free(o: Any) -> Stage:
    """Return it on a backend, which is Keras' setting and not an argument of the optimizer."""
    after = schedule_free_from_new if o.backend == "torch" else schedule_free
    return chain(adam(0.0, o.beta_2, o.epsilon), after(o.beta_1))


METHODS = (
    _keras("SGD", {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}, _descent, "", given(), given(momentum=0.9),
           given(momentum=0.9, nesterov=True), given(weight_decay=0.01)),
    _keras("RMSprop", {**LR, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False}, lambda o: _rmsprop(o, outside),
           "epsilon is under the root", given(), given(momentum=0.9), given(centered=True),
           theirs=lambda o: _rmsprop(o, inside)),
    _keras("Adam", {**B, "amsgrad": False},
           lambda o: (amsgrad if o.amsgrad else adam)(o.beta_1, o.beta_2, o.epsilon), RAW, given(), given(AMSGRAD, amsgrad=True),
           theirs=_adam),
    _keras("AdamW", {**B, "amsgrad": False, "weight_decay": 0.004}, lambda o: (amsgrad if o.amsgrad else adam)(o.beta_1, o.beta_2, o.epsilon), RAW,
           theirs=_adam),
    _keras("Adadelta", {**LR, "rho": 0.95, "epsilon": 1e-7}, lambda o: adadelta(o.rho, o.epsilon)),
    _keras("Adagrad", {**LR, "initial_accumulator_value": 0.1, "epsilon": 1e-7}, lambda o: adagrad(o.epsilon),
           "the sum of squares starts at 0.1, and epsilon is under the root",
           theirs=lambda o: starting(adagrad(inside(o.epsilon)), G=o.initial_accumulator_value)),
    _keras("Adamax", B, lambda o: adamax(o.beta_1, o.beta_2), "epsilon is added to the maximum; the paper has none",
           theirs=lambda o: bounded_adamax(o.beta_1, o.beta_2, o.epsilon)),
    _keras("Nadam", B, lambda o: nadam(o.beta_1, o.beta_2, o.epsilon), NADAM,
           theirs=lambda o: nadam(o.beta_1, o.beta_2, o.epsilon, psi=1.0, average="constant", nu_factor=False)),
    _own("Ftrl", {**LR, "learning_rate_power": -0.5, "initial_accumulator_value": 0.1, "l1_regularization_strength": 0.0,
                  "l2_regularization_strength": 0.0, "beta": 0.0},
         lambda o: ftrl(o.beta, o.l1_regularization_strength, o.l2_regularization_strength),
         "the sum of squares starts at 0.1, so that the first rate is that of the second step of the paper",
         theirs=lambda o: starting(ftrl(o.beta, o.l1_regularization_strength, 2 * o.l2_regularization_strength),
                                   n=o.initial_accumulator_value),
         only={"learning_rate_power": -0.5}),
    _keras("Lion", {**LR, "beta_1": 0.9, "beta_2": 0.99}, lambda o: lion(o.beta_1, o.beta_2), "", given(), given(weight_decay=0.1)),
    _own("Lamb", B, lambda o: lamb(o.beta_1, o.beta_2, o.epsilon, 0.0)),
    _own("Adafactor", {**LR, "beta_2_decay": -0.8, "epsilon_1": 1e-30, "epsilon_2": 1e-3, "clip_threshold": 1.0,
                       "relative_step": True},
         lambda o: adafactor(o.beta_2_decay, o.epsilon_1, o.epsilon_2, o.clip_threshold, 0.0, o.relative_step),
         remains="on PyTorch beta_2_decay is rounded to float32"),
    _own("ScheduleFreeAdamW", {"learning_rate": 0.0025, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "backend": "jax"},
         lambda o: schedule_free_adamw(o.beta_1, o.beta_2, o.epsilon),
         "as the authors' later code: the second moment is corrected, and not the rate", theirs=_schedule_free,
         settings=(given(backend="jax"), given(backend="tensorflow"), given(
             "the second moment is corrected, and not the rate; and on PyTorch the walked point of before the step, from which the "
             "average is recovered, is the tensor that the step has already changed", backend="torch"))),
    _own("Muon", {**LR, "adam_beta_1": 0.9, "adam_beta_2": 0.999, "epsilon": 1e-7, "weight_decay": 0.004,
                  "muon_a": 3.4445, "muon_b": -4.7750, "muon_c": 2.0315, "adam_lr_ratio": 1, "momentum": 0.95, "ns_steps": 5,
                  "nesterov": True, "rms_rate": 0.2, "adam_weight_decay": 0.004},
         lambda o: _muon(o, True), "the scale is 0.2 sqrt(max(rows, columns)), of Liu et al. 2025, and Adam's epsilon, for the "
         "rest, is beside the uncorrected root", theirs=lambda o: _muon(o, False), remains="constants of the iteration are rounded to float32 on some backends"),
)  # fmt: skip
