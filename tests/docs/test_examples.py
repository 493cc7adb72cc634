"""Every example runs to its end, warnings being errors, and says something."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import PATIENCE

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


SLOW = (
    "jax_equinox",
    "jax_flax",
    "jax_plain",
    "torch_one_line",
    *(f"train_{name}" for name in ("flax", "jax", "lightning", "numpy", "torch", "transformers")),
)
"""Programs that XLA compiles for long, or that train many times; what the README and docs/jax.md say of JAX runs every day."""


@pytest.mark.parametrize(
    "example", [pytest.param(path, id=path.name, marks=pytest.mark.slow if path.stem in SLOW else ()) for path in EXAMPLES]
)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    for package in re.findall(
        r"^(?:import|from) (torch|jax|optax|flax|equinox|pytorch_lightning|transformers)\b",
        example.read_text(encoding="utf-8"),
        re.MULTILINE,
    ):
        pytest.importorskip(package)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)], capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= 3
    if example.stem == "torch_one_line":  # the same losses with either import, to the last digit
        assert all(line.split()[1] == line.split()[2] for line in lines[1:])
