"""Gradient descent with one rate for all or for each coordinate: momentum, Adagrad, RMSprop, signs, averages."""

from __future__ import annotations

from typing import Any

import numpy as np
from oracles import (
    acprop,
    adadelta,
    adagrad,
    aegd,
    asgd,
    avagrad,
    bcos,
    kate,
    madgrad,
    momenta,
    momentum,
    msvag,
    optimistic,
    polyak,
    rmsprop,
    rprop,
    sgd,
    signs,
    sm3,
    srmm,
    vsgd,
)

import thalweg as tw
from papers.case import WD, Case, halving, resting, shrinking
from thalweg.dialects import variants


def asgd_walked(*args: Any, **options: Any) -> np.ndarray:
    return asgd.asgd(*args, **options).w


CASES = [
    Case("sgd", tw.sgd, sgd.sgd),
    Case("sgd coupled", lambda: tw.chain(tw.decay(WD), tw.sgd()), sgd.sgd, {"weight_decay": WD}),
    Case("sgd decoupled", lambda: tw.chain(tw.sgd(), tw.decay(WD)), sgd.sgd, {"weight_decay": WD, "decay": "decoupled"}),
    Case("sgd independent", lambda: tw.chain(tw.sgd(), tw.learning_rate(), tw.independent_decay(WD)), sgd.sgd, {"weight_decay": WD, "decay": "independent"}, shrinking),
    Case("momentum", tw.momentum, momentum.momentum),
    Case("momentum mu=0", lambda: tw.momentum(0.0), momentum.momentum, {"mu": 0.0}),
    Case("momentum damped", lambda: tw.momentum(0.9, 0.1), momentum.momentum, {"dampening": 0.1}),
    Case("momentum damped but at first", lambda: variants.undamped_momentum(0.9, 0.3), momentum.momentum, {"dampening": 0.3, "first_undamped": True}),
    Case("momentum lr outside", tw.momentum, momentum.momentum, {"lr_inside": False}, halving),
    Case("momentum lr inside", lambda: tw.chain(tw.learning_rate(), tw.momentum()), momentum.momentum, {"lr_inside": True}, halving),
    Case("momentum coupled", lambda: tw.chain(tw.decay(WD), tw.momentum()), momentum.momentum, {"weight_decay": WD}),
    Case("nesterov", tw.nesterov, momentum.nesterov),
    Case("nesterov lr outside", tw.nesterov, momentum.nesterov, {"lr_inside": False}, halving),
    Case("sgdw", tw.sgdw, momentum.momentum, {"lr_inside": False, "weight_decay": 0.01, "decay": "decoupled"}, halving),
    Case("sgdw options", lambda: tw.sgdw(0.5, WD), momentum.momentum, {"mu": 0.5, "lr_inside": False, "weight_decay": WD, "decay": "decoupled"}),
    *(Case(f"qhm {options}", lambda options=options: tw.qhm(**options), momenta.qhm, options, lr)
      for options, lr in (({}, None), ({"nu": 0.4, "beta": 0.8}, halving), ({"nu": 0.0}, None), ({"nu": 1.0, "beta": 0.9}, halving))),
    Case("aggmo", tw.aggmo, momenta.aggmo),
    Case("aggmo options", lambda: tw.aggmo(0.8, 0.95), momenta.aggmo, {"betas": (0.0, 0.8, 0.95)}, halving),
    Case("pid", tw.pid, momenta.pid),
    Case("pid options", lambda: tw.pid(0.8, ki=2.0, kd=3.0), momenta.pid, {"mu": 0.8, "I": 2.0, "D": 3.0}, halving),
    Case("pid paper", lambda: tw.pid(kp=0.0, ki=1.0), momenta.pid, {"form": "paper"}),
    *(Case(f"accsgd {options}", lambda options=options: tw.accsgd(**options), momenta.accsgd, options, lr)
      for options, lr in (({}, None), ({"kappa": 30.0, "xi": 3.0, "c": 0.5}, halving))),
    *(Case(f"pnm {options}", lambda options=options: tw.pnm(**options), momenta.pnm, options, lr)
      for options, lr in (({}, None), ({"beta0": 0.3, "beta1": 0.6}, halving), ({"beta0": 0.0}, None))),
    Case("adagrad", tw.adagrad, adagrad.adagrad),
    Case("adagrad inside", lambda: tw.adagrad(eps=tw.inside(1e-8)), adagrad.adagrad, {"eps_place": "inside"}),
    Case("adagrad eps=0", lambda: tw.adagrad(eps=0.0), adagrad.adagrad, {"eps": 0.0}),
    Case("adagrad coupled", lambda: tw.chain(tw.decay(WD), tw.adagrad()), adagrad.adagrad, {"weight_decay": WD}),
    Case("adagrad numerator", lambda: tw.chain(tw.decay(WD), tw.adagrad(accumulate="raw", eps=0.1)), adagrad.adagrad, {"eps": 0.1, "weight_decay": WD, "decay": "numerator"}),
    Case("rmsprop", tw.rmsprop, rmsprop.rmsprop),
    Case("rmsprop inside", lambda: tw.rmsprop(0.99, eps=tw.inside(1e-8)), rmsprop.rmsprop, {"rho": 0.99, "eps_place": "inside"}),
    Case("rmsprop centred", lambda: tw.rmsprop(centred=True, eps=1e-3), rmsprop.rmsprop, {"centred": True, "eps": 1e-3}),
    Case("rmsprop centred inside", lambda: tw.rmsprop(centred=True, eps=tw.inside(1e-3)), rmsprop.rmsprop, {"centred": True, "eps": 1e-3, "eps_place": "inside"}),
    Case("rmsprop numerator", lambda: tw.chain(tw.decay(WD), tw.rmsprop(accumulate="raw", eps=0.1)), rmsprop.rmsprop, {"eps": 0.1, "weight_decay": WD, "decay": "numerator"}),
    Case("rmsprop + momentum, lr outside", lambda: tw.chain(tw.rmsprop(), tw.momentum()), rmsprop.rmsprop, {"mu": 0.9, "lr_inside": False}, shrinking),
    Case("rmsprop + momentum, lr inside", lambda: tw.chain(tw.rmsprop(), tw.learning_rate(), tw.momentum()), rmsprop.rmsprop, {"mu": 0.9}, shrinking),
    Case("rmsprop + nesterov", lambda: tw.chain(tw.rmsprop(), tw.nesterov()), rmsprop.rmsprop, {"mu": 0.9, "nesterov": "shifted"}),
    Case("rmsprop_graves", tw.rmsprop_graves, rmsprop.rmsprop_graves, {}, shrinking),
    Case("rmsprop_graves mu=0", lambda: tw.rmsprop_graves(mu=0.0), rmsprop.rmsprop_graves, {"mu": 0.0}),
    Case("smorms3", tw.smorms3, rmsprop.smorms3),
    Case("adadelta", tw.adadelta, adadelta.adadelta),
    Case("adadelta options", lambda: tw.adadelta(0.9, 1e-8), adadelta.adadelta, {"rho": 0.9, "eps": 1e-8}, 0.5),
    Case("signsgd", tw.signsgd, signs.signsgd),
    Case("signsgd schedule", tw.signsgd, signs.signsgd, {}, halving),
    Case("signum", tw.signum, signs.signum),
    Case("signum beta", lambda: tw.signum(0.6), signs.signum, {"beta": 0.6}, shrinking),
    Case("lion", tw.lion, signs.lion),
    Case("lion options", lambda: tw.chain(tw.lion(0.8, 0.95), tw.decay(WD)), signs.lion, {"beta1": 0.8, "beta2": 0.95, "weight_decay": WD}, shrinking),
    Case("tiger", tw.tiger, signs.tiger),
    Case("tiger options", lambda: tw.tiger(0.8, WD), signs.tiger, {"beta": 0.8, "weight_decay": WD}, shrinking),
    Case("tiger authors", lambda: tw.choose((tw.is_matrix, tw.chain(tw.tiger(), variants.in_parameters_size())), otherwise=tw.chain(tw.signum(0.965), variants.halved())),
         signs.tiger, {"form": "code"}, 1e-3),
    *(Case(f"focus {options}", lambda options=options: tw.focus(**options), signs.focus, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "gamma": 0.5, "weight_decay": 0.3}, halving))),
    *(Case(f"srmm {options}", lambda options=options: tw.srmm(**options), srmm.srmm, options, lr)
      for options, lr in (({}, None), ({"beta": 0.8}, halving), ({"beta": 1.0}, 1.0))),
    Case("srmm authors", variants.srmm_in_place, srmm.srmm, {"form": "code"}),
    Case("srmm in rounds", lambda: variants.srmm_in_place(0.7, 9), srmm.srmm, {"form": "code", "beta": 0.7, "memory_length": 9}, halving),
    *(Case(f"kate {options}", lambda options=options: tw.kate(**options), kate.kate, options, lr)
      for options, lr in (({}, 0.1), ({"eta": 0.0, "eps": 0.0}, 0.1), ({"eta": 0.1, "eps": 1e-2}, halving))),
    Case("kate of a growing epsilon", lambda: variants.kate_of_growing_eps(0.3, 1e-3), kate.kate, {"eta": 0.3, "eps": 1e-3, "eps_place": "summed"}, 0.1),
    *(Case(f"msvag {options}", lambda options=options: tw.msvag(**options), msvag.msvag, options, lr)
      for options, lr in (({}, None), ({"beta": 0.5}, halving), ({"beta": 0.0}, None))),
    *(Case(f"avagrad {options}", lambda options=options: tw.avagrad(**options), avagrad.avagrad, options, lr, whole=True)
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}, halving))),
    *(Case(f"avagrad authors{end}", lambda options=options: variants.late_avagrad(**options), avagrad.avagrad, {"form": "code", **options}, lr, whole=True)
      for end, options, lr in (("", {}, None), (" options", {"beta1": 0.5, "beta2": 0.9, "eps": 1e-2}, halving))),
    *(Case(f"bcos {options}", lambda options=options: tw.bcos(**options), bcos.bcos, options, lr)
      for options, lr in (({}, None), ({"beta": 0.5, "eps": 1e-2}, halving), ({"beta": 0.0}, None))),
    *(Case(f"bcos of the new average, simple={simple}", lambda simple=simple: variants.bcos_of_new(0.7, simple=simple), bcos.bcos, {"beta": 0.7, "estimator": name})
      for simple, name in ((False, "new"), (True, "simple new"))),
    *(Case(f"vsgd {options}", lambda options=options: tw.vsgd(**options), vsgd.vsgd, options, lr)
      for options, lr in (({}, None), ({"gamma": 1e-3, "K": 3.0, "kappa1": 0.6, "kappa2": 1.0}, halving))),
    Case("vsgd authors", lambda: tw.vsgd(delta=5e-5, eps=1e-8), vsgd.vsgd, {"delta": 5e-5, "eps": 1e-8}),
    *(Case(f"aegd {options}", lambda options=options: tw.aegd(**options), aegd.aegd, options, lr, "loss")
      for options, lr in (({}, None), ({"c": 0.3}, halving), ({"c": 0.0}, 3.0))),
    Case("rprop", tw.rprop, rprop.rprop),
    Case("rprop options", lambda: tw.rprop(0.7, 1.5, 1e-3, 0.05), rprop.rprop, {"eta_minus": 0.7, "eta_plus": 1.5, "size_min": 1e-3, "size_max": 0.05}),
    Case("rprop paper", lambda: tw.rprop(backtracking=True), rprop.rprop, {"backtracking": True}),
    *(Case(f"rprop resting, backtracking={back}", lambda back=back: tw.rprop(backtracking=back), rprop.rprop, {"backtracking": back}, resting)
      for back in (False, True)),
    Case("asgd", tw.asgd, asgd_walked),
    Case("asgd options", lambda: tw.asgd(0.1, 1.0, 20.0), asgd_walked, {"lam": 0.1, "alpha": 1.0, "t0": 20.0}, halving),
    Case("asgd ahead", lambda: variants.late_asgd(0.1, t0=20.0), asgd_walked, {"lam": 0.1, "t0": 20.0, "ahead": True}, halving),
    Case("asgd without a penalty", lambda: tw.asgd(0.0), asgd_walked, {"lam": 0.0}),
    Case("asgd coupled", lambda: tw.chain(tw.decay(WD), tw.asgd()), asgd_walked, {"weight_decay": WD}),
    Case("optimistic_gd", tw.optimistic_gd, optimistic.optimistic_gd),
    Case("optimistic_gd options", lambda: tw.optimistic_gd(0.8, 0.3), optimistic.optimistic_gd, {"alpha": 0.8, "beta": 0.3}, halving),
    *(Case(f"polyak_sgd {options}", lambda options=options: tw.polyak_sgd(**options), polyak.polyak_sgd, options, lr, "norms")
      for options, lr in (({}, None), ({"c": 0.2}, 0.01), ({"fstar": -3.0}, shrinking), ({"fstar": 0.5, "c": 1.0}, 10.0), ({"fstar": 1.0, "positive_part": False}, 0.1), ({"eps": 2.0}, 10.0))),
    *(Case(f"alig {options}", lambda options=options: tw.alig(**options), polyak.alig, options, lr, "norms")
      for options, lr in (({}, None), ({"mu": 0.0, "eps": 1e-5}, 0.01), ({"mu": 0.5, "eps": 2.0}, shrinking))),
    Case("madgrad", tw.madgrad, madgrad.madgrad),
    Case("madgrad options", lambda: tw.madgrad(0.5, 1e-3), madgrad.madgrad, {"mu": 0.5, "eps": 1e-3}, shrinking),
    Case("madgrad without momentum", lambda: tw.madgrad(0.0), madgrad.madgrad, {"mu": 0.0}),
    *(Case(f"mirror_madgrad {options}", lambda options=options: tw.mirror_madgrad(**options), madgrad.mirror_madgrad, options, lr)
      for options, lr in (({}, None), ({"mu": 0.5, "eps": 1e-3}, shrinking), ({"mu": 0.0}, halving))),
    Case("mirror_madgrad authors", lambda: tw.mirror_madgrad(eps=1e-3), madgrad.mirror_madgrad, {"eps": 1e-3, "lr": 0.009, "added_to_lr": 1e-3}, 0.01),
    *(Case(f"adagrad_norm {options}", lambda options=options: tw.adagrad_norm(**options), adagrad.adagrad_norm, options, lr, whole=True)
      for options, lr in (({}, None), ({"b0": 3.0}, halving))),
    Case("acprop", tw.acprop, acprop.acprop),
    Case("acprop options", lambda: tw.acprop(0.5, 0.9, 1e-3), acprop.acprop, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}, shrinking),
    Case("acprop eps_root", lambda: tw.acprop(eps=tw.outside(1e-8, root=1e-3)), acprop.acprop, {"eps_root": 1e-3}),
    *(Case(f"sm3 {options}", lambda options=options: tw.sm3(**options), sm3.sm3, options, lr)
      for options, lr in (({}, None), ({"version": "I"}, None), ({"eps": 1e-3}, shrinking), ({"version": "I", "eps": 1e-3}, halving))),
    Case("sm3 momentum", lambda: tw.chain(tw.sm3(), tw.momentum(0.9, dampening=0.9)), sm3.sm3, {"mu": 0.9}),
    Case("noisy_sgd", tw.noisy_sgd, sgd.noisy_sgd, asks="noise"),
    Case("noisy_sgd options", lambda: tw.noisy_sgd(0.3, 1.5), sgd.noisy_sgd, {"eta": 0.3, "gamma": 1.5}, shrinking, asks="noise"),
]  # fmt: skip
