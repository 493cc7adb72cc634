"""A training function is compared as the lab's own problems are, whatever it does."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import first

from lab.command import thalweg
from lab.report.test_schema import misfits
from lab.training.loops import BOWL, bowl, here, written
from thalweg import lab
from thalweg.lab.refusal import Refusal
from thalweg.lab.report.schema.problem import Results

FEW: dict[str, Any] = {"rules": ["sgd", "adam"], "budget": 3, "seeds": 2}


def stored(out: Path) -> int:
    with closing(sqlite3.connect(out / "trials.sqlite3")) as connection:
        return int(connection.execute("SELECT count(*) FROM trials").fetchone()[0])


def test_the_command_compares_on_a_file_and_goes_on_where_it_was(tmp_path: Path) -> None:
    path, out = written(tmp_path), tmp_path / "out"
    command = ["compare", "--train", path, "--rules", "sgd,adam", "--budget", 2, "--seeds", 2, "--jobs", 1, "--out", out]
    done = thalweg(*command)
    assert done.returncode == 0, done.stderr
    assert "8 steps; the same seed gave the same score again" in done.stderr
    results = json.loads((out / "results.json").read_text())
    assert misfits(results, Results) == []
    assert (results["problem"]["name"], results["settings"]["steps"], results["caution"]) == ("mine", 8, None)
    assert results["training"]["repeated"][0] == results["training"]["repeated"][1] < 0
    assert "Vertical axis: validation score" in (out / "report.html").read_text()
    assert stored(out) == 22
    again = thalweg(*command)
    assert "all of 22 trials are in the store" in again.stderr
    assert stored(out) == 22


def test_a_file_that_changes_meanwhile_ends_the_comparison(tmp_path: Path) -> None:
    """The fifth run, after those of the pilot, edits the file, and its process dies: the next one finds another file."""
    edits = """    import os
    with open(__file__ + '.runs', 'a') as runs:
        runs.write('x')
    if os.path.getsize(__file__ + '.runs') == 5:
        with open(__file__, 'a') as file:
            file.write('TARGET += 1.0\\n')
        os._exit(3)
