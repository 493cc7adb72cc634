"""The lab: optimizers compared on real problems with equal tuning budgets and sound statistics.

`lab.compare`, or `thalweg compare` on the command line; `lab.advise` says what earlier ones teach.
"""

from __future__ import annotations

import importlib
from typing import Any

HOMES = {
    "compare": "api.compare", "Comparison": "api.comparison", "Options": "api.options", "Progress": "api.progress",
    "advise": "bank.advise", "Advice": "bank.advise",
    "Engine": "running.executors", "Refusal": "refusal",
}  # fmt: skip
__all__ = ["Advice", "Comparison", "Engine", "Options", "Progress", "Refusal", "advise", "compare"]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: a process that runs trials does not need the report."""
    if name in HOMES:
        return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
