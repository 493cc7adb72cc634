"""Steps printed as JavaScript, beside NumPy's: 50 of them on vectors of several lengths, to 1e-12."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import PATIENCE

import thalweg as tw
from lab.report.test_browser import CHROMIUM, found, shown
from thalweg.graph.program import NotTraced
from thalweg.lab.playground.javascript import printed

NODE = shutil.which("node")
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


def steps() -> dict[str, Any]:
    made = {}
    for name, rule in tw.rules.items():
        try:
            made[name] = printed(tw.Optimizer(rule()))
        except (NotTraced, ValueError, TypeError):
            continue
    return made


def cases() -> tuple[dict[str, Any], str]:
    """All rules that print, and the script that walks with them."""
    made, draw = steps(), np.random.default_rng(0)
    given: dict[str, Any] = {
        "starts": [draw.normal(size=n).tolist() for n in LENGTHS], "losses": (1 + draw.random(STEPS)).tolist(),
        "gradients": [draw.normal(size=(STEPS, n)).tolist() for n in LENGTHS],
    }  # fmt: skip
    rules = []
    for name, one in made.items():
        rate = tw.Optimizer(tw.rules[name]()).lr
        hyper = {key: rate if value is None else value for key, value in one.hyper.items()}
        facts = json.dumps({"starts": one.starts, "hyper": hyper})
        rules.append(f"{json.dumps(name)}: {{...{facts}, step: {one.text}}}")
    data = json.dumps(given)
    return given, f"const CASES = {{...{data}, rules: {{{','.join(rules)}}}}};{WALK}"


def in_numpy(name: str, given: dict[str, Any]) -> list[Any]:
    ends = []
    for start, gradients in zip(given["starts"], given["gradients"], strict=True):
        optimizer = tw.Optimizer(tw.rules[name]())
        p = np.array(start)
        state, path = optimizer.init(p), []
        for g, loss in zip(gradients, given["losses"], strict=True):
            told = {"loss": loss} if "loss" in optimizer.asks else {}
            p, state = optimizer.step(p, np.array(g), state, **told)
            path.append(p)
        ends.append(path)
    return ends


def equal(ends: dict[str, Any], given: dict[str, Any]) -> None:
    wrong = {}
    for name, paths in ends.items():
        for mine, theirs in zip(paths, in_numpy(name, given), strict=True):
            a, b = np.array(mine, np.float64), np.array(theirs)
            if not np.allclose(a, b, rtol=1e-12, atol=1e-12 * np.abs(b).max()):
                wrong[name] = float(np.abs(a - b).max())
    assert not wrong
    assert len(ends) > 110
    assert {"adam", "lamb", "sgd"} <= ends.keys()


@pytest.mark.skipif(NODE is None, reason="no node is installed")
def test_steps_in_node_are_numpys(tmp_path: Path) -> None:
    given, script = cases()
    path = tmp_path / "walk.js"
    path.write_text(script + "console.log(JSON.stringify(ends));", "utf-8")
    done = subprocess.run([str(NODE), str(path)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    equal(json.loads(done.stdout), given)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_steps_in_a_browser_are_numpys(tmp_path: Path) -> None:
    given, script = cases()
    page = f"<!doctype html><html><head></head><body><script>{script}</script></body></html>"
    equal(found(shown(page, "document.body.dataset.found = JSON.stringify(ends);", tmp_path)), given)
