"""What stands apart from the families: AdaSmooth, FTRL-Proximal, Adai, Apollo, AdaShift, A2Grad."""

from __future__ import annotations

from oracles import apart

import thalweg as tw
from papers.case import Case, halving, shrinking

CASES = [
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(apart, name), options, lr)
      for name, own in (("adasmooth", [{"rho1": 0.2, "rho2": 0.7, "eps": 1e-3}]), ("ftrl", [{"beta": 0.3, "l1": 0.2, "l2": 0.5}, {"beta": 0.1, "l1": 1.0}]),
                        ("apollo", [{"beta": 0.5, "sigma": 0.01, "eps": 1e-2}]), ("adashift", [{"n": 3, "beta1": 0.5, "beta2": 0.9, "eps": 1e-3}, {"n": 1}]))
      for options, lr in (({}, None), *((options, shrinking) for options in own))),
    *(Case(f"adai {options}", lambda options=options: tw.adai(**options), apart.adai, options, lr, whole=True)
      for options, lr in (({}, None), ({"beta0": 0.5, "beta2": 0.9, "eps": 0.1}, halving))),
    *(Case(f"a2grad_{form} {options}", lambda form=form, options=options: tw.rules[f"a2grad_{form}"](**options), apart.a2grad, {"form": form, **options}, lr)
      for form, own in (("uni", {}), ("inc", {}), ("exp", {"rho": 0.8})) for options, lr in (({}, None), ({"beta": 0.3, **own}, halving))),
]  # fmt: skip
