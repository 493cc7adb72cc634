"""What goes on from an average of its points."""

from __future__ import annotations

from oracles import averaged

import thalweg as tw
from papers.case import Case, shrinking

CASES = [
    Case("ranger", tw.ranger, averaged.ranger),
    Case("ranger options", lambda: tw.ranger(4, 0.8, 0.8, 0.97, tw.outside(1e-3, raw=True), 4.0, 0.3), averaged.ranger,
         {"k": 4, "alpha": 0.8, "beta1": 0.8, "beta2": 0.97, "eps": 1e-3, "threshold": 4.0, "weight_decay": 0.3}, shrinking),
]  # fmt: skip
