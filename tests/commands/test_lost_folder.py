"""A working folder that was deleted: a sentence, from the command line and from Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg
from thalweg import lab

SAYS = "the working folder does not exist any more; change to another one"


@pytest.fixture
def lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    try:
        gone.rmdir()
    except OSError:
        pytest.skip("this system keeps a folder that is in use")


@pytest.mark.parametrize("how", [("-m", "thalweg"), ("-m", "thalweg.commands.cli")])
@pytest.mark.parametrize("command", [["list"], ["show", "adam"], ["compare", "--problem", "xor", "--rules", "sgd"]])
@pytest.mark.usefixtures("lost")
def test_commands(how: tuple[str, str], command: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(thalweg.__file__).parents[1])}
    done = subprocess.run([sys.executable, *how, *command], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"Error: {SAYS}\n")


@pytest.mark.usefixtures("lost")
def test_python() -> None:
    for out in (None, "results"):
        with pytest.raises(lab.Refusal, match=SAYS):
            lab.compare(problem="xor", rules=["sgd"], out=out, jobs=1)