"""
    path, out = written(tmp_path, BOWL.replace('    """Roll down."""\n', '    """Roll down."""\n' + edits)), tmp_path / "out"
    done = thalweg("compare", "--train", path, "--rules", "sgd,adam", "--budget", 2, "--seeds", 2, "--jobs", 1, "--out", out)
    assert done.returncode == 2
    assert "changed meanwhile, or is another" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_changes_while_it_is_loaded_ends_the_comparison(tmp_path: Path) -> None:
    """Nobody could say which of its texts the trials ran."""
    path, out = (
        written(tmp_path, BOWL + "\nwith open(__file__, 'a') as file:\n    file.write('TARGET += 1.0\\n')\n"),
        tmp_path / "out",
    )
    done = thalweg("compare", "--train", path, "--rules", "sgd,adam", "--budget", 2, "--seeds", 2, "--jobs", 2, "--out", out)
    assert done.returncode == 2
    assert "was changed while it was loaded" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_function_of_this_program(tmp_path: Path) -> None:
    scale = np.float64(2.0)

    def train(trial: Any) -> float:
        return float(scale * bowl(trial)["validation"])

    told: list[lab.Progress] = []
    found = lab.compare(train, **FEW, jobs=1, out=tmp_path, progress=told.append)
    assert found.results["command"].startswith("lab.compare(train, rules=['sgd', 'adam'], budget=3")
    assert found.results["caution"].startswith("The function returns no test score")
    assert {row["name"] for row in found.results["rules"]} == {"sgd", "adam"}
    assert found.results["caution"] in found._repr_html_()
    first, second = found.records
    assert (first["problem"], first["optimizer"], first["lr"] > 0) == ("train", found.best, True)
    assert first["mean"] >= second["mean"]
    assert [str(one) for one in told if "0 of 28 trials in the store" in one.text]


@pytest.mark.slow
def test_lower_is_better_if_the_user_says_so(tmp_path: Path) -> None:
    losses = here(lambda trial: -bowl(trial)["validation"])
    found = lab.compare(losses, **FEW, better="lower", out=tmp_path)
    first, second = (row["score"]["mean"] for row in found.results["rules"])
    assert 0 <= first <= second


@pytest.mark.slow
def test_what_some_settings_raise_is_their_divergence_and_no_failure_of_the_rule(tmp_path: Path) -> None:
    def train(trial: Any) -> Any:
        found = bowl(trial)
        if trial.rule == "sgd" and trial.lr > 0.5:
            raise FloatingPointError("the loss is nan")
        return found if trial.rule == "sgd" or trial.lr < 0.1 else float("nan")

    found = lab.compare(here(train), rules=["sgd", "adam", "lbfgs"], budget=6, seeds=2, out=tmp_path)
    rows = {row["name"]: row for row in found.results["rules"]}
    assert [rows[name]["failed"] for name in ("sgd", "adam", "lbfgs")] == [False, False, True]
    assert "raised an error: FloatingPointError: the loss is nan (test_compare.py, line" in rows["sgd"]["note"]
    assert rows["sgd"]["best_lr"] <= 0.5
    assert 0 < rows["adam"]["diverged"]["tuning"] < 1
    assert rows["lbfgs"]["note"].startswith("it failed: TypeError: lbfgs asks for gradients itself")
    assert found.best in ("sgd", "adam")


@pytest.mark.slow
def test_a_lack_of_memory_is_a_row_s_result_and_is_not_kept(tmp_path: Path) -> None:
    def train(trial: Any) -> Any:
        if trial.rule == "lion":
            raise MemoryError("no more")
        return bowl(trial)

    found = lab.compare(here(train), rules=["sgd", "lion"], budget=3, seeds=2, engine="processes", out=tmp_path)
    rows = {row["name"]: row for row in found.results["rules"]}
    assert (rows["lion"]["failed"], rows["sgd"]["failed"]) == (True, False)
    assert rows["lion"]["note"].startswith("it failed: out of memory: MemoryError: no more (test_compare.py, line")
    assert stored(tmp_path) == 10 + 8, "sgd's, and its second self's"


EPOCHS = (
    BOWL.replace("range(8)", "range(80)").replace("if step % 2 == 0", "if step % 20 == 0").replace("report(step,", "report({},")
)


@pytest.mark.parametrize(
    ("text", "says"), [("step // 20", True), *(pytest.param(told, False, marks=pytest.mark.slow) for told in ("step", ""))]
)
def test_who_reports_epochs_is_told_that_steps_are_wanted(text: str, says: bool, tmp_path: Path) -> None:
    path, told = written(tmp_path, EPOCHS.replace("report({},", f"report({text}," if text else "report(")), list[lab.Progress]()
    lab.compare(path, rules="sgd", budget=1, seeds=1, jobs=1, out=tmp_path / "out", progress=told.append)
    lines = [one.text for one in told if "trial.report wants steps" in one.text]
    assert lines == says * [
        "the last score is reported at step 3, and the optimizer takes 80: trial.report wants steps, not epochs, for curves and "
        "early stopping; without a number it counts them itself"
    ]


def test_steps_that_cannot_be_seen_are_told(tmp_path: Path) -> None:
    told: list[lab.Progress] = []
    found = lab.compare(here(lambda trial: trial.lr), **FEW, out=tmp_path, progress=told.append)
    assert found.results["settings"]["steps"] == 1000
    assert "so its learning curves are drawn flat, at the final score" in found.results["caution"]
    assert [one.text for one in told if "(its steps cannot be seen and count as 1,000: say --steps)" in one.text]


@pytest.mark.slow
def test_noise_is_measured_and_told(tmp_path: Path) -> None:
    noise = random.SystemRandom()
    found = lab.compare(here(lambda trial: bowl(trial)["validation"] + noise.random()), **FEW, out=tmp_path)
    first, second = found.results["training"]["repeated"]
    assert first != second
    assert "the function is not deterministic, and they differ by" in str(found.results["caution"])
    assert found.results["training"]["spread"] > 0


def test_random_states_begin_with_the_seed_and_are_put_back(tmp_path: Path) -> None:
    random.seed(5)
    expected = random.random()
    random.seed(5)
    found = lab.compare(here(lambda trial: random.random() + np.random.rand()), **FEW, out=tmp_path)  # noqa: NPY002
    assert random.random() == expected
    assert found.results["training"]["repeated"][0] == found.results["training"]["repeated"][1]


WORSE = '''
from thalweg import recipe, rule
from thalweg.methods import rules


@recipe(lr=1e-3, search=(1e-4, 1.0))
def copied():
    """Adam under another name (Me 2026)."""
    return rules["adam"]()


@rule(lr=1e-3, search=(1e-4, 1.0))
def backwards(g):
    """Up the hill (Me 2026)."""
    return -g
'''


@pytest.mark.slow
def test_planted_facts(tmp_path: Path) -> None:
    own = written(tmp_path, WORSE, "own.py")
    found = lab.compare(written(tmp_path), rules=["adam"], my_rule=own, budget=4, seeds=8, jobs=2, out=tmp_path / "out")
    rows = {row["name"]: row for row in found.results["rules"]}
    assert found.best in ("adam", "copied")
    assert rows["backwards"]["verdict"]["separable"] is True
    assert rows["adam"]["score"] != rows["backwards"]["score"]
    level = rows["copied"] if found.best == "adam" else rows["adam"]
    assert level["verdict"]["separable"] is False


RAISES = "def train(trial):\n    raise KeyError('lr')\n"


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        (RAISES, {}, "mine.py: KeyError: 'lr' (mine.py, line 2)"),
        ("def train(trial):\n    return {'test': 1}\n", {}, "the training function gave test; wanted a 'validation' score"),
        ("def train(trial):\n    return 'x'\n", {}, "the training function gave 'x', wanted one number"),
        ("def train(trial):\n    pass\n", {}, "the training function returned nothing; it returns its score, or {'validation': ..."),
        ("def train():\n    return 1\n", {}, "a training function takes one argument, the trial, and this one cannot"),
        ("def train(trial, more):\n    return 1\n", {}, "a training function takes one argument, the trial, and this one cannot"),
        ("import nowhere_at_all\n" + BOWL, {}, "line 1: ModuleNotFoundError"),
        ("def train(trial):\n    open('nowhere')\n", {}, "FileNotFoundError"),
        ("import os\ndef train(trial):\n    os._exit(3)\n", {}, "it ended its process with exit code 3"),
        ("def other(trial):\n    return 1\n", {}, "there is no function train; it has other"),
        (BOWL, {"problem": "digits"}, "train is the problem, and its loop draws the batches; leave problem out"),
        (BOWL, {"batch_size": 3}, "leave batch_size out"),
        (BOWL, {"lanes": "jax"}, "a training function runs as it is, without lanes"),
        (BOWL, {"better": "larger"}, "no better is called 'larger'"),
        (BOWL, {"hours": 0}, "hours is 0; wanted a number of hours"),
        (BOWL, {"hours": 1e-9}, "so the least that can be compared takes about"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(text: str, asked: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as error:
        lab.compare(written(tmp_path, text), **{**FEW, **asked}, out=tmp_path / "out", jobs=1)
    assert says in str(error.value)


def test_hours_and_better_are_for_training_functions() -> None:
    for name, value in (("hours", 1.0), ("better", "lower")):
        with pytest.raises(Refusal, match=f"{name} is for a training function of yours; give it with train"):
            lab.compare(problem="xor", **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("least", "most"), first([(0.0, 1.0), (0.0, 1.01), (-0.01, 1.0)], 2))
def test_intervals_end_at_0_and_1_if_no_score_was_outside(least: float, most: float, tmp_path: Path) -> None:
    """Accuracies of nearly 1, and something else that once was above 1, or below 0, in a run that is not among the judged."""

    def train(trial: Any) -> Any:
        trial.optimizer(np.zeros(2)).step(np.ones(2))
        trial.report(2, validation=least)
        trial.report(4, validation=most)
        luck = 1.0 - 0.15 * (trial.seed % 1000 / 1000) ** 6  # a few runs are worse, whatever the seeds
        return {"validation": luck, "test": luck if trial.rule == "sgd" else 1.0 - luck}

    found = lab.compare(here(train), **{**FEW, "seeds": 5}, steps=8, out=tmp_path / "out").results
    scores = [row["score"] for row in found["rules"]] + [row["untuned"]["score"] for row in found["rules"]] + [found["winner"]]
    bounded = (least, most) == (0.0, 1.0)
    assert (max(score["high"] for score in scores) <= 1.0) == bounded
    assert (min(score["low"] for score in scores) >= 0.0) == bounded
