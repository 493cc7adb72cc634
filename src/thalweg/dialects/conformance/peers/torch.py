"""torch.optim."""

from __future__ import annotations

from typing import Any

import torch

from thalweg.dialects.conformance.peers.on_torch import walk as _walk
from thalweg.dialects.conformance.stream import Point, Stream

VERSION = torch.__version__


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers."""
    return _walk(lambda params: getattr(torch.optim, name)(params, **options), along)
