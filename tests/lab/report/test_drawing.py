"""Figures are drawn whatever MPLBACKEND says, and the user's pyplot has the backend that it names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg

PROGRAM = """
import os
import {module}
assert os.environ["MPLBACKEND"] == {asked!r}
import matplotlib
print(matplotlib.rcParams._get("backend"))
"""


@pytest.mark.parametrize("module", ["thalweg.lab.report.report", "thalweg.lab.race.picture"])
@pytest.mark.parametrize("asked", ["nonsense", "module://not_installed.backend", "svg"])
def test_whatever_the_backend(module: str, asked: str) -> None:
    program = PROGRAM.format(module=module, asked=asked)
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "MPLBACKEND": asked}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if asked == "svg":
        assert done.stdout.strip() == asked


def test_matplotlib_is_imported_only_in_the_folders_that_see_to_it() -> None:
    root = Path(thalweg.__file__).parent
    found = [path for path in root.rglob("*.py") if re.search(r"^\s*(import|from) matplotlib", path.read_text(), re.MULTILINE)]
    homes = {root / "lab" / "report" / "figures", root / "lab" / "race"}
    assert {path.parent for path in found} == homes
    for home in homes:
        assert "import drawing" in (home / "__init__.py").read_text()
