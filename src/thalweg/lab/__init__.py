"""The lab: real problems, equal tuning budgets, honest statistics. `lab.compare`, or `thalweg compare` on the command line."""

from __future__ import annotations

import importlib
from typing import Any

HOMES = {
    "compare": "api.compare", "Comparison": "api.comparison", "Options": "api.options", "Progress": "api.progress",
    "Engine": "running.executors", "Refusal": "refusal",
}  # fmt: skip
__all__ = ["Comparison", "Engine", "Options", "Progress", "Refusal", "compare"]


def __getattr__(name: str) -> Any:
    """What is public is imported when it is first named: a process with trials in it needs no report."""
    if name in HOMES:
        return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
