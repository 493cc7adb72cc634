"""The checks by name, in the order of the page."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence

from threadpoolctl import threadpool_limits

from thalweg.lab.verify.check import Check, Say

CHECKS = ("algoperf", "momentum", "heavy_tails", "controls", "avoiding", "early_stopping", "untuned", "advice")


def run(names: Sequence[str], quick: bool, say: Say) -> Iterator[Check]:
    """Run the checks in turn. Each depends only on `quick`, as seeds are fixed."""
    with threadpool_limits(1):
        for name in names:
            yield importlib.import_module(f"thalweg.lab.verify.{name}").check(quick, say)
