"""pytorch_optimizer."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytorch_optimizer

from thalweg.dialects.conformance.peers.on_torch import walk as _walk
from thalweg.dialects.conformance.stream import Point, Stream

VERSION = version("pytorch_optimizer")


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers."""

    def made(params: list[Any]) -> Any:
        optimizer = getattr(pytorch_optimizer, name)(params, **options)
        if hasattr(optimizer, "train"):
            optimizer.train()
        return optimizer

    return _walk(made, along)
