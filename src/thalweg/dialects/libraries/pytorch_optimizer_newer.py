"""Of pytorch_optimizer: what is newer than 2018, and Adam's kin with its epsilon under and beside the root."""

from __future__ import annotations

from typing import Any

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import Stage, chain
from thalweg.dialects.method import Method, given
from thalweg.dialects.variants import bcos_of_new, kate_of_growing_eps, late_avagrad, partial_adam, srmm_in_place
from thalweg.methods.adaptive.avagrad import avagrad
from thalweg.methods.adaptive.bcos import bcos
from thalweg.methods.adaptive.kate import kate
from thalweg.methods.adaptive.msvag import msvag
from thalweg.methods.averaged.schedule_free import schedule_free_adamw, schedule_free_radam, schedule_free_sgd
from thalweg.methods.descent.signs import focus, tiger
from thalweg.methods.descent.srmm import srmm
from thalweg.methods.layers.layerwise import fromage
from thalweg.methods.matrices.adafactor import adafactor
from thalweg.methods.matrices.conda import conda
from thalweg.methods.moments.adabound import adabound
from thalweg.methods.moments.adam import adam
from thalweg.methods.moments.adapnm import adapnm
from thalweg.methods.moments.adashift import adashift
from thalweg.methods.moments.ademamix import ademamix
from thalweg.methods.moments.adopt import adopt
from thalweg.methods.moments.amsgrad import padam
from thalweg.methods.moments.diffgrad import diffgrad
from thalweg.methods.moments.exadam import exadam
from thalweg.methods.moments.laprop import laprop
from thalweg.methods.moments.mars import grams, mars
from thalweg.methods.moments.qhadam import qhadam
from thalweg.methods.moments.stable_adamw import adams, stable_adamw
from thalweg.methods.moments.yogi import ano
from thalweg.methods.rate_free.adamg import adamg
from thalweg.methods.tensors.adanorm import adanorm
from thalweg.ops import outside
from thalweg.stages.decay import decay

PLACE = "pytorch_optimizer/optimizer/"
LR = {"lr": 1e-3}
ADAM = {**LR, "betas": (0.9, 0.999), "eps": 1e-8}
RAW = "epsilon is beside the root of the uncorrected second moment, and 1e-15 under it"
PAIR = (0.9, 0.999)


def raw(o: Any) -> Any:
    """Return its usual epsilon: beside the uncorrected root, with a second one under it."""
    return outside(o.eps, raw=True, root=1e-15)


def _bound(o: Any) -> dict[str, Any]:
    return {"gamma": o.gamma, "eps": o.eps, "sqrt_decay": False, "bias_correction": True, "base_lr": o.lr}


def _conda(o: Any, eps: Any) -> Stage:
    return choose((is_matrix, conda(o.update_proj_gap, *o.betas, eps)), otherwise=adam(*o.betas, eps))


FREE = {"lr": 2.5e-3, "betas": PAIR, "weight_decay": 0.0, "weight_lr_power": 2.0, "eps": 1e-8}


