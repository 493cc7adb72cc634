"""Files that import the modules beside them: which modules these are, and that they are part of the identity."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from thalweg.lab.problems import problem
from thalweg.lab.refusal import Refusal
from thalweg.lab.store.fingerprint import fingerprint
from thalweg.lab.user import my_problem, my_rule

RULE = "from thalweg import rule, around\nfrom {name} import turned\n\n\n@rule(lr=0.1)\ndef {rule}(g):\n    return turned(g)\n"
AROUND = "from thalweg import around\nimport {name}\n\n\n@around(lr=0.1)\ndef {rule}(p):\n    loss, g = yield p\n    return {name}.turned(g)\n"
PROBLEM = "from {name} import of\n\n\ndef init(rng):\n    return {{'w': rng.normal(size=3)}}\n\n\ndef loss(p):\n    return of(p['w'])\n\n\ndef grad(p):\n    return {{'w': 2 * p['w']}}\n"


def written(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def slope(path: Path, name: str) -> float:
    """What the rule makes of a gradient of 1."""
    optimizer = tw.Optimizer(my_rule.load([path])[name], lr=1.0)
    p, g = {"w": np.zeros(1)}, {"w": np.ones(1)}
    given = {"grad_fn": lambda p: (0.0, g)} if optimizer.asks_gradients else {}
    return -float(optimizer.step(p, None if given else g, optimizer.init(p), **given)[0]["w"][0])


@pytest.mark.parametrize("form", [RULE, AROUND])
def test_a_changed_neighbour_is_imported_anew_and_is_another_identity(form: str, tmp_path: Path) -> None:
    """In one process, as in a notebook; also what a neighbour imports itself."""
    mine = written(tmp_path, "mine.py", form.format(name="near_a", rule="mine"))
    written(tmp_path, "near_a.py", "from near_b import FACTOR\n\n\ndef turned(g):\n    return FACTOR * g\n")
    found = []
    for factor in ("2.0", "3.25"):
        written(tmp_path, "near_b.py", f"FACTOR = {factor}\n")
        found.append((slope(mine, "mine"), fingerprint(my_rule.load([mine])["mine"], problem("xor"))))
    assert [each[0] for each in found] == [2.0, 3.25]
    assert found[0][1] != found[1][1]


def test_the_code_that_decides_by_shape_counts_in_a_neighbour_too(tmp_path: Path) -> None:
    """No graph shows it: a predicate is told by its code, and by that of the modules whose functions it calls."""
    text = "import near_h\nimport thalweg as tw\n\n\ndef wide(leaf):\n    return near_h.wide(leaf)\n\n\n"
    mine = written(tmp_path, "mine.py", text + "mine = tw.choose((wide, tw.momentum()), otherwise=tw.sgd())\n")
    found = []
    for least in ("1", "2  # matrices", "2"):
        written(tmp_path, "near_h.py", f"def wide(leaf):\n    return len(leaf.shape) >= {least}\n")
        found.append(fingerprint(my_rule.load([mine])["mine"], problem("xor")))
    assert found[0] != found[1] == found[2]


def test_neighbours_of_one_name_in_two_folders(tmp_path: Path) -> None:
    """Each file gets its own, whichever was there before; unless a function may ask for it later."""
    paths = []
    for folder, factor in (("a", 2.0), ("b", 3.0)):
        paths.append(written(tmp_path / folder, "mine.py", RULE.format(name="near_c", rule=f"mine_{folder}")))
        written(
            tmp_path / folder, "near_c.py", f"from near_d import SCALE\n\n\ndef turned(g):\n    return SCALE * {factor} * g\n"
        )
        written(tmp_path / folder, "near_d.py", f"SCALE = {10 * factor}\n")
    for _ in range(2):
        assert slope(paths[0], "mine_a") == 40.0
        assert slope(paths[1], "mine_b") == 90.0
    both = my_rule.load(paths)
    assert set(both) == {"mine_a", "mine_b"}
    assert fingerprint(both["mine_a"], problem("xor")) != fingerprint(both["mine_b"], problem("xor"))
    late = RULE.replace("from {name} import turned\n", "").replace(
        "return turned", "from {name} import turned\n    return turned"
    )
    with pytest.raises(Refusal, match="there are modules called near_c beside this file and in another folder"):
        my_rule.load([written(tmp_path / "b", "late.py", late.format(name="near_c", rule="late"))])
    with pytest.raises(Refusal, match="there are modules called near_c"):
        my_rule.load([paths[0]])


def test_a_neighbour_hides_no_package(tmp_path: Path) -> None:
    written(tmp_path, "types.py", "raise SystemExit('hidden')\n")
    text = "import types\nimport numpy\n" + RULE.format(name="near_g", rule="mine")
    written(tmp_path, "numpy.py", "raise SystemExit('hidden')\n")
    written(tmp_path, "near_g.py", "def turned(g):\n    return 4.0 * g\n")
    assert slope(written(tmp_path, "mine.py", text), "mine") == 4.0


def test_a_problems_identity_covers_its_neighbours(tmp_path: Path) -> None:
    """Also where the first loss is the same; not what a comment says."""
    code = "import sys\nfrom pathlib import Path\nfrom thalweg.lab.user import my_problem\nprint(my_problem.load(Path(sys.argv[1])).fingerprint)\n"
    mine = written(tmp_path, "mine.py", PROBLEM.format(name="near_e"))
    found = []
    for text in ("x * x", "x * x + 0 * x", "x * x  # squared"):
        written(tmp_path, "near_e.py", f"def of(x):\n    return ({text}\n    ).sum()\n")
        found.append(subprocess.run([sys.executable, "-c", code, mine], capture_output=True, text=True, check=True).stdout)
    assert found[0] == found[2] != found[1]
    assert my_problem.load(mine).fingerprint == found[2].strip()


def test_a_module_that_names_a_file_that_does_not_exist_is_no_neighbour(tmp_path: Path) -> None:
    """As torch.ops does, whose file is "_ops.py" in no folder: what imports PyTorch first would not load."""
    made = (
        "import sys, types\nsys.modules['near_z'] = types.ModuleType('near_z')\nsys.modules['near_z'].__file__ = '_near_z.py'\n"
    )
    mine = written(tmp_path, "mine.py", made + "from thalweg import rule\n\n\n@rule(lr=0.1)\ndef mine(g):\n    return 2 * g\n")
    try:
        assert slope(mine, "mine") == 2.0
    finally:
        del sys.modules["near_z"]
