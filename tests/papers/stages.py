"""What stands before or behind a rule: filters, projections, clipping, agreement, decay."""

from __future__ import annotations

from typing import Any

from oracles import directions, projected

import thalweg as tw
from papers.case import WD, Case, halving, shrinking


def clipped(**options: Any) -> Any:
    """AGC by rows or columns for matrices, by tensor for vectors."""
    if options.get("unit") == "tensor":
        return tw.agc(**options)
    return tw.choose((tw.is_matrix, tw.agc(**options)), otherwise=tw.agc(unit="tensor"))


CASES = [
    Case("cautious", lambda: tw.chain(tw.adam(), tw.cautious()), directions.cautious_adam),
    Case("cautious paper", lambda: tw.chain(tw.adam(), tw.cautious(eps=tw.outside(1 / 12))), directions.cautious_adam, {"form": "paper"}, leaves=("w",)),
    Case("cautious decayed", lambda: tw.chain(tw.adam(0.5, 0.9, 1e-3), tw.cautious(), tw.decay(WD)), directions.cautious_adam,
         {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "weight_decay": WD}, shrinking),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(directions, name), options, lr)
      for name, own in (("grams", {}), ("mars", {"gamma": 0.1}), ("adamc", {"max_lr": 0.3}))
      for options, lr in (({}, None), ({"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.3, **own}, shrinking))),
    *(Case(f"grokfast {options}", lambda options=options: tw.chain(tw.grokfast(**options), tw.sgd()), directions.grokfast, options, lr)
      for options, lr in (({}, None), ({"alpha": 0.7, "lamb": 0.5}, halving))),
    Case("centralize", lambda: tw.chain(tw.only(tw.is_matrix, tw.centralize()), tw.sgd()), directions.centralized_sgd, {}, halving, leaves=("w",)),
    Case("orthograd", lambda: tw.chain(tw.orthograd(), tw.sgd()), directions.orthograd, {}, leaves=("w", "b")),
    Case("orthograd authors", lambda: tw.chain(tw.orthograd(keep_norm=True), tw.sgd()), directions.orthograd, {"keep_norm": True}, halving, leaves=("w", "b")),
    *(Case(f"agc {options}", lambda options=options: tw.chain(clipped(**options), tw.sgd()), directions.agc_sgd, options, halving, leaves=leaves)
      for options, leaves in (({}, ("w",)), ({"clipping": 0.3, "eps": 1.5}, ("w",)), ({"unit": "tensor", "clipping": 0.3}, ("w", "b", "s")), ({"unit": "column", "clipping": 0.3}, ("w",)))),
    *(Case(f"adagc {options}", lambda options=options: tw.chain(tw.adagc(**options), tw.sgd()), directions.adagc_sgd, options, lr, "norms")
      for options, lr in (({}, None), ({"start": 8, "max_norm": 3.0, "relative": 1.5, "beta": 0.7}, halving), ({"start": 2}, None), ({"start": 1}, None))),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(projected, name), options, lr)
      for name, own in (("adamp", {"beta1": 0.8, "beta2": 0.9, "eps": 1e-3}), ("sgdp", {"mu": 0.5}))
      for options, lr in (({}, None), *(({"delta": delta, "weight_decay": 0.3, "share": 0.2, **own}, shrinking) for delta in (0.4, 1.0, 1.5)))),
    Case("sgdp authors", lambda: tw.sgdp(0.5, 1.0, 0.3 / 0.5), projected.sgdp, {"mu": 0.5, "delta": 1.0, "weight_decay": 0.3, "form": "code"}),
    *(Case(f"clip_each {limit}", lambda limit=limit: tw.chain(tw.clip_each(limit), tw.sgd()), directions.clipped_sgd, {"max_norm": limit}) for limit in (1.0, 3.0)),
]  # fmt: skip
