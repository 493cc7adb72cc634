"""Figures are drawn whatever MPLBACKEND says, and the user's pyplot has the backend that it names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import first

import thalweg

PROGRAM = """
import os
import {module}
assert os.environ["MPLBACKEND"] == {asked!r}
import matplotlib
print(matplotlib.rcParams._get("backend"))
"""


@pytest.mark.parametrize("module", first(["thalweg.lab.report.report", "thalweg.lab.race.picture"]))
@pytest.mark.parametrize("asked", first(["nonsense", "module://not_installed.backend", "svg"]))
def test_whatever_the_backend(module: str, asked: str) -> None:
    program = PROGRAM.format(module=module, asked=asked)
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "MPLBACKEND": asked}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if asked == "svg":
        assert done.stdout.strip() == asked


def test_whoever_imports_matplotlib_sees_to_it_before() -> None:
    root = Path(thalweg.__file__).parent
    figures = root / "lab" / "report" / "figures"
    assert "import drawing" in (figures / "__init__.py").read_text()
    for path in root.rglob("*.py"):
        text = path.read_text()
        if path.parent != figures and (found := re.search(r"^\s*(import|from) matplotlib", text, re.MULTILINE)):
            assert "import drawing" in text[: found.start()], path
