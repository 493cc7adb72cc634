"""A user's file, `user.py`: it runs, and type checkers find nothing in it. `tools/ci` asks mypy, as it knows the sources already."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import PATIENCE

ROOT = Path(__file__).parents[2]
USER = Path(__file__).with_name("user.py")


@pytest.mark.slow
def test_pyright_finds_nothing(tmp_path: Path) -> None:
    for package in ("torch", "optax"):
        pytest.importorskip(package)
    program = shutil.which("pyright") or pytest.skip("no pyright here: `pip install pyright`")
    settings = {"typeCheckingMode": "strict", "reportUnnecessaryTypeIgnoreComment": True}
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps({**settings, "extraPaths": [str(ROOT / "src")], "include": ["user.py"]})
    )
    (tmp_path / "user.py").write_text(USER.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [program, "--project", str(tmp_path), "--pythonpath", sys.executable], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stdout.startswith("0 errors"), done.stdout


@pytest.mark.slow
def test_the_users_file_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for package in ("torch", "optax"):
        pytest.importorskip(package)
    from . import user

    monkeypatch.chdir(tmp_path)
    assert np.all(user.pure()["w"] < 1)
    user.in_numpy()
    assert user.in_torch() > 0
    assert user.in_jax({"w": np.ones(3)})["w"].shape == (3,)
    user.network()
    user.in_the_lab()
    assert "adam" in capsys.readouterr().out
