"""A tree of parameters, and gradients for it."""

from __future__ import annotations

from typing import Any

import numpy as np


def tree() -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {"w": draw.normal(size=(4, 3)), "b": draw.normal(size=3)}


def gradients(count: int, like: dict[str, Any]) -> list[dict[str, Any]]:
    draw = np.random.default_rng(1)
    return [{k: draw.normal(size=v.shape).astype(v.dtype) for k, v in like.items()} for _ in range(count)]
