"""Trials that a test makes up."""

from __future__ import annotations

from typing import Any

from thalweg.lab.protocol.tune import Setting
from thalweg.lab.store.spec import TrialSpec


def spec(seed: int = 1, lr: float = 0.1, hyper: dict[str, float] | None = None) -> TrialSpec:
    """One of Adam's on wine, whoever runs it."""
    setting = Setting(lr, tuple((hyper or {}).items()))
    known: dict[str, Any] = {"protocol": "1", "thalweg": "1", "engine": "e", "numpy": "2", "data": "d", "source": "s"}
    return TrialSpec(problem="wine", rule="adam", setting=setting, seed=seed, steps=5, batch_size=8, phase="tuning", **known)
