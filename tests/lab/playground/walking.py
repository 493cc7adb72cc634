"""Walks of steps in JavaScript, and the same walks in NumPy."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import PATIENCE

NODE = shutil.which("node")
NEEDS_NODE = pytest.mark.skipif(NODE is None, reason="no node is installed")
STEPS, LENGTHS = 50, (1, 2, 7)
WALK = """
const ends = {};
for (const [name, one] of Object.entries(CASES.rules)) ends[name] = CASES.starts.map((start, k) => {
  const p = Float64Array.from(start), state = {}, path = [];
  for (const [slot, [full, value]] of Object.entries(one.starts))
    state[slot] = full ? (value === null ? p.slice() : new Float64Array(p.length).fill(value)) : value;
  CASES.gradients[k].forEach((g, t) => {
    one.step(state, p, Float64Array.from(g), one.hyper, { t: t + 1, loss: CASES.losses[t] });
    path.push([...p]);
  });
  return path;
});
"""
"""Walks with each of CASES.rules from each of the starts."""


def drawn(steps: int = STEPS) -> dict[str, Any]:
    """Starts of several lengths, with a gradient and a loss for each step."""
    draw = np.random.default_rng(0)
    return {
        "starts": [draw.normal(size=n).tolist() for n in LENGTHS], "losses": (1 + draw.random(steps)).tolist(),
        "gradients": [draw.normal(size=(steps, n)).tolist() for n in LENGTHS],
    }  # fmt: skip


def in_node(script: str, folder: Path) -> Any:
    """What the script prints as JSON."""
    path = folder / "walk.js"
    path.write_text(script, "utf-8")
    done = subprocess.run([str(NODE), str(path)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_numpy(optimizer: Any, given: dict[str, Any]) -> list[Any]:
    ends = []
    for start, gradients in zip(given["starts"], given["gradients"], strict=True):
        p = np.array(start)
        state, path = optimizer.init(p), []
        for g, loss in zip(gradients, given["losses"], strict=True):
            told = {"loss": loss} if "loss" in optimizer.asks else {}
            p, state = optimizer.step(p, np.array(g), state, **told)
            path.append(p)
        ends.append(path)
    return ends


def differing(ends: Mapping[str, Any], optimizers: Mapping[str, Any], given: dict[str, Any]) -> dict[str, float]:
    """The walks that are not NumPy's to 1e-12, with the largest difference."""
    wrong = {}
    for name, paths in ends.items():
        for mine, theirs in zip(paths, in_numpy(optimizers[name], given), strict=True):
            a, b = np.array(mine, np.float64), np.array(theirs)
            if not np.allclose(a, b, rtol=1e-12, atol=1e-12 * np.abs(b).max(axis=1, keepdims=True)):
                wrong[name] = float(np.abs(a - b).max())
    return wrong
