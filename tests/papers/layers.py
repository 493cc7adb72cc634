"""What sees a whole tensor: its rows and columns, its norm, its singular vectors."""

from __future__ import annotations

from typing import Any

from oracles import adafactor, adalite, adalomo, came, galore, layerwise, muon, nero, tensors

import thalweg as tw
from papers.case import WD, Case, halving, shrinking


def placed(options: dict[str, Any]) -> dict[str, Any]:
    """muon's options, in which the oracle says the place of its epsilon apart."""
    word = {"added": tw.outside, "floor": tw.at_least}.get(options.get("eps_place", ""))
    rest = {name: value for name, value in options.items() if name != "eps_place"}
    return rest if word is None else {**rest, "eps": word(options["eps"])}


CASES = [
    Case("adafactor", tw.adafactor, adafactor.adafactor),
    Case("adafactor options", lambda: tw.adafactor(-0.5, 1e-4, 0.7, 2.5, 0.1), adafactor.adafactor,
         {"beta2_decay": -0.5, "eps1": 1e-4, "eps2": 0.7, "d": 2.5, "weight_decay": 0.1}, shrinking),
    *(Case(f"adafactor {options}", lambda options=options: tw.adafactor(**options), adafactor.adafactor, options, lr)
      for options in ({"relative_step": False}, {"parameter_scale": False}, {"relative_step": False, "parameter_scale": False, "d": float("inf")}, {"offset": -7.0})
      for lr in (0.3, shrinking)),
    *(Case(f"adafactor floor {eps1}", lambda eps1=eps1: tw.adafactor(eps1=tw.at_least(eps1)), adafactor.adafactor,
           {"eps1": eps1, "eps_place": "floor"}, 0.3) for eps1 in (2.0**-52, 0.1)),
    *(Case(f"muon {options}", lambda options=options: tw.muon(**placed(options)), muon.muon, options, lr, leaves=("w",))
      for options in ({}, {"nesterov": False}, {"mu": 0.0}, {"scale": "transposed"}, {"scale": "match_rms_adamw"}, {"scale": "none", "ns_steps": 9},
                      *({"momentum": kind, "nesterov": ahead} for kind in ("average", "corrected") for ahead in (True, False)),
                      {"eps": 0.3, "mu": 0.5}, {"eps": 3.0, "eps_place": "floor"},
                      {"scale": "match_rms_adamw", "rms": 0.3, "dual_norm": True}, {"coefficients": ((4.0, -6.8, 2.9), (1.5, -0.5, 0.0))},
                      *({"preconditioning": kind, "eps": 0.3, "eps_place": place} for kind in ("spectral", "aol", "schatten") for place in ("added", "floor")))
      for lr in (None, shrinking)),
    Case("muon coefficients", lambda: tw.muon(a=1.875, b=-1.25, c=0.375), muon.muon, {"coefficients": (1.875, -1.25, 0.375)}, leaves=("w",)),
    Case("muon bfloat16", lambda: tw.muon(dtype="bfloat16"), muon.muon, {"bfloat16": True}, leaves=("w",)),
    Case("muon torch", lambda: tw.chain(tw.muon(momentum="average", eps=tw.at_least(1e-7), dtype="bfloat16"), tw.decay(0.1)), muon.muon,
         {"momentum": "average", "eps_place": "floor", "bfloat16": True, "weight_decay": 0.1}, shrinking, leaves=("w",)),
    Case("muon_with_adamw", tw.muon_with_adamw, muon.muon_with_adamw),
    Case("muon_with_adamw options", lambda: tw.muon_with_adamw(0.8, False, 3, "own", "match_rms_adamw", WD, 0.3, 0.5, 0.9, 1e-3), muon.muon_with_adamw,
         {"mu": 0.8, "nesterov": False, "ns_steps": 3, "scale": "match_rms_adamw", "weight_decay": WD, "share": 0.3, "beta1": 0.5, "beta2": 0.9, "adamw_eps": 1e-3}, shrinking),
    Case("muon_with_adamw bfloat16", lambda: tw.muon_with_adamw(dtype="bfloat16"), muon.muon_with_adamw, {"bfloat16": True}),
    *(Case(f"lars {options}", lambda options=options: tw.lars(**options), layerwise.lars, options, lr)
      for options, lr in (({}, None), ({"mu": 0.5, "weight_decay": 0.3, "coefficient": 0.01}, shrinking), ({"weight_decay": 0.0}, 3.0))),
    *(Case(f"lamb {options}", lambda options=options: tw.lamb(**options), layerwise.lamb, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.3}, shrinking),
                          ({"low": 2.0, "high": 3.0}, 0.01), ({"weight_decay": 0.0}, 0.01))),
    *(Case(f"novograd {options}", lambda options=options: tw.novograd(**options), layerwise.novograd, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.8, "beta2": 0.25, "eps": 1e-3, "weight_decay": 0.1}, shrinking))),
    Case("fromage", tw.fromage, layerwise.fromage),
    Case("fromage schedule", tw.fromage, layerwise.fromage, {}, halving),
    Case("novograd eps_root", lambda: tw.chain(tw.layer_normalized(eps=tw.outside(1e-8, root=0.1)), tw.momentum(0.95)), layerwise.novograd, {"eps_root": 0.1}, 0.01),
    *(Case(f"fromage {least}", lambda least=least: tw.fromage(least), layerwise.fromage, {"min_norm": least}) for least in (1e-6, 1.0, 4.0)),
    *(Case(f"lars of sums {options}",
           lambda options=options: tw.chain(tw.decay(WD), tw.trust_ratio(**options), tw.learning_rate(), tw.momentum()),
           layerwise.lars_of_sums, {"weight_decay": WD, **options}, shrinking)
      for options in ({"coefficient": 0.02}, {"coefficient": 1.0, "eps": 0.5})),
    *(Case(f"galore {options}", lambda options=options: tw.galore(**options), galore.galore, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"rank": 2, "T": 7}, shrinking), ({"rank": 1, "T": 1, "scale": 1.0, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3}, halving))),
    *(Case(f"adalomo {options}", lambda options=options: tw.adalomo(**options), adalomo.adalomo, options, lr)
      for options, lr in (({}, 0.3), ({"beta2_decay": -0.5, "eps1": 1e-4, "eps2": 0.7, "d": 2.5, "weight_decay": 0.1}, shrinking))),
    *(Case(f"came {options}", lambda options=options: tw.came(**options), came.came, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "beta3": 0.8, "eps1": 1e-3, "eps2": 1e-2, "d": 0.5, "weight_decay": 0.1}, shrinking))),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(tensors, name), options, lr)
      for name, several in {
          "fadam": {"beta1": 0.5, "beta2": 0.9, "eps": 1e-2, "eps2": 0.1, "c": 0.3, "weight_decay": 0.5},
          "aida": {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "K": 3, "xi": 1e-2},
          "tam": {"beta": 0.5, "gamma": 0.3, "eps": 0.1},
          "amos": {"scale": 0.3, "beta": 0.9, "zeta": 2.0},
      }.items()
      for options, lr in (({}, 0.01), (several, halving))),
    *(Case(f"adalite {options}", lambda options=options: tw.adalite(**options), adalite.adalite, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "eps2": 1e-2, "tau": 0.3, "weight_decay": 0.3}, shrinking))),
    *(Case(f"nero {options}", lambda options=options: tw.nero(**options), nero.nero, options, lr) for options, lr in (({}, None), ({"beta": 0.5}, halving))),
]  # fmt: skip
