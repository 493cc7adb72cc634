"""A fixture for the tests of trainers: what these change is restored."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def restored() -> Iterator[None]:
    """Accelerate keeps what it was told in class attributes and environment variables."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    if "accelerate" in sys.modules:
        from accelerate.state import AcceleratorState, GradientState

        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()
