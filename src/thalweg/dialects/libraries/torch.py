"""torch.optim."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.method import Method, given
from thalweg.dialects.torch import TORCH
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.adagrad import adagrad
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.asgd import asgd
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.rprop import rprop
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.matrices.adafactor import adafactor
from thalweg.methods.matrices.muon import muon
from thalweg.methods.moments.adam import adam, adamax, nadam, radam
from thalweg.methods.moments.amsgrad import amsgrad
from thalweg.stages.decay import decay

VERSION = "2.13.0"
L2 = {"weight_decay": 0.0, "maximize": False}
ADAM = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}
FLAGS = {"amsgrad": False, "maximize": False}
AMSGRAD = (
    "with Adam's corrections and at a steady rate, where the paper has neither and divides by sqrt(t); the maximum is of the "
    "uncorrected second moment"
)
MU_PRODUCT = "the product of the momenta is kept in float32"
ASGD_FLOAT32 = "the rate and the weight of the mean are kept in float32"


def _descent(o: Any) -> Stage:
    core = sgd() if o.momentum == 0 else (nesterov if o.nesterov else momentum)(o.momentum)
    return chain(decay(o.weight_decay), core)


def _adam(o: Any) -> Stage:
    core = (amsgrad if o.amsgrad else adam)(*o.betas, o.eps)
    return chain(core, decay(o.weight_decay)) if o.decoupled_weight_decay else chain(decay(o.weight_decay), core)


METHODS = (
    Method(
        "SGD", "torch/optim/sgd.py",
        {"lr": 1e-3, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False, "maximize": False},
        _descent, "", TORCH["SGD"].stages,
        (
            given(), given(momentum=0.9), given(momentum=0.9, nesterov=True, weight_decay=0.01),
            given("the first gradient enters the buffer whole, whatever the dampening", momentum=0.9, dampening=0.5),
        ),
    ),
    Method(
        "Adam", "torch/optim/adam.py", {**ADAM, "weight_decay": 0.0, **FLAGS, "decoupled_weight_decay": False},
        _adam, "", TORCH["Adam"].stages, (given(), given(weight_decay=0.01), given(AMSGRAD, amsgrad=True)),
    ),
    Method(
        "AdamW", "torch/optim/adamw.py", {**ADAM, "weight_decay": 0.01, **FLAGS, "decoupled_weight_decay": True},
        _adam, "", TORCH["AdamW"].stages, (given(), given(AMSGRAD, amsgrad=True)),
    ),
    Method(
        "NAdam", "torch/optim/nadam.py",
        {**ADAM, "lr": 2e-3, "momentum_decay": 4e-3, "decoupled_weight_decay": False, **L2},
        lambda o: nadam(*o.betas, o.eps, o.momentum_decay),
        "the gradients are averaged with the constant beta1 and not the scheduled momentum, and there is no factor beta2 before "
        "the second moment", TORCH["NAdam"].stages, remains=MU_PRODUCT,
    ),
    Method(
        "RAdam", "torch/optim/radam.py", {**ADAM, "decoupled_weight_decay": False, **L2},
        lambda o: radam(*o.betas), "an epsilon, beside the root of the uncorrected second moment, and rectified above a length of "
        "5, where the paper has none and 4", TORCH["RAdam"].stages,
    ),
    Method(
        "Adamax", "torch/optim/adamax.py", {**ADAM, "lr": 2e-3, **L2}, lambda o: adamax(*o.betas),
        "an epsilon is added to each |g| in the maximum; the paper has none", TORCH["Adamax"].stages,
    ),
    Method(
        "RMSprop", "torch/optim/rmsprop.py",
        {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False, **L2},
        lambda o: chain(rmsprop(o.alpha, o.eps, o.centered), *([momentum(o.momentum)] if o.momentum else [])),
        "", TORCH["RMSprop"].stages, (given(), given(momentum=0.9), given(centered=True)),
    ),
    Method(
        "Adagrad", "torch/optim/adagrad.py", {"lr": 1e-2, "lr_decay": 0.0, "eps": 1e-10, **L2}, lambda o: adagrad(o.eps),
        "", TORCH["Adagrad"].stages, (given(), given("", lr_decay=0.01)), TORCH["Adagrad"].rate,
    ),
    Method(
        "Adadelta", "torch/optim/adadelta.py", {"lr": 1.0, "rho": 0.9, "eps": 1e-6, **L2}, lambda o: adadelta(o.rho, o.eps),
        "", TORCH["Adadelta"].stages,
    ),
    Method(
        "Rprop", "torch/optim/rprop.py", {"lr": 1e-2, "etas": (0.5, 1.2), "step_sizes": (1e-6, 50.0), "maximize": False},
        lambda o: rprop(*o.etas, *o.step_sizes, backtracking=True),
        "a change of sign makes no step, as in iRprop-; the paper of 1993 takes the last step back", TORCH["Rprop"].stages,
    ),
    Method(
        "ASGD", "torch/optim/asgd.py", {"lr": 1e-2, "lambd": 1e-4, "alpha": 0.75, "t0": 1e6, **L2},
        lambda o: asgd(o.lambd, o.alpha, o.t0), "", TORCH["ASGD"].stages,
        remains=ASGD_FLOAT32,
    ),
    Method(
        "Adafactor", "torch/optim/_adafactor.py",
        {"lr": 1e-2, "beta2_decay": -0.8, "eps": (None, 1e-3), "d": 1.0, "weight_decay": 0.0, "maximize": False},
        lambda o: adafactor(o.beta2_decay, eps2=o.eps[1], d=o.d, weight_decay=o.weight_decay),
        "eps1 is the least that a mean square may be, and is the dtype's spacing at 1; the paper adds 1e-30 to each square",
        TORCH["Adafactor"].stages,
    ),
    Method(
        "Muon", "torch/optim/_muon.py",
        {
            "lr": 1e-3, "weight_decay": 0.1, "momentum": 0.95, "nesterov": True, "ns_coefficients": (3.4445, -4.7750, 2.0315),
            "eps": 1e-7, "ns_steps": 5, "adjust_lr_fn": None,
        },
        lambda o: chain(
            muon(o.momentum, o.nesterov, ns_steps=o.ns_steps, eps=o.eps, scale=o.adjust_lr_fn or "original"), decay(o.weight_decay)
        ),
        "the iteration runs in bfloat16, as the authors' code does, and eps is the least divisor", TORCH["Muon"].stages,
        (given(), given(adjust_lr_fn="match_rms_adamw")), matrices=True, remains="the iteration runs in bfloat16",
    ),
)  # fmt: skip
