"""Every rule and each of its options against a float64 transcription of its paper, to 1e-12 over 100 steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from oracles import (
    acprop,
    adabelief,
    adabound,
    adadelta,
    adafactor,
    adagrad,
    adam,
    adan,
    adasecant,
    ademamix,
    adopt,
    asgd,
    cocob,
    dog,
    eve,
    galore,
    layerwise,
    madgrad,
    mechanic,
    momentum,
    momo,
    muon,
    optimistic,
    polyak,
    prodigy,
    rmsprop,
    rprop,
    santa,
    schedule_free,
    sgd,
    signs,
    sm3,
    sophia,
    yogi,
)
from support import SHAPES, bent, normal_like, run, stream

import thalweg as tw


@dataclass
class Case:
    """A rule with options, and the oracle it must equal; `whole` for one that is given the whole model as one vector."""

    name: str
    stage: Callable[[], Any]
    oracle: Callable[..., np.ndarray]
    options: dict[str, Any] = field(default_factory=dict)
    lr: Any = None
    asks: str = ""
    leaves: tuple[str, ...] = tuple(SHAPES)
    whole: bool = False


def halving(t: int) -> float:
    return 0.01 * 0.5 ** (t // 10)


def shrinking(t: int) -> float:
    return 1e-3 / (1 + 0.1 * t)


def shrinking_share(t: int) -> float:
    return 1 / (1 + 0.1 * t)


def resting(t: int) -> float:
    return 0.0 if t % 5 == 0 else 0.01


def asgd_walked(*args: Any, **options: Any) -> np.ndarray:
    return asgd.asgd(*args, **options).w


WD = 0.03
AUTHORS = {"gamma": 1e-3, "eps": 1e-8, "bias_correction": True, "sqrt_decay": False}
CASES = [
    Case("sgd", tw.sgd, sgd.sgd),
    Case("sgd coupled", lambda: tw.chain(tw.decay(WD), tw.sgd()), sgd.sgd, {"weight_decay": WD}),
    Case("sgd decoupled", lambda: tw.chain(tw.sgd(), tw.decay(WD)), sgd.sgd, {"weight_decay": WD, "decay": "decoupled"}),
    Case("sgd independent", lambda: tw.chain(tw.sgd(), tw.learning_rate(), tw.independent_decay(WD)), sgd.sgd, {"weight_decay": WD, "decay": "independent"}, shrinking),
    Case("momentum", tw.momentum, momentum.momentum),
    Case("momentum mu=0", lambda: tw.momentum(0.0), momentum.momentum, {"mu": 0.0}),
    Case("momentum damped", lambda: tw.momentum(0.9, 0.1), momentum.momentum, {"dampening": 0.1}),
    Case("momentum damped but at first", lambda: tw.momentum(0.9, 0.3, "undamped"), momentum.momentum, {"dampening": 0.3, "first_undamped": True}),
    Case("momentum lr outside", tw.momentum, momentum.momentum, {"lr_inside": False}, halving),
    Case("momentum lr inside", lambda: tw.chain(tw.learning_rate(), tw.momentum()), momentum.momentum, {"lr_inside": True}, halving),
    Case("momentum coupled", lambda: tw.chain(tw.decay(WD), tw.momentum()), momentum.momentum, {"weight_decay": WD}),
    Case("nesterov", tw.nesterov, momentum.nesterov),
    Case("nesterov lr outside", tw.nesterov, momentum.nesterov, {"lr_inside": False}, halving),
    Case("adagrad", tw.adagrad, adagrad.adagrad),
    Case("adagrad inside", lambda: tw.adagrad(eps_place="inside"), adagrad.adagrad, {"eps_place": "inside"}),
    Case("adagrad eps=0", lambda: tw.adagrad(eps=0.0), adagrad.adagrad, {"eps": 0.0}),
    Case("adagrad coupled", lambda: tw.chain(tw.decay(WD), tw.adagrad()), adagrad.adagrad, {"weight_decay": WD}),
    Case("adagrad numerator", lambda: tw.chain(tw.decay(WD), tw.adagrad(accumulate="raw", eps=0.1)), adagrad.adagrad, {"eps": 0.1, "weight_decay": WD, "decay": "numerator"}),
    Case("rmsprop", tw.rmsprop, rmsprop.rmsprop),
    Case("rmsprop inside", lambda: tw.rmsprop(0.99, eps_place="inside"), rmsprop.rmsprop, {"rho": 0.99, "eps_place": "inside"}),
    Case("rmsprop centred", lambda: tw.rmsprop(centred=True, eps=1e-3), rmsprop.rmsprop, {"centred": True, "eps": 1e-3}),
    Case("rmsprop centred inside", lambda: tw.rmsprop(centred=True, eps=1e-3, eps_place="inside"), rmsprop.rmsprop, {"centred": True, "eps": 1e-3, "eps_place": "inside"}),
    Case("rmsprop corrected", lambda: tw.rmsprop(bias_correction=True), rmsprop.rmsprop, {"bias_correction": True}),
    Case("rmsprop corrected centred", lambda: tw.rmsprop(0.8, 1e-3, True, "inside", bias_correction=True), rmsprop.rmsprop, {"rho": 0.8, "eps": 1e-3, "centred": True, "eps_place": "inside", "bias_correction": True}),
    Case("rmsprop numerator", lambda: tw.chain(tw.decay(WD), tw.rmsprop(accumulate="raw", eps=0.1)), rmsprop.rmsprop, {"eps": 0.1, "weight_decay": WD, "decay": "numerator"}),
    Case("rmsprop + momentum, lr outside", lambda: tw.chain(tw.rmsprop(), tw.momentum()), rmsprop.rmsprop, {"mu": 0.9, "lr_inside": False}, shrinking),
    Case("rmsprop + momentum, lr inside", lambda: tw.chain(tw.rmsprop(), tw.learning_rate(), tw.momentum()), rmsprop.rmsprop, {"mu": 0.9}, shrinking),
    Case("rmsprop + nesterov", lambda: tw.chain(tw.rmsprop(), tw.nesterov()), rmsprop.rmsprop, {"mu": 0.9, "nesterov": "shifted"}),
    Case("rmsprop_graves", tw.rmsprop_graves, rmsprop.rmsprop_graves, {}, shrinking),
    Case("rmsprop_graves mu=0", lambda: tw.rmsprop_graves(mu=0.0), rmsprop.rmsprop_graves, {"mu": 0.0}),
    Case("smorms3", tw.smorms3, rmsprop.smorms3),
    Case("adadelta", tw.adadelta, adadelta.adadelta),
    Case("adadelta options", lambda: tw.adadelta(0.9, 1e-8), adadelta.adadelta, {"rho": 0.9, "eps": 1e-8}, 0.5),
    *(Case(f"adam {place}", lambda place=place: tw.adam(eps=1e-3, eps_place=place), adam.adam, {"eps": 1e-3, "eps_place": place})
      for place in ("outside", "inside", "raw", "inside_raw")),
    Case("adam schedule", tw.adam, adam.adam, {}, shrinking),
    Case("adam coupled", lambda: tw.chain(tw.decay(WD), tw.adam()), adam.adam, {"weight_decay": WD}),
    *(Case(f"sparse_adam {place}", lambda place=place: tw.sparse_adam(0.8, 0.99, 1e-3, place), adam.sparse_adam,
           {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "eps_place": place}, shrinking)
      for place in ("outside", "raw")),
    Case("adamw", tw.adamw, adam.adamw),
    Case("adamw options", lambda: tw.adamw(0.8, 0.99, 1e-6, 0.1), adam.adamw, {"beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": 0.1}, shrinking),
    Case("adamax", tw.adamax, adam.adamax),
    Case("adamax torch", lambda: tw.adamax(eps=1e-8), adam.adamax, {"eps": 1e-8, "eps_place": "maximum"}),
    Case("nadam", tw.nadam, adam.nadam),
    Case("nadam constant", lambda: tw.nadam(schedule=False), adam.nadam, {"schedule": False}),
    Case("nadam source", lambda: tw.nadam(schedule=False, eps_place="inside"), adam.nadam, {"schedule": False, "eps_place": "inside"}),
    Case("nadam torch", lambda: tw.nadam(mu=0.9, average="constant", nu_factor=False), adam.nadam, {"mu": 0.9, "ema": 0.9, "nu_factor": False}),
    Case("amsgrad", tw.amsgrad, adam.amsgrad),
    Case("amsgrad inside", lambda: tw.amsgrad(eps=1e-8, eps_place="inside"), adam.amsgrad, {"eps": 1e-8, "eps_place": "inside"}),
    *(Case(f"amsgrad corrected, max of {which}",
           lambda which=which: tw.amsgrad(eps=1e-8, sqrt_decay=False, bias_correction=True, maximum_of=which), adam.amsgrad,
           {"eps": 1e-8, "sqrt_decay": False, "bias_correction": True, "maximum_of": which})
      for which in ("raw", "corrected")),
    Case("radam", tw.radam, adam.radam),
    *(Case(f"radam eps {place}, above {threshold}", lambda place=place, threshold=threshold: tw.radam(0.8, 0.99, 1e-3, place, threshold), adam.radam,
           {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "eps_place": place, "threshold": threshold})
      for place in ("outside", "raw") for threshold in (4.0, 5.0)),
    *(Case(f"radam beta2={beta2:.3g}", lambda beta2=beta2: tw.radam(beta2=beta2), adam.radam, {"beta2": beta2}) for beta2 in (1 / 3, 0.6, 0.7)),
    Case("adamaxw", tw.adamaxw, adam.adamaxw),
    Case("adamaxw options", lambda: tw.adamaxw(0.8, 0.99, 1e-8, 0.1), adam.adamaxw,
         {"beta1": 0.8, "beta2": 0.99, "eps": 1e-8, "eps_place": "maximum", "weight_decay": 0.1}, shrinking),
    Case("nadamw", tw.nadamw, adam.nadamw),
    Case("nadamw options", lambda: tw.nadamw(0.9, 0.99, 1e-6, 0.01, average="constant", nu_factor=False, weight_decay=0.1), adam.nadamw,
         {"mu": 0.9, "nu": 0.99, "eps": 1e-6, "decay": 0.01, "ema": 0.9, "nu_factor": False, "weight_decay": 0.1}, shrinking),
    *(Case(f"{name} eps_root {options}", lambda name=name, options=options: tw.rules[name](eps_root=1e-3, **options), getattr(adam, name),
           {"eps_root": 1e-3, **options}, shrinking)
      for name, places in (("adam", ("outside", "inside", "raw", "inside_raw")), ("nadam", ("outside", "inside")), ("radam", ("outside", "raw")),
                           ("amsgrad", ("outside", "inside")))
      for options in ({"eps_place": place, "eps": eps} for place in places for eps in (1e-2, *([0.0] if name in ("radam", "amsgrad") else [])))),
    Case("signsgd", tw.signsgd, signs.signsgd),
    Case("signsgd schedule", tw.signsgd, signs.signsgd, {}, halving),
    Case("signum", tw.signum, signs.signum),
    Case("signum beta", lambda: tw.signum(0.6), signs.signum, {"beta": 0.6}, shrinking),
    Case("lion", tw.lion, signs.lion),
    Case("lion options", lambda: tw.chain(tw.lion(0.8, 0.95), tw.decay(WD)), signs.lion, {"beta1": 0.8, "beta2": 0.95, "weight_decay": WD}, shrinking),
    Case("adabelief", tw.adabelief, adabelief.adabelief),
    Case("adabelief options", lambda: tw.adabelief(0.8, 0.99, 1e-4), adabelief.adabelief, {"beta1": 0.8, "beta2": 0.99, "eps": 1e-4}, shrinking),
    *(Case(f"adabelief eps {place}", lambda place=place: tw.adabelief(eps=1e-3, eps_place=place, eps_root=1e-4), adabelief.adabelief,
           {"eps": 1e-3, "eps_place": place, "eps_root": 1e-4}) for place in ("both", "outside")),
    *(Case(f"yogi {options}", lambda options=options: tw.yogi(**options), yogi.yogi, options, lr)
      for options in ({}, {"bias_correction": True}, {"beta1": 0.8, "beta2": 0.9, "eps": 1e-5}) for lr in (None, shrinking)),
    *(Case(f"adan corrected={corrected}", lambda corrected=corrected: tw.adan(bias_correction=corrected), adan.adan, {"bias_correction": corrected})
      for corrected in (False, True)),
    *(Case(f"adan options, corrected={corrected}", lambda corrected=corrected: tw.adan(0.9, 0.7, 0.95, 1e-3, corrected), adan.adan,
           {"b1": 0.1, "b2": 0.3, "b3": 0.05, "eps": 1e-3, "bias_correction": corrected}, shrinking) for corrected in (False, True)),
    *(Case(f"adan eps_root, corrected={corrected}", lambda corrected=corrected: tw.adan(bias_correction=corrected, eps_root=1e-3), adan.adan,
           {"bias_correction": corrected, "eps_root": 1e-3}) for corrected in (False, True)),
    *(Case(f"adopt {options}", lambda options=options: tw.adopt(**options), adopt.adopt, options, lr)
      for options in ({}, {"clipped": False}, {"beta1": 0.5, "beta2": 0.9, "eps": 0.1}, {"c": 0.3}) for lr in (None, shrinking)),
    Case("adopt limits", lambda: tw.adopt(c=shrinking_share), adopt.adopt, {"c": shrinking_share}, shrinking),
    Case("ademamix", tw.ademamix, ademamix.ademamix),
    *(Case(f"ademamix T={T}", lambda T=T: tw.ademamix(0.8, 0.99, 0.995, 8.0, 1e-6, T), ademamix.ademamix,
           {"beta1": 0.8, "beta2": 0.99, "beta3": 0.995, "alpha": 8.0, "eps": 1e-6, "warmup": T}, shrinking) for T in (0.0, 1.0, 40.0, 1000.0)),
    Case("ademamix decayed", lambda: tw.chain(tw.ademamix(), tw.decay(WD)), ademamix.ademamix, {"weight_decay": WD}),
    Case("ademamix eps_root", lambda: tw.ademamix(eps_root=1e-3), ademamix.ademamix, {"eps_root": 1e-3}),
    Case("rprop", tw.rprop, rprop.rprop),
    Case("rprop options", lambda: tw.rprop(0.7, 1.5, 1e-3, 0.05), rprop.rprop, {"eta_minus": 0.7, "eta_plus": 1.5, "size_min": 1e-3, "size_max": 0.05}),
    Case("rprop backtracking", lambda: tw.rprop(backtracking=True), rprop.rprop, {"backtracking": True}),
    *(Case(f"rprop resting, backtracking={back}", lambda back=back: tw.rprop(backtracking=back), rprop.rprop, {"backtracking": back}, resting)
      for back in (False, True)),
    Case("asgd", tw.asgd, asgd_walked),
    Case("asgd options", lambda: tw.asgd(0.1, 1.0, 20.0), asgd_walked, {"lam": 0.1, "alpha": 1.0, "t0": 20.0}, halving),
    Case("asgd ahead", lambda: tw.asgd(0.1, t0=20.0, ahead=True), asgd_walked, {"lam": 0.1, "t0": 20.0, "ahead": True}, halving),
    Case("asgd without a penalty", lambda: tw.asgd(0.0), asgd_walked, {"lam": 0.0}),
    Case("asgd coupled", lambda: tw.chain(tw.decay(WD), tw.asgd()), asgd_walked, {"weight_decay": WD}),
    Case("adafactor", tw.adafactor, adafactor.adafactor),
    Case("adafactor options", lambda: tw.adafactor(-0.5, 1e-4, 0.7, 2.5, 0.1), adafactor.adafactor,
         {"beta2_decay": -0.5, "eps1": 1e-4, "eps2": 0.7, "d": 2.5, "weight_decay": 0.1}, shrinking),
    *(Case(f"adafactor {options}", lambda options=options: tw.adafactor(**options), adafactor.adafactor, options, lr)
      for options in ({"relative_step": False}, {"parameter_scale": False}, {"relative_step": False, "parameter_scale": False, "d": float("inf")}, {"offset": -7.0})
      for lr in (0.3, shrinking)),
    *(Case(f"adafactor floor {eps1}", lambda eps1=eps1: tw.adafactor(eps1=eps1, eps_place="floor"), adafactor.adafactor,
           {"eps1": eps1, "eps_place": "floor"}, 0.3) for eps1 in (2.0**-52, 0.1)),
    *(Case(f"muon {options}", lambda options=options: tw.muon(**options), muon.muon, options, lr, leaves=("w",))
      for options in ({}, {"nesterov": False}, {"mu": 0.0}, {"scale": "transposed"}, {"scale": "match_rms_adamw"}, {"scale": "none", "ns_steps": 9},
                      *({"momentum": kind, "nesterov": ahead} for kind in ("average", "corrected") for ahead in (True, False)),
                      {"eps": 0.3, "mu": 0.5}, {"eps": 3.0, "eps_place": "floor"},
                      {"scale": "match_rms_adamw", "rms": 0.3, "dual_norm": True}, {"coefficients": ((4.0, -6.8, 2.9), (1.5, -0.5, 0.0))},
                      *({"preconditioning": kind, "eps": 0.3, "eps_place": place} for kind in ("spectral", "aol", "schatten") for place in ("added", "floor")))
      for lr in (None, shrinking)),
    Case("muon coefficients", lambda: tw.muon(a=1.875, b=-1.25, c=0.375), muon.muon, {"coefficients": (1.875, -1.25, 0.375)}, leaves=("w",)),
    Case("muon bfloat16", lambda: tw.muon(dtype="bfloat16"), muon.muon, {"bfloat16": True}, leaves=("w",)),
    Case("muon torch", lambda: tw.chain(tw.muon(momentum="average", eps_place="floor", dtype="bfloat16"), tw.decay(0.1)), muon.muon,
         {"momentum": "average", "eps_place": "floor", "bfloat16": True, "weight_decay": 0.1}, shrinking, leaves=("w",)),
    *(Case(f"lars {options}", lambda options=options: tw.lars(**options), layerwise.lars, options, lr)
      for options, lr in (({}, None), ({"mu": 0.5, "weight_decay": 0.3, "coefficient": 0.01}, shrinking), ({"weight_decay": 0.0}, 3.0))),
    *(Case(f"lamb {options}", lambda options=options: tw.lamb(**options), layerwise.lamb, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.3}, shrinking),
                          ({"low": 2.0, "high": 3.0}, 0.01), ({"weight_decay": 0.0}, 0.01))),
    *(Case(f"novograd {options}", lambda options=options: tw.novograd(**options), layerwise.novograd, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.25, "eps": 1e-3, "weight_decay": 0.1}, shrinking))),
    Case("fromage", tw.fromage, layerwise.fromage),
    Case("fromage schedule", tw.fromage, layerwise.fromage, {}, halving),
    Case("novograd eps_root", lambda: tw.chain(tw.layer_normalized(eps_root=0.1), tw.momentum(0.95)), layerwise.novograd, {"eps_root": 0.1}, 0.01),
    *(Case(f"fromage {least}", lambda least=least: tw.fromage(least), layerwise.fromage, {"min_norm": least}) for least in (1e-6, 1.0, 4.0)),
    *(Case(f"lars of sums {options}",
           lambda options=options: tw.chain(tw.decay(WD), tw.trust_ratio(**options), tw.learning_rate(), tw.momentum()),
           layerwise.lars_of_sums, {"weight_decay": WD, **options}, shrinking)
      for options in ({"coefficient": 0.02}, {"coefficient": 1.0, "eps": 0.5})),
    Case("optimistic_gd", tw.optimistic_gd, optimistic.optimistic_gd),
    Case("optimistic_gd options", lambda: tw.optimistic_gd(0.8, 0.3), optimistic.optimistic_gd, {"alpha": 0.8, "beta": 0.3}, halving),
    *(Case(f"polyak_sgd {options}", lambda options=options: tw.polyak_sgd(**options), polyak.polyak_sgd, options, lr, "norms")
      for options, lr in (({}, None), ({"c": 0.2}, 0.01), ({"fstar": -3.0}, shrinking), ({"fstar": 0.5, "c": 1.0}, 10.0), ({"fstar": 1.0, "positive_part": False}, 0.1), ({"eps": 2.0}, 10.0))),
    Case("madgrad", tw.madgrad, madgrad.madgrad),
    Case("madgrad options", lambda: tw.madgrad(0.5, 1e-3), madgrad.madgrad, {"mu": 0.5, "eps": 1e-3}, shrinking),
    Case("madgrad without momentum", lambda: tw.madgrad(0.0), madgrad.madgrad, {"mu": 0.0}),
    Case("acprop", tw.acprop, acprop.acprop),
    Case("acprop options", lambda: tw.acprop(0.5, 0.9, 1e-3), acprop.acprop, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}, shrinking),
    Case("acprop eps_root", lambda: tw.acprop(eps_root=1e-3), acprop.acprop, {"eps_root": 1e-3}),
    *(Case(f"sm3 {options}", lambda options=options: tw.sm3(**options), sm3.sm3, options, lr)
      for options, lr in (({}, None), ({"version": "I"}, None), ({"eps": 1e-3}, shrinking), ({"version": "I", "eps": 1e-3}, halving))),
    Case("sm3 momentum", lambda: tw.chain(tw.sm3(), tw.momentum(0.9, dampening=0.9)), sm3.sm3, {"mu": 0.9}),
    Case("noisy_sgd", tw.noisy_sgd, sgd.noisy_sgd, asks="noise"),
    Case("noisy_sgd options", lambda: tw.noisy_sgd(0.3, 1.5), sgd.noisy_sgd, {"eta": 0.3, "gamma": 1.5}, shrinking, asks="noise"),
    Case("simplified_ademamix", tw.simplified_ademamix, ademamix.simplified_ademamix),
    Case("simplified_ademamix eps_root", lambda: tw.simplified_ademamix(eps_root=1e-3), ademamix.simplified_ademamix, {"eps_root": 1e-3}),
    Case("simplified_ademamix options", lambda: tw.chain(tw.simplified_ademamix(0.9, 0.99, 8.0, 1e-3), tw.decay(WD)), ademamix.simplified_ademamix,
         {"beta1": 0.9, "beta2": 0.99, "alpha": 8.0, "eps": 1e-3, "weight_decay": WD}, shrinking),
    *(Case(f"mechanic_adam {options}", lambda options=options: tw.mechanic_adam(**options), mechanic.mechanic_adam, options, lr, whole=True)
      for options, lr in (({"s_init": 1e-3}, None), ({"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "s_init": 1e-2, "weight_decay": 0.5}, halving))),
    *(Case(f"mechanic {options}", lambda options=options: tw.chain(tw.sgd(), tw.mechanic(s_init=1e-2, **options)), mechanic.mechanic_adam,
           {"s_init": 1e-2, "base": "sgd", **options}, 1.0, whole=True)
      for options in ({}, {"form": "optax"}, {"n": 1, "weight_decay": 0.0}, {"n": 3, "form": "optax"})),
    *(Case(f"galore {options}", lambda options=options: tw.galore(**options), galore.galore, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"rank": 2, "T": 7}, shrinking), ({"rank": 1, "T": 1, "scale": 1.0, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3}, halving))),
    *(Case(f"sophia {options}", lambda options=options: tw.sophia(**options), sophia.sophia, options, lr, "curvature")
      for options, lr in (({}, None), ({"k": 1, "gamma": 0.05}, shrinking), ({"beta1": 0.8, "beta2": 0.9, "gamma": 3.0, "eps": 0.1, "k": 3}, halving))),
    Case("sophia decay", lambda: tw.chain(tw.sophia(), tw.decay(WD)), sophia.sophia, {"weight_decay": WD}, shrinking, "curvature"),
    Case("optimistic_adam", tw.optimistic_adam, optimistic.optimistic_adam),
    Case("optimistic_adam options", lambda: tw.optimistic_adam(0.8, 0.99, 1e-3, 0.7, 0.3), optimistic.optimistic_adam,
         {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "alpha": 0.7, "beta": 0.3}, shrinking),
    Case("optimistic_adam optax", lambda: tw.chain(tw.nadam(0.9, schedule=False, nu_factor=False), tw.optimistic_gd()), optimistic.optimistic_adam,
         {"nesterov": True}, shrinking),
    Case("adabound", tw.adabound, adabound.adabound),
    Case("amsbound", tw.amsbound, adabound.amsbound),
    Case("adabound source", lambda: tw.adabound(bound_eps=1e-8), adabound.adabound, {"bound_eps": 1e-8}),
    Case("adabound authors", lambda: tw.adabound(base_lr=shrinking(1), **AUTHORS), adabound.adabound, {"scale_final": True, **AUTHORS}, shrinking),
    Case("amsbound authors", lambda: tw.amsbound(base_lr=shrinking(1), **AUTHORS), adabound.amsbound, {"scale_final": True, **AUTHORS}, shrinking),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(dog, name), options, lr, whole=name != "ldog")
      for name in ("dog", "ldog", "dowg")
      for options, lr in (({}, None), ({"r_eps": 0.1, "eps": 0.01}, 0.3), ({"r_eps": 1e-3, "eps": 0.0}, shrinking_share))),
    Case("dog distance", lambda: tw.dog(r_eps=0.3, relative=False), dog.dog, {"r_eps": 0.3, "relative": False}, whole=True),
    *(Case(f"cocob {options}", lambda options=options: tw.cocob(**options), cocob.cocob, options, lr)
      for options, lr in (({}, None), ({"alpha": 2.0}, shrinking_share), ({"eps": 1e-3}, 0.5))),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(prodigy, name), options, lr, whole=True)
      for name, several in {
          "prodigy": [{}, {"beta3": 0.9}, {"beta1": 0.8, "beta2": 0.9, "eps": 1e-2, "weight_decay": WD}, {"bias_correction": True, "safeguard_warmup": True},
                      {"eps_by": "next d", "eps": 1e-2, "d_coef": 3.0}],
          "dadapt_adam": [{}, {"beta1": 0.8, "beta2": 0.9, "eps": 1e-2, "weight_decay": WD}, {"bias_correction": True}, {"metric": "old"}],
          "dadapt_sgd": [{}, {"beta": 0.0}, {"beta": 0.5}],
      }.items()
      for options, lr in ((several[0], None), *(({"d0": 0.01, **options}, shrinking_share) for options in several))),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(momo, name), options, lr, "loss", whole=True)
      for name in ("momo", "momo_adam")
      for options, lr in (({}, None), ({"fstar": -1.0, "weight_decay": WD}, shrinking_share), ({"estimate": True, "fstar": 0.05}, None),
                          ({"estimate": True, "fstar": -2.0, "weight_decay": WD}, shrinking_share))),
    Case("momo average", lambda: tw.momo(0.5), momo.momo, {"beta": 0.5}, 0.01, "loss", whole=True),
    Case("momo_adam betas", lambda: tw.momo_adam(0.5, 0.9, 0.1), momo.momo_adam, {"beta1": 0.5, "beta2": 0.9, "eps": 0.1}, None, "loss", whole=True),
    Case("eve", tw.eve, eve.eve, asks="loss"),
    Case("eve options", lambda: tw.eve(beta3=0.9, c=3.0, fstar=-1.0), eve.eve, {"beta3": 0.9, "c": 3.0, "fstar": -1.0}, asks="loss"),
    Case("eve v1", lambda: tw.eve(version="v1"), eve.eve_v1, asks="loss"),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(santa, name), options, asks="noise")
      for name in ("santa_e", "santa_sss")
      for options in ({}, {"burnin": 30}, {"g0": "zero"}, {"curvature": False}, {"guard": 1.0}, {"N": 50.0, "gradient_scale": 50.0})),
    Case("santa_e heat", lambda: tw.santa_e(power=1.0, temperature=0.5), santa.santa_e, {"beta": lambda t: t / 0.5}, asks="noise"),
    Case("adasecant 2014", lambda: tw.adasecant("2014"), adasecant.adasecant),
    Case("adasecant 2014 options", lambda: tw.adasecant("2014", use_adagrad=True, delta_clip=1.0, start_var_reduction=20), adasecant.adasecant,
         {"use_adagrad": True, "delta_clip": 1.0, "start_var_reduction": 19}),
    Case("adasecant 2017", tw.adasecant, adasecant.adasecant_j),
]  # fmt: skip
IN_A_STREAM = CASES


def flat(tree: dict[str, Any]) -> np.ndarray:
    """A whole model as one vector."""
    return np.concatenate([np.ravel(x) for x in tree.values()])


@pytest.mark.parametrize("case", IN_A_STREAM, ids=lambda c: c.name)
def test_equals_its_paper(case: Case) -> None:
    params, gradients, losses = stream()
    noise = normal_like(1) if case.asks == "noise" else None
    stage = case.stage()
    params, gradients = {k: params[k] for k in case.leaves}, [{k: g[k] for k in case.leaves} for g in gradients]
    path, _ = run(stage, params, gradients, lr=case.lr, losses=losses, noise=noise)
    started = tw.Optimizer(stage).init(params)["memory"]
    lr = stage.lr if case.lr is None else case.lr
    if case.whole:
        params, gradients, path = {"all": flat(params)}, [{"all": flat(g)} for g in gradients], [{"all": flat(p)} for p in path]
    for name in params:
        options = dict(case.options) if "adasecant" in case.name else {"lr": lr, **case.options}
        if case.asks in ("loss", "norms"):
            options["losses"] = losses
        if case.asks == "norms":
            options["norms"] = [np.sqrt(sum((g[k] ** 2).sum() for k in case.leaves)) for g in gradients]
        if case.asks == "curvature":
            options["curvatures"] = [bent(g)[name] for g in gradients]
        if case.asks == "noise":
            options |= {"noise": [z[name] for z in noise]}
            options |= {"u0": started[stage.name]["u"][name]} if stage.name in started else {}
        truth = case.oracle(params[name], [g[name] for g in gradients], **options)
        mine = np.array([p[name] for p in path])
        assert np.isfinite(truth).all()
        assert np.abs(truth[-1] - params[name]).max() > 1e-6, "a run that goes nowhere shows nothing"
        assert np.abs(mine - truth).max() <= 1e-12


def test_every_rule_has_its_oracle() -> None:
    covered = {case.name.split()[0] for case in IN_A_STREAM}
    apart = {"learned", "lbfgs"}  # test_learned.py, oracles/test_lbfgs.py
    assert covered | apart >= set(tw.rules)


@pytest.mark.parametrize("place", ["outside", "raw"])
def test_sparse_adam_rests_where_there_is_no_gradient(place: Any) -> None:
    params, gradients, _ = stream()
    draw = np.random.default_rng(1)
    sparse = [{k: g * (draw.uniform(size=np.shape(g)) < 0.2) for k, g in each.items()} for each in gradients]
    sparse[7] = {k: 0.0 * g for k, g in sparse[7].items()}
    path, _ = run(tw.sparse_adam(eps_place=place), params, sparse, lr=0.01)
    dense, _ = run(tw.adam(eps_place=place), params, sparse, lr=0.01)
    for name in SHAPES:
        mine = np.array([p[name] for p in path])
        truth = adam.sparse_adam(params[name], [g[name] for g in sparse], 0.01, eps_place=place)
        assert np.abs(mine - truth).max() <= 1e-12
        still = np.array([g[name] for g in sparse[1:]]) == 0
        assert still.any()
        assert np.array_equal(mine[1:][still], mine[:-1][still])
        assert np.abs(mine[-1] - dense[-1][name]).max() > 1e-3


@pytest.mark.parametrize("place", ["outside", "raw"])
def test_sparse_adam_is_adam_where_no_gradient_is_zero(place: Any) -> None:
    params, gradients, _ = stream()
    paths = [run(rule(eps_place=place), params, gradients)[0] for rule in (tw.sparse_adam, tw.adam)]
    for ours, theirs in zip(*paths, strict=True):
        assert all(np.array_equal(ours[k], theirs[k]) for k in SHAPES)


@pytest.mark.parametrize("name", ["lars", "lamb", "novograd", "fromage"])
def test_a_layer_at_zero_leaves_it_and_one_without_gradient_stays_finite(name: str) -> None:
    _, gradients, _ = stream(steps=60)
    given = [np.zeros((4, 3)) if t in (0, 7) else g["w"] for t, g in enumerate(gradients)]
    path, _ = run(tw.rules[name](), {"w": np.zeros((4, 3))}, [{"w": g} for g in given], lr=0.01)
    truth = getattr(layerwise, name)(np.zeros((4, 3)), given, 0.01)
    assert np.array_equal(path[0]["w"], np.zeros((4, 3)))
    assert np.abs(truth[-1]).max() > 1e-4
    assert np.abs(np.array([p["w"] for p in path]) - truth).max() <= 1e-12


def test_optimists_meet_where_descent_circles() -> None:
    """The game x y, x played down and y up: gradient descent spirals outward, the optimist comes in."""
    distance = {}
    for name in ("sgd", "optimistic_gd"):
        optimizer = tw.Optimizer(tw.rules[name](), lr=0.1)
        p = {"x": np.array(1.0), "y": np.array(1.0)}
        state = optimizer.init(p)
        for _ in range(1000):
            p, state = optimizer.step(p, {"x": p["y"], "y": -p["x"]}, state)
        distance[name] = np.hypot(p["x"], p["y"])
    assert distance["sgd"] > 10
    assert distance["optimistic_gd"] < 0.1


def test_acprop_of_optax_is_the_papers_at_a_smaller_rate() -> None:
    """Its mean of one step before makes g - m larger by 1 / beta1."""
    params, gradients, _ = stream()
    path, _ = run(tw.acprop(0.8, 0.99, 0.8e-3), params, gradients, lr=0.8e-3)
    for name in SHAPES:
        late = acprop.acprop(params[name], [g[name] for g in gradients], 1e-3, 0.8, 0.99, 1e-3, late=True)
        np.testing.assert_allclose(np.diff([p[name] for p in path], axis=0), np.diff(late, axis=0), rtol=1e-9, atol=1e-15)


def test_polyaks_step_lands_on_the_minimum_of_a_parabola() -> None:
    """With c = 1/2 on |p|^2 / 2; with f* too high it stops where the loss is f*, and moves no more."""
    for fstar, level in ((0.0, 0.0), (0.125, 0.125)):
        optimizer = tw.Optimizer(tw.polyak_sgd(fstar=fstar), lr=10.0)
        p = {"p": np.array([3.0, -4.0])}
        state = optimizer.init(p)
        for _ in range(200):
            p, state = optimizer.step(p, dict(p), state, loss=0.5 * float(p["p"] @ p["p"]))
        assert 0.5 * float(p["p"] @ p["p"]) <= level + 1e-12
    p, _ = optimizer.step({"p": np.array([0.1, 0.0])}, {"p": np.array([1.0, 0.0])}, optimizer.init(p), loss=0.005)
    np.testing.assert_array_equal(p["p"], [0.1, 0.0])


@pytest.mark.parametrize("lr", [0.01, halving], ids=["constant", "halving"])
@pytest.mark.parametrize(
    "options",
    [{}, {"t0": 30.0}, {"t0": 2.5}, {"lam": 0.1, "alpha": 1.0}, {"lam": 0.0}, {"t0": 1e6}, {"t0": 30.0, "ahead": True}],
    ids=str,
)
def test_asgd_ships_the_mean(options: dict[str, Any], lr: Any) -> None:
    params, gradients, _ = stream()
    optimizer = tw.Optimizer(tw.asgd(**options), lr=lr)
    p, state = params, optimizer.init(params)
    shipped = []
    for g in gradients:
        p, state = optimizer.step(p, g, state)
        shipped.append(optimizer.ship(p, state))
    for name in SHAPES:
        truth = asgd.asgd(params[name], [g[name] for g in gradients], lr, **options)
        assert np.abs(np.array([s[name] for s in shipped]) - truth.mean).max() <= 1e-12
        if options != {"t0": 1e6}:
            assert np.abs(truth.mean[-1] - truth.w[-1]).max() > 1e-8


def quadratic(p: Any) -> tuple[Any, Any]:
    curvature = np.array([0.1, 1.0, 5.0])
    return 0.5 * (curvature * p * p).sum(), curvature * p


START = np.array([1.0, -2.0, 0.5])


def test_look_ahead_equals_the_paper_and_the_shifted_form() -> None:
    mu, lr = 0.9, 0.05
    optimizer = tw.Optimizer(tw.nesterov(mu), lr=lr)
    truth = momentum.nesterov(START, lambda p: quadratic(p)[1], lr=lr, mu=mu, form="lookahead", steps=100)
    ahead, state = START, optimizer.init(START)
    shifted, shifted_state = START, optimizer.init(START)
    for w in truth:
        ahead, state = optimizer.step(ahead, None, state, grad_fn=quadratic)
        shifted, shifted_state = optimizer.step(shifted, quadratic(shifted)[1], shifted_state)
        assert np.abs(ahead - w).max() <= 1e-12
        back = shifted + lr * mu * shifted_state["memory"]["nesterov"]["v"]["p"]
        assert np.abs(back - w).max() <= 1e-12


@pytest.mark.parametrize("base", ["sgd", "adam"])
def test_schedule_free_walks_y_and_ships_x(base: str) -> None:
    lr = 0.02
    optimizer = tw.Optimizer(tw.chain(tw.rules[base](), tw.schedule_free(0.9)), lr=lr)
    y, state = START, optimizer.init(START)
    z = x = START
    m = v = np.zeros(3)
    for t in range(1, 101):
        g = quadratic(y)[1]
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        d = g if base == "sgd" else m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        y, state = optimizer.step(y, g, state)
        z = z - lr * d
        x = (1 - 1 / t) * x + z / t
        assert np.abs(y - (0.1 * z + 0.9 * x)).max() <= 1e-12
        assert np.abs(optimizer.ship(y, state) - x).max() <= 1e-12


@pytest.mark.parametrize(
    ("power", "average", "rate"),
    [
        (0.0, "rate", 0.1),
        (2.0, "rate", 0.1),
        (0.0, "equal", tw.schedules.warm_up(20, 0.1)),
        (2.0, "rate", tw.schedules.warm_up(20, 0.1)),
    ],
)
def test_schedule_free_sgd_equals_the_oracle(power: float, average: str, rate: Any) -> None:
    optimizer = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free(0.9, power)), lr=rate)
    y, state = START, optimizer.init(START)
    truth = schedule_free.schedule_free_sgd(START, lambda p: quadratic(p)[1], lr=rate, beta=0.9, average=average, steps=100)
    for x in truth.x:
        y, state = optimizer.step(y, quadratic(y)[1], state)
        assert np.abs(optimizer.ship(y, state) - x).max() <= 1e-12


def test_schedule_free_counts_by_the_largest_rate_so_far() -> None:
    """The third place of four at rates 0, 2, 1, 3: weights 0, 4, 4, 9."""
    optimizer = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free(0.9, 2.0)), lr=lambda t: (0.0, 2.0, 1.0, 3.0)[int(t) - 1])
    y, state = np.zeros(1), optimizer.init(np.zeros(1))
    for z in (0.0, 4 * 2.0 / 4, (4 * 2.0 + 4 * 3.0) / 8, (4 * 2.0 + 4 * 3.0 + 9 * 6.0) / 17):
        y, state = optimizer.step(y, -np.ones(1), state)
        assert np.abs(optimizer.ship(y, state) - z).max() <= 1e-12


def test_sam_takes_the_gradient_of_the_worst_point_nearby() -> None:
    optimizer = tw.Optimizer(tw.chain(tw.sam(0.1), tw.sgd()), lr=0.05)
    p = w = START
    state = optimizer.init(p)
    for _ in range(50):
        p, state = optimizer.step(p, None, state, grad_fn=quadratic)
        g = quadratic(w)[1]
        w = w - 0.05 * quadratic(w + 0.1 * g / np.sqrt((g * g).sum()))[1]
        assert np.abs(p - w).max() <= 1e-12
