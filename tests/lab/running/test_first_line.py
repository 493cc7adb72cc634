"""Whoever reads a pipe hears at once what is being done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_pipe_has_its_first_line_before_anything_dear_is_imported(tmp_path: Path) -> None:
    told = ["compare", "--problem", "xor", "--rules", "sgd", "--out", str(tmp_path / "o")]
    program = (
        "import sys\n"
        "sys.modules['thalweg.lab.user.first_look'] = None  # the first of what is dear: without it nothing goes on\n"
        f"from thalweg.commands.cli import main\nmain({told!r}, standalone_mode=False)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Comparing optimizers on xor")
    assert done.returncode != 0
    assert not (tmp_path / "o").exists()
