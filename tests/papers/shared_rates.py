"""One rate for many numbers: what sets it from a whole tensor, or a row."""

from __future__ import annotations

from oracles import shared_rates

import thalweg as tw
from papers.case import Case, halving

CASES = [
    *(Case(f"sgd_sai {options}", lambda options=options: tw.sgd_sai(**options), shared_rates.sgd_sai, options, lr)
      for options, lr in (({}, None), ({"mu": 0.5, "eps": 0.1, "weight_decay": 0.3}, halving))),
    *(Case(f"adam_mini {options}", lambda options=options: tw.adam_mini(**options), shared_rates.adam_mini, options, lr)
      for options, lr in (({}, None), ({"by_row": False}, None), ({"beta1": 0.5, "beta2": 0.9, "eps": 1e-2, "weight_decay": 0.3}, halving))),
]  # fmt: skip
