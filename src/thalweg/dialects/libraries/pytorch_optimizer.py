"""pytorch_optimizer: the classes that are its own, and not torch's."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.libraries.pytorch_optimizer_newer import METHODS as NEWER
from thalweg.dialects.libraries.pytorch_optimizer_whole import METHODS as WHOLE
from thalweg.dialects.method import Build, Method, given
from thalweg.dialects.plain import starting
from thalweg.dialects.variants import (
    adamod_of_corrected,
    corrected_adan,
    corrected_yogi,
    first_correction,
    rest_while_short,
    uncorrected_adam,
    undamped_momentum,
)
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.ftrl import ftrl
from thalweg.methods.adaptive.madgrad import madgrad
from thalweg.methods.descent.accsgd import accsgd
from thalweg.methods.descent.aggmo import aggmo
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.pid import pid
from thalweg.methods.descent.pnm import pnm
from thalweg.methods.descent.qhm import qhm
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.descent.signs import lion, signsgd, signum
from thalweg.methods.layers.layerwise import lamb, novograd
from thalweg.methods.moments.adabelief import adabelief
from thalweg.methods.moments.adam import adamax, radam
from thalweg.methods.moments.adamod import adamod
from thalweg.methods.moments.adan import adan
from thalweg.methods.moments.yogi import yogi
from thalweg.ops import outside
from thalweg.stages.decay import decay
from thalweg.stages.trust_ratio import trust_ratio

VERSION = "4.1.0"
PLACE = "pytorch_optimizer/optimizer/"
LR = {"lr": 1e-3}
ADAM = {**LR, "betas": (0.9, 0.999), "eps": 1e-8}
WD = {"weight_decay": 0.0}


def _decayed(build: Build, decoupled: bool = True) -> Build:
    if decoupled:
        return lambda o: chain(build(o), decay(o.weight_decay))
    return lambda o: chain(decay(o.weight_decay), build(o))


def _ball(o: Any) -> Stage:
    if o.momentum == 0:
        return sgd()
    if o.nesterov:
        return nesterov(o.momentum)
    return undamped_momentum(o.momentum, o.dampening) if o.dampening else momentum(o.momentum)


def _radam(o: Any) -> Stage:
    core = radam(*o.betas, outside(o.eps, raw=True), 5.0)
    return chain(core) if o.degenerated_to_sgd else chain(core, rest_while_short(o.betas[1], 5.0))


def _lamb(o: Any) -> Stage:
    return chain(uncorrected_adam(*o.betas, o.eps), trust_ratio(high=10.0, eps=o.eps), first_correction(o.betas[0]))


METHODS = (
    Method("AccSGD", PLACE + "sgd.py", {**LR, "kappa": 1000.0, "xi": 10.0, "constant": 0.7},
           lambda o: accsgd(o.kappa, o.xi, o.constant)),
    Method("AdaBelief", PLACE + "adabelief.py", {**LR, "betas": (0.9, 0.999), "eps": 1e-16, **WD},
           _decayed(lambda o: adabelief(*o.betas, o.eps)), settings=(given(), given(weight_decay=0.1))),
    Method("AdaDelta", PLACE + "adadelta.py", {"lr": 1.0, "rho": 0.9, "eps": 1e-6, **WD},
           _decayed(lambda o: adadelta(o.rho, o.eps), False), settings=(given(), given(weight_decay=0.1))),
    Method("AdaMax", PLACE + "adamax.py", {**ADAM, **WD, "weight_decouple": False},
           lambda o: adamax(*o.betas), "an epsilon is added to each |g| in the maximum; the paper has none",
           lambda o: _decayed(lambda o: adamax(*o.betas, o.eps), o.weight_decouple)(o),
           (given(),)),
    Method("AdaMod", PLACE + "adamod.py", {**LR, "betas": (0.9, 0.99, 0.9999), "eps": 1e-8},
           lambda o: adamod(*o.betas, o.eps), "as the authors' code: both corrections are part of the bounded rate, "
           "where the paper's has that of the second moment alone",
           lambda o: adamod_of_corrected(*o.betas, outside(o.eps, raw=True))),
    Method("Adan", PLACE + "adan.py", {**LR, "betas": (0.98, 0.92, 0.99), "eps": 1e-8}, lambda o: adan(*o.betas, o.eps),
           "as the authors' code: the averages start at 0 and are corrected, where the paper starts them at the first gradient",
           lambda o: corrected_adan(*o.betas, o.eps)),
    Method("AggMo", PLACE + "aggmo.py", LR, lambda o: aggmo()),
    Method("FTRL", PLACE + "ftrl.py", {**LR, "beta": 0.0, "lambda_1": 0.0, "lambda_2": 0.0},
           lambda o: ftrl(o.beta, o.lambda_1, o.lambda_2),
           settings=(given(lr=0.1), given(lr=0.1, beta=1.0, lambda_1=0.1, lambda_2=0.1))),
    Method("Lamb", PLACE + "lamb.py", {**LR, "betas": (0.9, 0.999), "eps": 1e-6},
           lambda o: lamb(*o.betas, o.eps, 0.0),
           "the moments are not corrected before the trust ratio; the whole step is divided by 1 - beta1^t behind it, so that the "
           "first is ten times as long; the parameter's norm counts as 10 at most, and an epsilon is in the ratio", _lamb),
    Method("Lion", PLACE + "lion.py", {"lr": 1e-4, "betas": (0.9, 0.99), **WD}, _decayed(lambda o: lion(*o.betas)),
           settings=(given(), given(lr=1e-3, weight_decay=0.1))),
    Method("MADGRAD", PLACE + "madgrad.py", {**LR, "momentum": 0.9, "eps": 1e-6}, lambda o: madgrad(o.momentum, o.eps),
           "epsilon is added to the learning rate too, as in the authors' code",
           lambda o: madgrad(o.momentum, o.eps).at(o.lr + o.eps)),
    Method("NovoGrad", PLACE + "novograd.py", {**LR, "betas": (0.95, 0.98), "eps": 1e-8, **WD, "weight_decouple": False},
           lambda o: novograd(*o.betas, o.eps, o.weight_decay), settings=(given(), given(weight_decay=0.01))),
    Method("PID", PLACE + "pid.py", {**LR, "momentum": 0.0, "integral": 5.0, "derivative": 10.0},
           lambda o: pid(o.momentum, 1.0, o.integral, o.derivative) if o.momentum else sgd(),
           settings=(given(momentum=0.9), given())),
    Method("PNM", PLACE + "pnm.py", {**LR, "betas": (0.9, 1.0)}, lambda o: pnm(o.betas[1], o.betas[0])),
    Method("QHM", PLACE + "qhm.py", {**LR, "momentum": 0.0, "nu": 1.0}, lambda o: qhm(o.nu, o.momentum),
           settings=(given(momentum=0.999, nu=0.7),)),
    Method("RAdam", PLACE + "radam.py", {**ADAM, "degenerated_to_sgd": False}, lambda o: radam(*o.betas),
           "it rests until it is rectified, above a length of 5, where the paper moves like momentum, up to 4; an epsilon, beside "
           "the root of the uncorrected second moment", _radam,
           (given(), given("an epsilon, beside the root of the uncorrected second moment, and rectified above a length of 5, where the "
                  "paper has none and 4", degenerated_to_sgd=True),)),
    Method("SGDW", PLACE + "sgd.py", {"lr": 1e-4, "momentum": 0.0, **WD, "dampening": 0.0, "nesterov": False},
           _decayed(lambda o: momentum(o.momentum, o.dampening) if o.momentum and not o.nesterov else _ball(o)), "",
           _decayed(_ball),
           (given(lr=1e-2), given(lr=1e-2, momentum=0.9, weight_decay=0.1), given(lr=1e-2, momentum=0.9, nesterov=True),
            given("the first gradient enters the buffer whole, whatever the dampening", lr=1e-2, momentum=0.9, dampening=0.5))),
    Method("SignSGD", PLACE + "lion.py", {**LR, "momentum": 0.9}, lambda o: signum(o.momentum) if o.momentum else signsgd(),
           settings=(given(), given(momentum=0.0))),
    Method("Yogi", PLACE + "yogi.py", {"lr": 1e-2, "betas": (0.9, 0.999), "initial_accumulator": 1e-6, "eps": 1e-3},
           lambda o: yogi(*o.betas, o.eps), "both moments start at 1e-6, the first one too, and are corrected as Adam's are",
           lambda o: starting(corrected_yogi(*o.betas, o.eps), m=o.initial_accumulator, v=o.initial_accumulator)),
    *NEWER,
    *WHOLE,
)  # fmt: skip
