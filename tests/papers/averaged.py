"""What goes on from an average of its points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from oracles import averaged, schedule_free

import thalweg as tw
from papers.case import WD, Case, halving, shrinking


def asked(oracle: Callable[..., schedule_free.Walks]) -> Callable[..., np.ndarray]:
    """The points where the oracle takes its gradients."""

    def walk(*args: Any, **options: Any) -> np.ndarray:
        return oracle(*args, **options).y

    return walk


SGD, ADAMW, RADAM = map(
    asked, (schedule_free.schedule_free_sgd, schedule_free.schedule_free_adamw, schedule_free.schedule_free_radam)
)
RATE, WARM = {"correction": "rate"}, tw.schedules.warm_up(20, 0.01)

CASES = [
    Case("ranger", tw.ranger, averaged.ranger),
    Case("ranger options", lambda: tw.ranger(4, 0.8, 0.8, 0.97, tw.outside(1e-3, raw=True), 4.0, 0.3), averaged.ranger,
         {"k": 4, "alpha": 0.8, "beta1": 0.8, "beta2": 0.97, "eps": 1e-3, "threshold": 4.0, "weight_decay": 0.3}, shrinking),
    Case("ranger21", tw.ranger21, averaged.ranger21),
    *(Case(f"ranger21 {word}", lambda clipping=clipping: tw.ranger21(4, 0.8, 0.3, 0.8, 0.97, 1e-3, clipping, 0.3), averaged.ranger21,
           {"k": 4, "alpha": 0.8, "beta0": 0.3, "beta1": 0.8, "beta2": 0.97, "eps": 1e-3, "clipping": clipping, "weight_decay": 0.3}, shrinking)
      for word, clipping in (("options", 0.05), ("hardly clipped", 3.0))),
    Case("schedule_free_sgd", tw.schedule_free_sgd, SGD),
    *(Case(f"schedule_free_sgd {word}", lambda: tw.schedule_free_sgd(0.7, weight_decay=WD), SGD, {"beta": 0.7, "weight_decay": WD}, lr)
      for word, lr in (("decayed", 0.1), ("warmed up", WARM))),
    Case("schedule_free_sgd equal", lambda: tw.schedule_free_sgd(power=0.0), SGD, {"average": "equal"}, halving),
    Case("schedule_free_adamw", tw.schedule_free_adamw, ADAMW, RATE),
    *(Case(f"schedule_free_adamw {word}", lambda: tw.schedule_free_adamw(0.7, 0.9, 1e-3, WD, 3.0), ADAMW,
           {"beta1": 0.7, "beta2": 0.9, "eps": 1e-3, "weight_decay": WD, "power": 3.0, **RATE}, lr) for word, lr in (("warmed up", WARM), ("falling", halving))),
    Case("schedule_free_adamw equal", lambda: tw.schedule_free_adamw(power=0.0), ADAMW, {"power": 0.0, **RATE}, WARM),
    Case("schedule_free_adamw authors", lambda: tw.schedule_free_adamw(weight_decay=WD, correction="moment"), ADAMW, {"weight_decay": WD}, WARM),
    Case("schedule_free_radam", tw.schedule_free_radam, RADAM),
    *(Case(f"schedule_free_radam {word}", lambda: tw.schedule_free_radam(0.7, 0.9, 1e-3, WD, 1.0), RADAM,
           {"beta1": 0.7, "beta2": 0.9, "eps": 1e-3, "weight_decay": WD, "power": 1.0}, lr) for word, lr in (("warmed up", WARM), ("falling", halving))),
]  # fmt: skip
