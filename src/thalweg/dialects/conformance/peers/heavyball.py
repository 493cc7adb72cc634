"""HeavyBall, uncompiled: what it computes is the same, and compiling takes minutes."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import heavyball
import heavyball.utils

from thalweg.dialects.conformance.peers.on_torch import walk as _walk
from thalweg.dialects.conformance.stream import Point, Stream

VERSION = version("heavyball")


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers."""
    before = heavyball.utils.compile_mode, heavyball.utils.compile_mode_recommended_to_none
    heavyball.utils.compile_mode = heavyball.utils.compile_mode_recommended_to_none = None
    try:
        return _walk(lambda params: getattr(heavyball, name)(params, **options), along)
    finally:
        heavyball.utils.compile_mode, heavyball.utils.compile_mode_recommended_to_none = before
