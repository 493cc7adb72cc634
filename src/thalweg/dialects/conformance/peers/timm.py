"""timm.optim. timm imports its models with it, and those import torchvision; the optimizers need neither."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from importlib.metadata import version
from typing import Any

from thalweg.dialects.conformance.peers.on_torch import walk as _walk
from thalweg.dialects.conformance.stream import Point, Stream

VERSION = version("timm")


def _optimizers() -> Any:
    """Return timm.optim, with stand-ins for timm and its models if they cannot be imported."""
    try:
        return importlib.import_module("timm.optim")
    except (ImportError, RuntimeError):
        spec = importlib.util.find_spec("timm")
        if spec is None or spec.submodule_search_locations is None:
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] in ("timm", "torchvision")]:
            del sys.modules[name]
        for part in ("timm", "timm.models"):
            stand_in: Any = types.ModuleType(part)
            stand_in.__path__ = list(spec.submodule_search_locations)
            stand_in.group_parameters = None
            stand_in.__spec__ = importlib.machinery.ModuleSpec(part, None, is_package=True)
            sys.modules[part] = stand_in
        return importlib.import_module("timm.optim")


optimizers = _optimizers()


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers."""
    return _walk(lambda params: getattr(optimizers, name)(params, **options), along)
