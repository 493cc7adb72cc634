"""Rules of the user's own: several files, no range, a name that is taken; and settings that can be typed back."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from thalweg.commands.cli import main
from thalweg.lab.protocol import tune
from thalweg.lab.protocol.tune import Axis
from thalweg.lab.refusal import Refusal
from thalweg.lab.report.answer import setting
from thalweg.lab.user import my_rule, user_file
from thalweg.values.numerals import typed

MINE = '@rule(lr=0.1, search=(0.01, 1.0))\ndef {name}(g):\n    """Mine (Me 2026)."""\n    return g\n'
HEAD = "import thalweg as tw\nfrom thalweg import rule\n"
QUICK = ("--budget", 1, "--seeds", 1, "--steps", 3, "--jobs", 1)


def cli(*words: Any) -> Result:
    return CliRunner().invoke(main, [*map(str, words)])


def file(folder: Path, name: str, *texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(HEAD + "\n".join(texts))
    return path


@pytest.mark.slow
def test_each_file_of_rules_joins_once(tmp_path: Path) -> None:
    """Two files of one name in two folders, one of them given twice."""
    first, second = (file(tmp_path / word, "mine.py", MINE.format(name=f"mine_{word}")) for word in "ab")
    given = [word for path in (first, second, first) for word in ("--my-rule", path)]
    done = cli("compare", "--problem", "xor", "--rules", "sgd", *given, *QUICK, "--out", tmp_path / "o")
    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "o" / "results.json").read_text())["rules"]
    assert sorted(row["name"] for row in rows) == ["mine_a", "mine_b", "sgd"]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (((MINE.format(name="one"),), (MINE.format(name="one"),)), "has a rule called 'one' too"),
        (((MINE.format(name="adam"),), (MINE.format(name="one"),)), "thalweg has a rule called 'adam' already"),
        (((MINE.format(name="one"), "first = one", MINE.format(name="one")), ()), "two rules in it are called 'one'"),
    ],
)
def test_a_name_that_is_taken_is_refused(texts: Any, says: str, tmp_path: Path) -> None:
    paths = [file(tmp_path, f"{i}.py", *own) for i, own in enumerate(texts) if own]
    with pytest.raises(Refusal, match=says):
        my_rule.load(paths)


@pytest.mark.parametrize(
    ("text", "lr"),
    [
        ('@rule(lr=0.1)\ndef mine(g):\n    """Mine."""\n    return g\n', 0.1),
        (
            '@tw.recipe(lr=1e-3)\ndef mine(*, c: tw.Positive = 1.0):\n    """Mine."""\n    return tw.chain(tw.clip(c), tw.adam())\n',
            1e-3,
        ),
        ('@tw.around(lr=0.1)\ndef mine(p):\n    """Mine."""\n    loss, g = yield p\n    return g\n', 0.1),
    ],
    ids=["rule", "recipe", "around"],
)
def test_without_a_range_it_is_tuned_over_four_decades(text: str, lr: float, tmp_path: Path) -> None:
    found = my_rule.load([file(tmp_path, "mine.py", text)])["mine"]
    assert found.lr == lr
    assert found.search == pytest.approx((lr / 100, lr * 100))


def test_of_a_file_with_a_stage_and_a_recipe_the_recipe_races(tmp_path: Path) -> None:
    stage = '@rule\ndef half(g):\n    """Half."""\n    return g / 2\n'
    recipe = '@tw.recipe\ndef mine():\n    """Mine."""\n    return tw.chain(half(), tw.adam())\n'
    assert list(my_rule.load([file(tmp_path, "mine.py", stage, recipe)])) == ["mine"]


def test_a_rule_without_a_rate_beside_others_is_told(tmp_path: Path) -> None:
    bare = '@rule\ndef bare(g):\n    """Bare."""\n    return g / 2\n'
    with pytest.raises(Refusal, match="'bare' has no learning rate, so it cannot be compared"):
        my_rule.load([file(tmp_path, "mine.py", MINE.format(name="mine"), bare)])


def test_a_rule_of_mine_is_shown(tmp_path: Path) -> None:
    path = file(tmp_path, "mine.py", MINE.format(name="mine"), MINE.format(name="other"))
    done = cli("show", path)
    assert done.exit_code == 0
    assert "mine" in done.output
    assert "other" in done.output
    assert cli("show", "--kernel", path).exit_code == 0
    for bad in (tmp_path / "none.py", file(tmp_path, "empty.py", "")):
        refused = cli("show", bad)
        assert refused.exit_code == 2
        assert "Traceback" not in refused.output


@pytest.mark.slow
def test_two_files_race_on_a_surface(tmp_path: Path) -> None:
    paths = [file(tmp_path, f"{word}.py", MINE.format(name=f"mine_{word}")) for word in "ab"]
    given = [word for path in paths for word in ("--my-rule", path)]
    done = cli("race", "--rules", "sgd", "--steps", 3, *given, "--out", tmp_path / "race.png")
    assert done.exit_code == 0, done.output
    assert "mine_a" in done.output
    assert "mine_b" in done.output


@pytest.mark.parametrize("x", [0.99999, 0.9999999, 1e-10, 3.24513e-05, 0.1, 1.0, 12.0, 1e16, 0.3 - 0.1, 5e-324])
def test_a_number_reads_back_as_itself(x: float) -> None:
    assert float(typed(x)) == x
    assert float(typed(np.float64(x))) == x
    row = {"best_lr": x, "best_settings": [{"lr": x}], "best_hyper": {"beta2": x}, "best_schedule": "constant"}
    assert setting(row) == f"a learning rate of {typed(x)} and beta2 = {typed(x)}"


@pytest.mark.parametrize("rest", [0.5, 1e-3, 1e-5, 1.23456e-7, 1e-10])
def test_a_decay_near_one_is_tried_where_it_was_drawn(rest: float) -> None:
    """Six digits of 0.9999999 are 1, where an average never moves."""
    value = Axis("beta2", rest, rest, complement=True).at(0.5)
    assert 1 - value == pytest.approx(rest, rel=1e-5 if rest > 1e-9 else 1e-4)
    assert value < 1
    assert float(typed(value)) == value
    assert tune.short(value) == value or rest < 1e-5


def test_a_setting_of_results_without_blocks_is_told() -> None:
    row: Any = {"best_lr": 0.01, "best_hyper": {"beta2": 0.99999}, "best_schedule": "constant"}
    assert setting(row) == "a learning rate of 0.01 and beta2 = 0.99999"


def test_a_file_written_again_at_once_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python would take the bytecode of the text before, which has the same length and, in whole seconds, the same time."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "mine.py"
    for value in ("2.0", "2.5"):
        path.write_text(f"SCALE = {value}")
        os.utime(path, (1e9, 1e9))
        assert float(user_file.run(path, "the file").SCALE) == float(value)
    assert not list(tmp_path.glob("__pycache__"))
