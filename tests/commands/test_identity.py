"""A stored trial serves as long as what decides its numbers is the same: the whole road, by the command line, twice on one store."""

from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from support import PATIENCE

from thalweg.lab.store.records import FILE

pytestmark = pytest.mark.slow
RULE = '''
import beside
from thalweg import rule


def scaled(g):
    """A helper."""
    return 2.0 * g


@rule(lr=0.05, search=(0.01, 0.1))
def mine(g):
    """Mine (Me 2026)."""
    return beside.turned(scaled(g))
'''
BESIDE = "def turned(g):\n    return g + 0.0\n"
PROBLEM = """
import numpy as np

def init(rng):
    return {"w": rng.normal(size=3)}

def loss(params):
    return float(((params["w"] - np.arange(3)) ** 2).sum())

def grad(params):
    return {"w": 2 * (params["w"] - np.arange(3))}
"""


def compare(folder: Path, told: str) -> Counter[str]:
    """The trials of each rule in the store, after a comparison in a process of its own."""
    small = "--budget 1 --seeds 1 --steps 2 --batch-size 8 --jobs 1 --out o"
    argv = [sys.executable, "-P", "-m", "thalweg", "compare", *shlex.split(f"{told} {small}")]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    store = sqlite3.connect(folder / "o" / FILE)
    try:
        return Counter(json.loads(what)["rule"] for (what,) in store.execute("SELECT what FROM trials"))
    finally:
        store.close()


def test_a_rule_is_what_it_computes(tmp_path: Path) -> None:
    told = "--problem xor --rules sgd --my-rule mine.py"
    (tmp_path / "beside.py").write_text(BESIDE)
    (tmp_path / "mine.py").write_text(RULE)
    first = compare(tmp_path, told)
    assert first["mine"] >= 2
    (tmp_path / "mine.py").write_text("# new\n" + RULE.replace("A helper.", "Twice it.").replace("2026", "2025"))
    (tmp_path / "beside.py").write_text(BESIDE.replace("0.0", "0.0  # nothing"))
    assert compare(tmp_path, told) == first
    (tmp_path / "mine.py").write_text(RULE.replace("2.0 * g", "2.5 * g"))
    edited = compare(tmp_path, told)
    assert edited == first + Counter(mine=first["mine"])
    (tmp_path / "beside.py").write_text(BESIDE.replace("0.0", "0.5"))
    assert compare(tmp_path, told) == edited + Counter(mine=first["mine"])


def test_a_problem_is_its_file(tmp_path: Path) -> None:
    told = "--problem own.py --rules sgd"
    (tmp_path / "own.py").write_text(PROBLEM)
    first = compare(tmp_path, told)
    assert compare(tmp_path, told) == first
    (tmp_path / "own.py").write_text(PROBLEM.replace("np.arange(3)", "np.ones(3)"))
    assert compare(tmp_path, told) == first + first


def test_data_are_their_numbers(tmp_path: Path) -> None:
    told = "--data own.csv --target y --rules sgd"
    x = np.random.default_rng(0).normal(size=(60, 3)).round(3)
    rows = [f"{a},{b},{c}" for a, b, c in x]
    (tmp_path / "own.csv").write_text("\n".join(["a,b,y", *rows]))
    first = compare(tmp_path, told)
    assert compare(tmp_path, told) == first
    (tmp_path / "own.csv").write_text("\n".join(["a,b,y", *rows[:-1], f"{x[-1, 0] + 1},{x[-1, 1]},{x[-1, 2]}"]))
    assert compare(tmp_path, told) == first + first
