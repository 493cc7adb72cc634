"""What keeps more of a matrix than its entries: rows, factors, singular vectors."""

from __future__ import annotations

from oracles import galore, muon_kin, psgd, shampoo, sketched

import thalweg as tw
from papers.case import WD, Case, halving, shrinking

CASES = [
    *(Case(f"normuon {options}", lambda options=options: tw.normuon(**options), muon_kin.normuon, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.8, "ns_steps": 3, "eps": 1e-2, "rms": 0.4}, shrinking))),
    Case("normuon decayed", lambda: tw.chain(tw.normuon(), tw.decay(WD)), muon_kin.normuon, {"weight_decay": WD}, leaves=("w",)),
    *(Case(f"adamuon {options}", lambda options=options: tw.adamuon(**options), muon_kin.adamuon, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"beta": 0.8, "ns_steps": 3, "eps": 1e-2, "rms": 0.4}, shrinking), ({"signed": True, "eps": 1e-2}, None))),  # of signs it divides zeros, up to rounding, by their own size
    *(Case(f"scion {options}", lambda options=options: tw.scion(**options), muon_kin.scion, options, lr)
      for options, lr in (({}, None), ({"mu": 0.5, "radius": 3.0, "ns_steps": 3, "constrained": False}, halving))),
    Case("scion last", lambda: tw.chain(tw.momentum(0.9, 0.9), tw.ball_minimizer("entry", 30.0), tw.decay(1.0)), muon_kin.scion,
         {"radius": 30.0, "ball": "last"}, 0.01, leaves=("w",)),
    *(Case(f"shampoo {eps}", lambda eps=eps: tw.shampoo(eps), shampoo.shampoo, {"eps": eps}, lr, leaves=("w",)) for eps, lr in ((1e-4, None), (1.0, shrinking))),
    *(Case(f"soap {options}", lambda options=options: tw.soap(**{**options, **({"eps": tw.outside(options["eps"], raw=True)} if options else {})}), shampoo.soap, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"f": 3, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3}, shrinking), ({"f": 1, "eps": 1e-2}, halving))),
    *(Case(f"apollo_adamw {options}", lambda options=options: tw.apollo_adamw(**options), sketched.apollo, options, lr, "noise", leaves=("w",))
      for options, lr in (({}, None), ({"rank": 2, "T": 7, "beta1": 0.5, "beta2": 0.9, "eps": 1e-2, "limit": 1.5}, halving),
                          ({"rank": 1, "T": 1, "per": "tensor", "scale": 8.0, "limit": float("inf")}, shrinking))),
    *(Case(f"splus {options}", lambda options=options: tw.splus(**options), shampoo.splus, options, lr)
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "T": 7, "weight_decay": 0.3, "factor": 0.1}, shrinking))),
    *(Case(f"psgd_kron {options}", lambda options=options: tw.psgd_kron(**options), psgd.psgd_kron, options, lr, "noise", leaves=("w",))
      for options, lr in (({}, 0.01), ({"beta": 0.5, "fit_rate": 0.5, "max_rms": 0.3}, halving))),
    *(Case(f"dion {options}", lambda options=options: tw.dion(**options), sketched.dion, options, lr, "start", leaves=("w",))
      for options, lr in (({}, 0.01), ({"mu": 0.5, "rank": 2, "eps": 1e-2}, shrinking), ({"rank": 1}, halving))),
    *(Case(f"swan {options}", lambda options=options: tw.swan(**options), muon_kin.swan, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"iterations": 4, "beta": 0.8}, halving))),
    *(Case(f"adago {options}", lambda options=options: tw.adago(**options), muon_kin.adago, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"mu": 0.5, "gamma": 0.3, "v0": 0.5, "least": 0.2, "ns_steps": 3}, shrinking))),
    *(Case(f"polargrad {options}", lambda options=options: tw.polargrad(**options), muon_kin.polargrad, {"ns_steps": 12, **options}, lr, leaves=("w",))
      for options, lr in (({}, None), ({"mu": 0.5, "ns_steps": 4, "weight_decay": WD}, shrinking))),
    Case("polargrad exact", lambda: tw.polargrad(0.5, 60), muon_kin.polargrad, {"mu": 0.5}, leaves=("w",)),
    *(Case(f"conda {options}", lambda options=options: tw.conda(**options), galore.conda, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"T": 7, "beta1": 0.5, "beta2": 0.9, "eps": 1e-2}, halving), ({"T": 1}, shrinking))),
    *(Case(f"fira {options}", lambda options=options: tw.fira(**options), galore.fira, options, lr, leaves=("w",))
      for options, lr in (({}, None), ({"rank": 2, "T": 7}, shrinking), ({"rank": 1, "T": 5, "scale": 0.25, "beta1": 0.5, "beta2": 0.9, "eps": 1e-2, "limit": 1.5}, halving))),
    Case("fira authors", lambda: tw.fira(2, 7, 0.25, eps=tw.outside(1e-6, raw=True), limit=float("inf")), galore.fira,
         {"rank": 2, "T": 7, "scale": 0.25, "limit": float("inf"), "form": "code"}, leaves=("w",)),
]  # fmt: skip
