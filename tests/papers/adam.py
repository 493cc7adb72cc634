"""Adam and what came of it: two moments, bounded, corrected, mixed or looked ahead."""

from __future__ import annotations

from oracles import (
    adabelief,
    adabound,
    adahessian,
    adam,
    adam_kin,
    adan,
    ademamix,
    adopt,
    moments,
    optimistic,
    qhadam,
    sophia,
    spam,
    yogi,
)

import thalweg as tw
from papers.case import WD, Case, at, halving, shrinking, shrinking_share
from thalweg.dialects import variants

AUTHORS = {"gamma": 1e-3, "eps": 1e-8, "bias_correction": True, "sqrt_decay": False}
AMSGRAD = {"raw": variants.corrected_amsgrad, "corrected": variants.amsgrad_of_corrected}
ADAN = {False: tw.adan, True: variants.corrected_adan}
CASES = [
    *(Case(f"adam {place}", lambda place=place: tw.adam(eps=at(place, 1e-3)), adam.adam, {"eps": 1e-3, "eps_place": place})
      for place in ("outside", "inside", "raw", "inside_raw")),
    Case("adam Keras and TensorFlow", lambda: tw.adam(eps=tw.outside(1e-7, raw=True)), adam.adam, {"eps": 1e-7, "eps_place": "raw"}),
    Case("adam schedule", tw.adam, adam.adam, {}, shrinking),
    Case("adam beta1=0", lambda: tw.adam(0.0), adam.adam, {"beta1": 0.0}), Case("adam beta2=0", lambda: tw.adam(beta2=0.0, eps=1e-3), adam.adam, {"beta2": 0.0, "eps": 1e-3}),
    Case("adam coupled", lambda: tw.chain(tw.decay(WD), tw.adam()), adam.adam, {"weight_decay": WD}),
    *(Case(f"sparse_adam {place}", lambda place=place: tw.sparse_adam(0.8, 0.99, at(place, 1e-3)), adam.sparse_adam,
           {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "eps_place": place}, shrinking)
      for place in ("outside", "raw")),
    Case("adamw", tw.adamw, adam.adamw),
    Case("adamw options", lambda: tw.adamw(0.8, 0.99, 1e-6, 0.1), adam.adamw, {"beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": 0.1}, shrinking),
    Case("adamax", tw.adamax, adam.adamax),
    Case("adamax torch", lambda: tw.adamax(eps=1e-8), adam.adamax, {"eps": 1e-8, "eps_place": "maximum"}),
    Case("nadam", tw.nadam, adam.nadam),
    Case("nadam constant", lambda: tw.nadam(schedule=False), adam.nadam, {"schedule": False}),
    Case("nadam source", lambda: tw.nadam(schedule=False, eps=tw.inside(1e-8)), adam.nadam, {"schedule": False, "eps_place": "inside"}),
    Case("nadam torch", lambda: tw.nadam(mu=0.9, average="constant", nu_factor=False), adam.nadam, {"mu": 0.9, "ema": 0.9, "nu_factor": False}),
    Case("amsgrad", tw.amsgrad, adam.amsgrad),
    Case("amsgrad inside", lambda: tw.amsgrad(eps=tw.inside(1e-8)), adam.amsgrad, {"eps": 1e-8, "eps_place": "inside"}),
    *(Case(f"amsgrad corrected, max of {which}",
           lambda which=which: AMSGRAD[which](eps=1e-8), adam.amsgrad,
           {"eps": 1e-8, "sqrt_decay": False, "bias_correction": True, "maximum_of": which})
      for which in ("raw", "corrected")),
    Case("radam", tw.radam, adam.radam),
    *(Case(f"radam eps {place}, above {threshold}", lambda place=place, threshold=threshold: tw.radam(0.8, 0.99, at(place, 1e-3), threshold), adam.radam,
           {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "eps_place": place, "threshold": threshold})
      for place in ("outside", "raw") for threshold in (4.0, 5.0)),
    *(Case(f"radam beta2={beta2:.3g}", lambda beta2=beta2: tw.radam(beta2=beta2), adam.radam, {"beta2": beta2}) for beta2 in (1 / 3, 0.6, 0.7)),
    Case("adamaxw", tw.adamaxw, adam.adamaxw),
    Case("adamaxw options", lambda: tw.adamaxw(0.8, 0.99, 1e-8, 0.1), adam.adamaxw,
         {"beta1": 0.8, "beta2": 0.99, "eps": 1e-8, "eps_place": "maximum", "weight_decay": 0.1}, shrinking),
    Case("nadamw", tw.nadamw, adam.nadamw),
    Case("nadamw options", lambda: tw.nadamw(0.9, 0.99, 1e-6, 0.01, average="constant", nu_factor=False, weight_decay=0.1), adam.nadamw,
         {"mu": 0.9, "nu": 0.99, "eps": 1e-6, "decay": 0.01, "ema": 0.9, "nu_factor": False, "weight_decay": 0.1}, shrinking),
    *(Case(f"{name} eps_root {options}", lambda name=name, options=options: tw.rules[name](eps=at(options["eps_place"], options["eps"], 1e-3)), getattr(adam, name),
           {"eps_root": 1e-3, **options}, shrinking)
      for name, places in (("adam", ("outside", "inside", "raw", "inside_raw")), ("nadam", ("outside", "inside")), ("radam", ("outside", "raw")),
                           ("amsgrad", ("outside", "inside")))
      for options in ({"eps_place": place, "eps": eps} for place in places for eps in (1e-2, *([0.0] if name in ("radam", "amsgrad") else [])))),
    Case("adabelief", tw.adabelief, adabelief.adabelief),
    Case("adabelief options", lambda: tw.adabelief(0.8, 0.99, 1e-4), adabelief.adabelief, {"beta1": 0.8, "beta2": 0.99, "eps": 1e-4}, shrinking),
    *(Case(f"adabelief eps {place}", lambda place=place: tw.adabelief(eps=at(place, 1e-3, 1e-4)), adabelief.adabelief,
           {"eps": 1e-3, "eps_place": place, "eps_root": 1e-4}) for place in ("both", "outside")),
    *(Case(f"yogi {options}", lambda options=options: tw.yogi(**options), yogi.yogi, options, lr)
      for options in ({}, {"beta1": 0.8, "beta2": 0.9, "eps": 1e-5}) for lr in (None, shrinking)),
    *(Case(f"yogi corrected, {name}", variants.corrected_yogi, yogi.yogi, {"bias_correction": True}, lr) for name, lr in (("usual", None), ("shrinking", shrinking))),
    Case("amsgrad steady", lambda: variants.steady_amsgrad(eps=1e-8), adam.amsgrad, {"eps": 1e-8, "sqrt_decay": False}),
    Case("adan", tw.adan, adan.adan), Case("adan authors", variants.corrected_adan, adan.adan, {"bias_correction": True}),
    *(Case(f"adan options, corrected={corrected}", lambda corrected=corrected: ADAN[corrected](0.9, 0.7, 0.95, 1e-3), adan.adan,
           {"b1": 0.1, "b2": 0.3, "b3": 0.05, "eps": 1e-3, "bias_correction": corrected}, shrinking) for corrected in (False, True)),
    *(Case(f"adan eps_root, corrected={corrected}", lambda corrected=corrected: ADAN[corrected](eps=tw.outside(1e-8, root=1e-3)), adan.adan,
           {"bias_correction": corrected, "eps_root": 1e-3}) for corrected in (False, True)),
    *(Case(f"adopt {options}", lambda options=options: tw.adopt(**options), adopt.adopt, options, lr)
      for options in ({}, {"clipped": False}, {"beta1": 0.5, "beta2": 0.9, "eps": 0.1}, {"c": 0.3}) for lr in (None, shrinking)),
    Case("adopt limits", lambda: tw.adopt(c=shrinking_share), adopt.adopt, {"c": shrinking_share}, shrinking),
    Case("ademamix", tw.ademamix, ademamix.ademamix),
    *(Case(f"ademamix T={T}", lambda T=T: tw.ademamix(0.8, 0.99, 0.995, 8.0, 1e-6, T), ademamix.ademamix,
           {"beta1": 0.8, "beta2": 0.99, "beta3": 0.995, "alpha": 8.0, "eps": 1e-6, "warmup": T}, shrinking) for T in (0.0, 1.0, 40.0, 1000.0)),
    *(Case(f"ademamix beta3={beta3}", lambda beta3=beta3: tw.ademamix(beta3=beta3, T=40.0), ademamix.ademamix, {"beta3": beta3, "warmup": 40.0})
      for beta3 in (0.0, 0.5)),
    Case("ademamix decayed", lambda: tw.chain(tw.ademamix(), tw.decay(WD)), ademamix.ademamix, {"weight_decay": WD}),
    Case("ademamix eps_root", lambda: tw.ademamix(eps=tw.outside(1e-8, root=1e-3)), ademamix.ademamix, {"eps_root": 1e-3}),
    Case("simplified_ademamix", tw.simplified_ademamix, ademamix.simplified_ademamix),
    Case("simplified_ademamix eps_root", lambda: tw.simplified_ademamix(eps=tw.outside(1e-8, root=1e-3)), ademamix.simplified_ademamix, {"eps_root": 1e-3}),
    Case("simplified_ademamix options", lambda: tw.chain(tw.simplified_ademamix(0.9, 0.99, 8.0, 1e-3), tw.decay(WD)), ademamix.simplified_ademamix,
         {"beta1": 0.9, "beta2": 0.99, "alpha": 8.0, "eps": 1e-3, "weight_decay": WD}, shrinking),
    Case("qhadam", tw.qhadam, qhadam.qhadam),
    Case("qhadam authors", lambda: tw.qhadam(nu1=1.0, beta1=0.9), qhadam.qhadam, {"nu1": 1.0, "beta1": 0.9}),
    *(Case(f"qhadam {options}", lambda options=options: tw.qhadam(**options), qhadam.qhadam, options, shrinking)
      for options in ({"nu1": 0.0}, {"nu2": 0.0}, {"nu1": 0.4, "nu2": 0.8, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3})),
    Case("qhadam inside", lambda: tw.qhadam(nu2=0.8, eps=tw.inside(1e-3)), qhadam.qhadam, {"nu2": 0.8, "eps": 1e-3, "eps_place": "inside"}),
    *(Case(f"adahessian {options}", lambda options=options: tw.adahessian(**options), adahessian.adahessian, options, lr, "curvature")
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "eps": 0.1, "power": 0.5, "k": 3}, halving))),
    Case("adahessian average", lambda: tw.choose((tw.is_matrix, tw.adahessian(average=True)), otherwise=tw.adahessian()), adahessian.adahessian,
         {"average": True}, 0.01, "curvature"),
    *(Case(f"sophia {options}", lambda options=options: tw.sophia(**options), sophia.sophia, options, lr, "curvature")
      for options, lr in (({}, None), ({"k": 1, "gamma": 0.05}, shrinking), ({"beta1": 0.8, "beta2": 0.9, "gamma": 3.0, "eps": 0.1, "k": 3}, halving))),
    Case("sophia decay", lambda: tw.chain(tw.sophia(), tw.decay(WD)), sophia.sophia, {"weight_decay": WD}, shrinking, "curvature"),
    *(Case(f"laprop {options}", lambda options=options: tw.laprop(**options), moments.laprop, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.9, "eps": 1e-3}, shrinking), ({"beta1": 0.0}, None))),
    Case("laprop inside", lambda: tw.laprop(eps=tw.inside(1e-3)), moments.laprop, {"eps": 1e-3, "eps_place": "inside"}),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(moments, name), options, lr)
      for name, own in (("diffgrad", {}), ("adamod", {"beta3": 0.95}), ("adanorm", {"gamma": 0.8}), ("adapnm", {"beta0": 0.3}), ("stable_adamw", {"weight_decay": 0.3}))
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, **own}, shrinking))),
    *(Case(f"adamod authors{end}", lambda options=options: variants.adamod_of_corrected(**options), moments.adamod, {"form": "code", **options}, lr)
      for end, options, lr in (("", {}, None), (" options", {"beta1": 0.8, "beta2": 0.9, "beta3": 0.95}, shrinking))),
    *(Case(f"padam {options}", lambda options=options: tw.padam(**options), adam_kin.padam, {("partial" if k == "p" else k): x for k, x in options.items()}, lr)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.9, "p": 0.3}, shrinking), ({"p": 0.5}, 1e-3))),
    *(Case(f"padam authors{end}", lambda options=options: variants.corrected_padam(**options), adam_kin.padam, {"form": "code", "partial": 0.25, **options}, lr)
      for end, options, lr in (("", {}, None), (" options", {"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "partial": 0.4}, shrinking))),
    Case("padam without the maximum", variants.partial_adam, adam_kin.padam, {"form": "adam", "partial": 0.25}),
    *(Case(f"adamd {place}", lambda place=place: tw.adamd(0.8, 0.99, at(place, 1e-3)), adam_kin.adamd, {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "eps_place": place}, shrinking)
      for place in ("raw", "outside")),
    Case("adamd", tw.adamd, adam_kin.adamd),
    *(Case(f"adam_atan2 {options}", lambda options=options: tw.adam_atan2(**options), adam_kin.adam_atan2, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.9}, halving))),
    *(Case(f"exadam {options}", lambda options=options: tw.exadam(**options), adam_kin.exadam, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.9, "eps": 1e-2}, shrinking))),
    *(Case(f"adamg {options}", lambda options=options: tw.adamg(**options), adam_kin.adamg, {("scale" if k == "p" else k): x for k, x in options.items()}, lr)
      for options, lr in (({}, None), ({}, 0.3), ({"beta1": 0.8, "beta2": 0.9, "beta3": 0.5, "p": 0.5, "q": 0.4, "eps": 1e-3}, halving))),
    *(Case(f"adams {options}", lambda options=options: tw.adams(**options), adam_kin.adams, options, lr, whole=True)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.9, "eps": 1e-2, "weight_decay": 0.3}, halving))),
    *(Case(f"ano {options}", lambda options=options: tw.ano(**options), yogi.ano, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "eps": 1e-2}, halving))),
    Case("ano authors", lambda: tw.ano(eps=tw.inside(1e-8)), yogi.ano, {"eps_place": "inside"}),
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
    *(Case(f"spam {options}", lambda options=options: tw.spam(**{**options, **({"eps": tw.outside(options["eps"], raw=True)} if options else {})}), spam.spam, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "every": 30, "warm_up": 12, "threshold": 2.0, "wait": 5}, halving))),
]  # fmt: skip
