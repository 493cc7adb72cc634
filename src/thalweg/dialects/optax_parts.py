"""Parts that several of optax's functions share."""

from __future__ import annotations

from typing import Any

from thalweg.core.compose import only
from thalweg.core.stage import Stage
from thalweg.dialects.row import Masks
from thalweg.methods.moments.adam import adam, nadam
from thalweg.ops import Epsilon, outside
from thalweg.rule import Rule
from thalweg.stages.decay import decay


def rate_of(given: Masks) -> Any:
    """Return the learning rate under its usual name; 1 if it is None."""
    return 1.0 if given.static("learning_rate") is None else given.dynamic("learning_rate")


def epsilon(given: Masks, of: str = "") -> Epsilon:
    """Return its eps and eps_root as an Epsilon. of: prefix of the latter's name."""
    return outside(given.dynamic("eps"), root=given.dynamic_or_zero(f"{of}eps_root"))


def times(value: Any, factor: Any) -> Any:
    """Multiply a number or a schedule by a factor."""
    return (lambda t: factor * value(t)) if callable(value) else factor * value


def decayed(given: Masks, amount: str = "weight_decay", mask: str = "mask", by: Rule = decay, share: Any = 1.0) -> Stage:
    """Return its weight decay, or a share of it, on the parameters that its mask selects."""
    shrink, spared = by(times(given.dynamic_or_zero(amount), share)), given.leaves(mask)
    return shrink if spared is None else only(spared, shrink)


def adam_or_nadam(given: Masks, of: str = "") -> Stage:
    """Return Adam, or with its `nesterov` Nadam at a constant momentum. of: prefix of its names, except eps."""
    betas, eps = (given.dynamic(f"{of}b1"), given.dynamic(f"{of}b2")), epsilon(given, of)
    stage: Stage = nadam(*betas, eps, schedule=False, nu_factor=False) if given.static("nesterov") else adam(*betas, eps)
    return stage


_MOMENTS = {"m": "mu", "v": "nu"}


def named(stage: str, **names: str) -> dict[str, str]:
    """Return optax's names for the slots of a stage."""
    return {f"{stage}.{slot}": name for slot, name in (names or _MOMENTS).items()}
