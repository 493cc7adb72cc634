"""Save, load and continue in a fresh process equals never having stopped, to the last bit, for every rule."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from support import PATIENCE  # noqa: E402

import thalweg as tw  # noqa: E402
from core import fresh_process as work  # noqa: E402

SOME = ("adam", "prodigy", "santa_sss", "learned")


@pytest.mark.parametrize("names", [SOME, pytest.param(tuple(tw.rules), marks=pytest.mark.slow)], ids=["some rules", "every rule"])
def test_rules_go_on_in_a_fresh_process(names: tuple[str, ...], tmp_path: Path) -> None:
    halfway, whole = {}, {}
    for name in names:
        params = work.parameters(name)
        optimizer = work.optimizer_of(name, params)
        work.train(optimizer, params, range(work.STEPS // 2))
        halfway[name] = [p.clone() for p in params], optimizer.state_dict()
        torch.save(halfway[name], tmp_path / f"{name}.pt")  # as it is now: a state_dict is the running optimizer's own tensors
        halfway[name] = torch.load(tmp_path / f"{name}.pt", weights_only=True)
        work.train(optimizer, params, range(work.STEPS // 2, work.STEPS))
        whole[name] = params
    torch.save(halfway, tmp_path / "halfway.pt")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "core.fresh_process", str(tmp_path / "halfway.pt"), str(tmp_path / "end.pt")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    ended = torch.load(tmp_path / "end.pt", weights_only=True)
    assert set(ended) == set(names)
    different = [n for n, params in whole.items() if not all(map(torch.equal, params, ended[n]))]
    assert not different
    moved = [n for n, params in whole.items() if not all(map(torch.equal, params, halfway[n][0]))]
    assert set(moved) == set(names)
