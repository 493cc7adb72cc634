"""Whoever reads a pipe hears at once what is being done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DEAR = ("jax", "matplotlib", "numba", "pyarrow", "scipy", "sklearn", "torch")
"""What takes long to import."""
PROGRAM = """
import sys
sys.modules[{first!r}] = None
write = sys.stdout.write

def told(text):
    print(sorted(set({dear!r}) & set(sys.modules)), file=sys.stderr)
    return write(text)

sys.stdout.write = told
from thalweg.commands.cli import main
main({told!r}, standalone_mode=False)
"""


@pytest.mark.parametrize(
    ("command", "first", "begins"),
    [
        ("compare --problem xor --rules sgd --out o", "thalweg.lab.user.probe", "Comparing optimizers on xor"),
        ("race saddle --rules sgd,adam --out o.png", "thalweg.commands.racing", "Racing optimizers on saddle"),
        ("lab verify --only momentum --out o", "thalweg.lab.verify.momentum", "Checking the lab: momentum"),
    ],
)
def test_a_pipe_has_its_first_line_before_anything_dear_is_imported(
    command: str, first: str, begins: str, tmp_path: Path
) -> None:
    """first: the first of what is dear; without it nothing goes on."""
    program = PROGRAM.format(first=first, dear=DEAR, told=command.split())
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.startswith(begins)
    assert done.stderr.splitlines()[0] == "[]"
    assert f"import of {first} halted" in done.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.name != "o" or "verify" not in command] == []
