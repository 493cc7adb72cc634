"""Parameters split over four devices: the result of one device, the state split as the parameters are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import FOUR_DEVICES, PATIENCE

pytestmark = pytest.mark.slow

pytest.importorskip("jax")
pytest.importorskip("optax")


def test_split_over_four_devices() -> None:
    """Auto and Explicit meshes; by coordinate, by tensor, by matrix, by the whole model, and walking elsewhere."""
    environment = {**os.environ, "XLA_FLAGS": FOUR_DEVICES, "JAX_PLATFORMS": "cpu"}
    script = Path(__file__).parent / "sharded_jax.py"
    command = [sys.executable, "-W", "error", str(script)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    rows = [line.split("|") for line in ran.stdout.splitlines()]
    assert {kind for _, kind, *_ in rows} == {"Auto", "Explicit"}
    assert len(rows) >= 20
    for name, kind, *split, gap in rows:
        assert split == ["True"] * 3, (name, kind, split)
        close = 1e-6 if name == "santa_e" else 1e-12  # its draws are float32, whose last bits a compiler decides
        assert float(gap) < close, (name, kind, gap)
