"""The global random states of a run begin with its seed, whoever imports their framework, and are put back."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import first

from lab.training.loops import written
from thalweg.lab.training.seeding import seeded

FIRST_AND_SECOND = """
import importlib, sys
from thalweg.lab.training.seeding import seeded

def draws():
    {imports}
    return (torch.randn(3).tolist(), torch.randn(3).tolist())

assert "torch" not in sys.modules
found = []
for _ in range(2):
    with seeded(5):
        found.append(draws())
assert found[0] == found[1], found
assert not any(type(finder).__name__ == "_First" for finder in sys.meta_path)
import torch
outside = torch.get_rng_state()
with seeded(5):
    torch.randn(3)
assert (torch.get_rng_state() == outside).all()
"""


@pytest.mark.parametrize(
    "imports",
    first(
        ["import torch", "import torch.nn; import torch", "torch = importlib.import_module('torch')", "from mine import torch"]
    ),
)
def test_a_run_that_imports_torch_itself_gives_the_same_again(imports: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    written(tmp_path, "import torch\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + FIRST_AND_SECOND.replace("{imports}", imports)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_run_that_imports_nothing_or_what_is_missing_leaves_no_trace() -> None:
    program = (
        "import sys\nfrom thalweg.lab.training.seeding import seeded\nbefore = list(sys.meta_path)\n"
        "with seeded(5):\n    assert len(sys.meta_path) == len(before) + 1\nassert sys.meta_path == before\n"
        "sys.path[:] = []\nwith seeded(5):\n    try:\n        import torch\n    except ImportError:\n        pass\n"
        "assert sys.meta_path == before"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_python_s_and_numpy_s_states_are_put_back() -> None:
    numpy = np.random
    random.seed(1)
    numpy.seed(1)
    expected = random.random(), numpy.rand()
    random.seed(1)
    numpy.seed(1)
    drawn = []
    for _ in range(2):
        with seeded(7):
            drawn.append((random.random(), numpy.rand()))
    assert drawn[0] == drawn[1]
    assert (random.random(), numpy.rand()) == expected