METHODS = (
    Method("AdaBound", PLACE + "adabound.py", {**ADAM, "final_lr": 0.1, "gamma": 1e-3},
           lambda o: adabound(*o.betas, o.final_lr),
           "as the authors' code: Adam's corrections and an epsilon, the bounds close at the rate gamma, and nothing is divided by "
           "sqrt(t)", lambda o: adabound(*o.betas, o.final_lr, **_bound(o)),
           remains="1e-15 is added under the root"),
    Method("AdaNorm", PLACE + "adanorm.py", {**LR, "betas": (0.9, 0.99), "eps": 1e-8}, lambda o: adanorm(*o.betas, eps=o.eps), RAW,
           lambda o: adanorm(*o.betas, eps=raw(o))),
    Method("AdaPNM", PLACE + "adapnm.py", {**LR, "betas": (0.9, 0.999, 1.0), "eps": 1e-8},
           lambda o: adapnm(o.betas[2], *o.betas[:2], o.eps), RAW, lambda o: adapnm(o.betas[2], *o.betas[:2], raw(o))),
    Method("AdaShift", PLACE + "adashift.py", {**LR, "reduce_func": "torch.amax"}, lambda o: adashift(),
           settings=(given(reduce_func=None),), only={"reduce_func": None}),
    Method("AdEMAMix", PLACE + "ademamix.py", {**LR, "betas": (0.9, 0.999, 0.9999), "alpha": 5.0, "eps": 1e-8},
           lambda o: ademamix(*o.betas, o.alpha, o.eps)),
    Method("ADOPT", PLACE + "adopt.py", {**LR, "betas": (0.9, 0.9999), "eps": 1e-6}, lambda o: adopt(*o.betas, o.eps),
           "the limit of the first step that moves is the fourth root of 2, not of 1: steps are counted from the one before",
           lambda o: adopt(*o.betas, o.eps, c=lambda t: t**0.25)),
    Method("Conda", PLACE + "conda.py", {**ADAM, "update_proj_gap": 2000},
           lambda o: _conda(o, o.eps), "epsilon is beside the root of the uncorrected second moment", lambda o: _conda(o, outside(o.eps, raw=True)),
           (given(), given(lr=1e-2)), remains="the singular vectors are computed in float32"),
    Method("DiffGrad", PLACE + "diffgrad.py", ADAM, lambda o: diffgrad(*o.betas, o.eps), RAW, lambda o: diffgrad(*o.betas, raw(o))),
    Method("Fromage", PLACE + "fromage.py", {"lr": 1e-2}, lambda o: fromage()),
    Method("Grams", PLACE + "grams.py", {**LR, "betas": PAIR, "eps": 1e-6, "weight_decay": 0.0},
           lambda o: grams(*o.betas, o.eps, o.weight_decay), settings=(given(), given(weight_decay=0.1))),
    Method("LaProp", PLACE + "laprop.py", {"lr": 4e-4, "betas": PAIR, "eps": 1e-15}, lambda o: laprop(*o.betas, o.eps),
           "1e-15 is under the root as well", lambda o: laprop(*o.betas, raw(o)), remains="1e-15 is added under the root"),
    Method("MARS", PLACE + "mars.py",
           {"lr": 3e-3, "betas": (0.95, 0.99), "gamma": 0.025, "eps": 1e-8, "weight_decay": 0.0, "optimize_1d": False},
           lambda o: mars(o.gamma, *o.betas, o.eps, o.weight_decay), RAW,
           lambda o: mars(o.gamma, *o.betas, raw(o), o.weight_decay), (given(optimize_1d=True),), only={"optimize_1d": True}),
    Method("PAdam", PLACE + "padam.py", {"lr": 0.1, "betas": PAIR, "eps": 1e-8, "partial": 0.25},
           lambda o: padam(*o.betas, o.partial), "no maximum of the second moments, Adam's corrections, and an epsilon beside the root",
           lambda o: partial_adam(*o.betas, o.eps, o.partial), (given(), given(lr=1e-3, partial=0.5))),
    Method("QHAdam", PLACE + "qhadam.py", {**ADAM, "nus": (1.0, 1.0)},
           lambda o: qhadam(*o.nus, *o.betas, o.eps), settings=(given(nus=(0.7, 1.0), betas=(0.995, 0.999)),),
           remains="the corrections are computed in float32"),
    Method("StableAdamW", PLACE + "adamw.py", {**LR, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 1e-2},
           lambda o: stable_adamw(*o.betas, o.eps, o.weight_decay)),
    Method("AdamG", PLACE + "adamg.py", {"lr": 1.0, "betas": (0.95, 0.999, 0.95), "p": 0.2, "q": 0.24, "eps": 1e-8},
           lambda o: adamg(*o.betas, o.p, o.q, o.eps), settings=(given(), given(lr=0.2))),
    Method("AdamS", PLACE + "adams.py", {**ADAM, "weight_decay": 1e-4}, lambda o: adams(*o.betas, o.eps, o.weight_decay),
           settings=(given(weight_decay=0.0), given(weight_decay=0.1)), remains="epsilon is added to the root of the mean as well"),
    Method("Ano", PLACE + "ano.py", {"lr": 1e-4, "betas": (0.92, 0.99), "weight_decay": 0.0, "eps": 1e-8},
           lambda o: chain(ano(*o.betas, o.eps), decay(o.weight_decay)), settings=(given(lr=1e-2), given(lr=1e-2, weight_decay=0.1))),
    Method("AvaGrad", PLACE + "avagrad.py", {"lr": 0.1, "betas": PAIR, "eps": 0.1}, lambda o: avagrad(*o.betas, o.eps),
           "as the authors' code: Adam's corrections, the size of the rates of one step before, and no first step",
           lambda o: late_avagrad(*o.betas, o.eps)),
    Method("BCOS", PLACE + "bcos.py", {**LR, "beta": 0.9, "simple_cond": False, "weight_decay": 0.1, "eps": 1e-6},
           lambda o: chain(bcos(o.beta, o.eps), decay(o.weight_decay)),
           "the estimator has the new average in the place of the old one, which is overwritten before; and with simple_cond=False three "
           "terms where the authors' code has two",
           lambda o: chain(bcos_of_new(o.beta, o.eps, o.simple_cond), decay(o.weight_decay)),
           (given(), given("the estimator has the new average in the place of the old one, which is overwritten before", simple_cond=True))),
    Method("EXAdam", PLACE + "exadam.py", ADAM, lambda o: exadam(*o.betas, o.eps)),
    Method("FOCUS", PLACE + "focus.py", {"lr": 1e-2, "betas": PAIR, "gamma": 0.1}, lambda o: focus(*o.betas, o.gamma)),
    Method("Kate", PLACE + "kate.py", {**LR, "delta": 0.0, "eps": 1e-8}, lambda o: kate(o.delta, o.eps),
           "epsilon is added to the sum of squares at each step, where the authors' code adds it once",
           lambda o: kate_of_growing_eps(o.delta, o.eps), (given(), given(delta=0.1))),
    Method("MSVAG", PLACE + "msvag.py", {"lr": 1e-2, "beta": 0.9}, lambda o: msvag(o.beta)),
    Method("SRMM", PLACE + "srmm.py", {"lr": 1e-2, "beta": 0.5, "memory_length": 100}, lambda o: srmm(o.beta),
           "as the authors' code: the average of points starts at 0, and is overwritten by each new point, so that the first step shrinks "
           "a parameter to 0.71 of itself, and the others follow the average of the gradients alone; t begins anew every 100 steps",
           lambda o: srmm_in_place(o.beta, o.memory_length), (given(), given(memory_length=7))),
    Method("Tiger", PLACE + "tiger.py", {**LR, "beta": 0.965, "weight_decay": 0.01}, lambda o: tiger(o.beta, o.weight_decay),
           settings=(given(), given(beta=0.5, weight_decay=0.1))),
    Method("AdaFactor", PLACE + "adafactor.py",
           {**LR, "betas": (0.9, 0.999), "eps1": 1e-30, "eps2": 1e-3, "relative_step": True},
           lambda o: adafactor(eps1=o.eps1, eps2=o.eps2, relative_step=o.relative_step),
           settings=(given(betas=(None, 0.999)), given(lr=1e-2, betas=(None, 0.999), relative_step=False)),
           rate=lambda o: 1e-2 if o.relative_step else o.lr, only={"betas": (None, 0.999)}),
    Method("ScheduleFreeSGD", PLACE + "schedulefree.py", {"lr": 1.0, "momentum": 0.9, "weight_decay": 0.0},
           lambda o: schedule_free_sgd(o.momentum, weight_decay=o.weight_decay),
           settings=(given(lr=0.1), given(lr=0.1, weight_decay=0.1))),
    Method("ScheduleFreeAdamW", PLACE + "schedulefree.py", FREE,
           lambda o: schedule_free_adamw(*o.betas, o.eps, o.weight_decay, o.weight_lr_power),
           "as the authors' later code the second moment is corrected, and not the rate; 1e-15 is added under the root",
           lambda o: schedule_free_adamw(*o.betas, outside(o.eps, root=1e-15), o.weight_decay, o.weight_lr_power, "moment"),
           (given(), given(lr=1e-2, weight_decay=0.1))),
    Method("ScheduleFreeRAdam", PLACE + "schedulefree.py", FREE,
           lambda o: schedule_free_radam(*o.betas, o.eps, o.weight_decay, o.weight_lr_power),
           settings=(given(), given(lr=1e-2, weight_decay=0.1))),
)  # fmt: skip
