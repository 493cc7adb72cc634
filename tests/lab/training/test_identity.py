"""What makes another training function, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.training.loops import BOWL, here, written
from thalweg.lab.refusal import Refusal
from thalweg.lab.training.identity import of_file
from thalweg.lab.training.reach import of_function
from thalweg.lab.user.my_training import reference

NETS = "import layers\nSIZE = 3\n"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# nothing", "# a comment", True),
        ('"""Roll down."""', '"""Down."""', True),
        ("# nothing", "if __name__ == '__main__':\n    print(train)", True),
        ("# nothing", "if __name__ == '__main__':\n    print(train)\nelse:\n    TARGET = 2.0", False),
        ("# nothing", "if __name__ != '__main__':\n    TARGET = 2.0", False),
        ("# nothing", "def not_seen_to_be_used():\n    return 1", False),
        ("# nothing", "TABLE = {}\n@TABLE.setdefault\ndef registered():\n    return 1", False),
        ("# nothing", "class Registered(Base):\n    size = 3", False),
        ("# nothing", "np.random.seed(3)", False),
        ("# nothing", "TARGET += 1", False),
        ("TARGET = 1.0", "TARGET = 2.0", False),
        ("** 2", "** 4", False),
        ("range(8)", "range(9)", False),
        ("    params = start(rng)", "    import nets\n    params = start(rng)", False),
    ],
)
def test_the_code_of_the_function_s_file(old: str, new: str, same: bool, tmp_path: Path) -> None:
    text = BOWL + "\n\n# nothing\n"
    written(tmp_path, NETS, "nets.py")
    before = of_file(written(tmp_path, text), "train")
    assert (of_file(written(tmp_path, text.replace(old, new)), "train") == before) is same


def test_the_files_beside_it_count_as_far_as_they_are_imported(tmp_path: Path) -> None:
    path = written(tmp_path, "from nets import SIZE\n" + BOWL.replace("size=3)", "size=SIZE)"))
    written(tmp_path, NETS, "nets.py")
    written(tmp_path, "DEPTH = 2\n", "layers.py")
    first = of_file(path, "train")
    written(tmp_path, "DEPTH = 3\n", "layers.py")
    second = of_file(path, "train")
    written(tmp_path, "DEPTH = 9\n", "other.py")
    assert of_file(path, "train") == second != first


@pytest.mark.parametrize(
    "says",
    ["import nets", "from nets import SIZE", "import importlib\nnets = importlib.import_module('nets')", "import pack.part"],
)
def test_what_the_file_imports_counts_wherever_it_is(says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside it, or on Python's path; of a package, also the files that run before the part."""
    for beside in (True, False):
        there = tmp_path / f"there{beside}"
        (there / "pack").mkdir(parents=True)
        path = written(there if beside else tmp_path, f"{says}\n{BOWL}", f"mine{beside}.py")
        if not beside:
            monkeypatch.syspath_prepend(there)
        name = "pack/__init__.py" if "pack" in says else "nets.py"
        written(there, "", "pack/part.py")
        if "import_module" in says and not beside:
            continue  # only a text: it is looked for beside the file
        found = []
        for size in (3, 4):
            written(there, f"SIZE = {size}\n", name)
            found.append(of_file(path, "train"))
        assert found[0] != found[1]


def scaled(factor: Any, power: int = 2) -> Any:
    def train(trial: Any) -> float:
        """Whatever."""
        return float(np.sum(factor**power) * trial.seed)

    return train


def test_a_function_in_no_file_is_known_by_what_it_holds() -> None:
    arrays = [np.arange(3.0), np.arange(3.0), np.array([0.0, 1.0, 2.5])]
    same, again, other = (of_function(scaled(array)) for array in arrays)
    assert same == again != other
    assert of_function(scaled(arrays[0], 3)) != same
    assert of_function(lambda trial: trial.seed) != of_function(lambda trial: trial.seed + 1)


def test_which_scores_are_better_counts(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert reference(path, "higher").fingerprint == reference(str(path), "higher").fingerprint
    assert reference(path, "higher").fingerprint != reference(path, "lower").fingerprint


def test_a_file_and_a_function_of_it(tmp_path: Path) -> None:
    path = written(tmp_path)
    found = reference(path, "higher")
    assert (found.name, found.about) == ("mine", "Roll down. (mine.py, train)")
    assert reference(f"{path}:start", "higher").name == "mine.start"
    path.write_text("import functools\ntrain = functools.partial(print, 3)\n")
    assert reference(path, "higher").about == "A training function of your own. (mine.py, train)"
    for given, says in (
        (f"{path}:trian", "there is no function trian; it has functools, train. Name one: mine.py:FUNCTION"),
        (tmp_path / "none.py", "there is no such file"),
        (3, "train is 3; wanted a function of a trial, or a Python file with one"),
    ):
        with pytest.raises(Refusal, match="(?s).*" + says.replace(".", r"\.")):
            reference(given, "higher")  # type: ignore[arg-type]
    path.write_text("def train(:\n")
    with pytest.raises(Refusal, match="line 1: syntax error"):
        reference(path, "higher")


def test_a_function_travels_if_it_can() -> None:
    assert reference(scaled(np.ones(2)), "higher").pickled
    held = reference(here(scaled(np.ones(2))), "higher")
    assert held.pickled is None
    assert held.load().function is not None
