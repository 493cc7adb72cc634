"""A problem of the user's own: what a good file gives, and a sentence for every bad one."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from thalweg import rules
from thalweg.commands.cli import main
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.refusal import Refusal
from thalweg.lab.trials import trials
from thalweg.lab.user import my_problem, user_file
from thalweg.values import trees

START = "def init(rng):\n    return {'a': rng.normal(size=2), 'b': [rng.normal(size=())]}\n"
PLAIN = (
    '"""Two numbers\n\nand a third."""\nimport numpy as np\n'
    + START
    + """
def batch(rng):
    return rng.normal(size=2), rng.normal(size=2)
def loss(p, x, y):
    return np.sum((p['a'] * x - y) ** 2) + p['b'][0] ** 4
def grad(p, x, y):
    return {'a': 2 * (p['a'] * x - y) * x, 'b': [4 * p['b'][0] ** 3]}
"""
)
JAX = "import jax.numpy as jnp\n" + PLAIN[: PLAIN.index("def grad")].replace("np.sum", "jnp.sum")
TORCH = "import torch\n" + PLAIN[: PLAIN.index("def grad")].replace("np.sum", "torch.sum")
SEEDS = [5, 3, 8]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(text)
    return path


def compared(path: Path, *more: str) -> Any:
    out = str(path.parent / "out")
    few = ["--rules", "sgd,adam", "--budget", "2", "--seeds", "2", "--steps", "5", "--jobs", "1", "--out", out]
    return CliRunner().invoke(main, ["compare", "--problem", str(path), *few, *more])


def test_a_file_is_a_problem(tmp_path: Path) -> None:
    problem = my_problem.load(written(tmp_path, PLAIN))
    assert problem.name == "mine"
    assert problem.about.startswith("Two numbers and a third. (mine.py: 3 numbers")
    assert "Nothing is held out" in problem.about
    params = problem.init(SEEDS)
    assert trees.flatten(params)[0] == ["a", "b.0"]
    assert params["a"].shape == (3, 2)
    draw = next(problem.draws(SEEDS, 0))
    losses, grads = problem.loss_and_grad(params, draw)
    for i, (x, y) in enumerate(draw):
        a, b = params["a"][i], params["b"][0][i]
        assert losses[i] == pytest.approx(((a * x - y) ** 2).sum() + b**4, rel=1e-14)
        np.testing.assert_allclose(grads["a"][i], 2 * (a * x - y) * x, rtol=1e-14)


def test_lanes_equal_runs(tmp_path: Path) -> None:
    problem = my_problem.load(written(tmp_path, PLAIN))
    pairs = [(Setting(0.1), 1), (Setting(0.01), 2), (Setting(1e30), 3)]
    settings: dict[str, Any] = {"steps": 7, "batch_size": 0, "judge": True}
    together = trials.run(problem, rules["adam"], pairs, **settings)
    alone = [trials.run(problem, rules["adam"], [pair], **settings)[0] for pair in pairs]
    assert [repr(t.as_dict()) for t in together] == [repr(t.as_dict()) for t in alone]
    assert not together[0].failure


@pytest.mark.parametrize(("text", "library"), [(JAX, "jax"), (TORCH, "torch")], ids=["jax", "torch"])
def test_gradients_by_jax_and_torch_are_those_by_hand(text: str, library: str, tmp_path: Path) -> None:
    pytest.importorskip(library)
    by_hand = my_problem.load(written(tmp_path, PLAIN))
    theirs = my_problem.load(written(tmp_path, text))
    params = by_hand.init(SEEDS)
    for draw in islice(by_hand.draws(SEEDS, 0), 3):
        for wanted, found in zip(by_hand.loss_and_grad(params, draw), theirs.loss_and_grad(params, draw), strict=True):
            for a, b in zip(trees.flatten(wanted)[1], trees.flatten(found)[1], strict=True):
                np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)
    assert {"jax": "JAX", "torch": "PyTorch"}[library] in theirs.about


def test_held_out_batches_are_none_of_training_s(tmp_path: Path) -> None:
    text = "import numpy as np\nseen = []\n" + PLAIN.replace("return rng.normal(size=2), rng.normal(size=2)",
                                                             "x = rng.normal(size=2); seen.append(x.tobytes()); return x, x")  # fmt: skip
    problem = my_problem.load(written(tmp_path, text))
    seen: list[bytes] = problem._batch.__globals__["seen"]  # type: ignore[union-attr]
    groups = []
    for draw in (lambda: list(islice(problem.draws(SEEDS, 0), 20)), lambda: problem.validate(problem.init([0])),
                 lambda: problem.test(problem.init([0]))):  # fmt: skip
        seen.clear()
        draw()
        groups.append(set(seen))
    assert [len(group) for group in groups] == [60, my_problem.HELD, my_problem.HELD]
    assert len(set.union(*groups)) == 60 + 2 * my_problem.HELD


def test_its_own_scores_judge(tmp_path: Path) -> None:
    own = "def validate(p):\n    return 1 + p['a'][0]\ndef test(p):\n    return 2 + p['a'][0]\n"
    text = PLAIN + own + "score, higher_is_better, steps = 'height', True, 9\n"
    problem = my_problem.load(written(tmp_path, text))
    params = problem.init(SEEDS)
    np.testing.assert_array_equal(problem.validate(params)[1], 1 + params["a"][:, 0])
    np.testing.assert_array_equal(problem.test(params)[1], 2 + params["a"][:, 0])
    assert (problem.score.name, problem.score.higher_is_better, problem.steps) == ("height", True, 9)
    assert "held out" not in problem.about


def test_another_file_or_other_data_are_another_problem(tmp_path: Path) -> None:
    reads = (
        PLAIN.replace("+ p['b'][0] ** 4", "+ p['b'][0] ** 4 + DATA")
        + f"from pathlib import Path\nDATA = float(Path({str(tmp_path / 'data')!r}).read_text())\n"
    )
    (tmp_path / "data").write_text("1.5")
    path = written(tmp_path, reads)
    first, again = my_problem.load(path).fingerprint, my_problem.load(path).fingerprint
    (tmp_path / "data").write_text("2.5")
    other_data = my_problem.load(path).fingerprint
    other_text = my_problem.load(written(tmp_path, reads + "\nCHANGED = 1\n")).fingerprint
    remark = my_problem.load(written(tmp_path, reads + "\n# a remark\n")).fingerprint
    assert first == again
    assert remark == other_data
    assert len({first, other_data, other_text}) == 3


LOSS = "def loss(p):\n    return (p['a'] ** 2).sum() + p['b'][0] ** 2\n"
GRAD = "def grad(p):\n    return {'a': 2 * p['a'], 'b': [2 * p['b'][0]]}\n"
GOOD = "import numpy as np\n" + START + LOSS + GRAD

BAD = {
    "nothing": ("", "there is no function init"),
    "no loss": (START, "there is no function loss"),
    "no function": (GOOD + "batch = 3\n", "batch is 3, wanted a function"),
    "no gradient": (START + LOSS, "there is no gradient; give grad"),
    "syntax": ("def init(:\n", "line 1: syntax error"),
    "raises": ("1 / 0\n", "line 1: ZeroDivisionError"),
    "leaves": ("import sys\nsys.exit(3)\n", "line 2: SystemExit: 3"),
    "init raises": (GOOD.replace("return {'a'", "raise KeyError('x')\n    return {'a'"), "line 3: KeyError: 'x'"),
    "loss raises": (GOOD.replace("return (p", "raise OSError('gone')\n    return (p"), "line 5: OSError: gone"),
    "text": (GOOD.replace("rng.normal(size=2)", "'x'"), "init gave .* for 'a', wanted float32 or float64 numbers"),
    "integers": (GOOD.replace("rng.normal(size=2)", "np.arange(2)"), "init gave an array of int64 and shape"),
    "empty": (GOOD.replace("rng.normal(size=2)", "np.zeros(0)"), r"init gave an array of float64 and shape \(0,\)"),
    "no arrays": (GOOD.replace("return {'a'", "return {}\n    return {'a'"), "init gave no arrays"),
    "start not finite": (GOOD.replace("rng.normal(size=2)", "np.full(2, np.nan)"), "numbers that are not finite"),
    "another start": (GOOD.replace("rng.normal(size=2)", "np.random.normal(size=2)"), "init gives another start"),
    "loss a vector": (GOOD.replace("(p['a'] ** 2).sum() +", "p['a'] +"), r"loss gave an array of shape \(2,\), wanted one real"),
    "loss none": (GOOD.replace("return (p", "return\n    return (p"), "loss gave None, wanted one real number"),
    "loss complex": (GOOD.replace("return (p", "return 1j + (p"), "wanted one real number"),
    "loss not finite": (GOOD.replace("return (p", "return np.inf + (p"), "loss is inf at the start"),
    "loss draws": (GOOD.replace("return (p", "return np.random.normal() + (p"), "loss gives another number"),
    "grad another tree": (GOOD.replace("'b': [2 *", "'c': [2 *"), "grad: nothing for 'b'"),
    "grad another shape": (GOOD.replace("{'a': 2 * p['a']", "{'a': 2 * p['a'][:1]"), r"grad gave an array of shape \(1,\) for 'a'"),
    "grad wrong": (GOOD.replace("{'a': 2 *", "{'a': 3 *"), "grad is not the slope of loss"),
    "grad 0": (GOOD.replace("{'a': 2 *", "{'a': 0 *"), "along that of 'a'"),
    "grad of the other sign": (GOOD.replace("{'a': 2 *", "{'a': -2 *"), "grad is not the slope of loss"),
    "only validate": (GOOD + "def validate(p):\n    return 1.0\n", "give both of them, or neither"),
    "score no name": (GOOD + "score = 3\n", "score = 3, wanted a name"),
    "steps": (GOOD + "steps = 0\n", "steps = 0, wanted a whole number of at least 1"),
    "better": (GOOD + "higher_is_better = 'yes'\n", "higher_is_better = 'yes', wanted True or False"),
    "hangs": ("while True:\n    pass\n", r"line \d: TimeoutError: one call took more than"),
    "init hangs": (GOOD.replace("return {'a'", "while True:\n        pass\n    return {'a'"), "TimeoutError"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_a_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, words = BAD[name]
    if "hangs" in name:
        monkeypatch.setattr(user_file, "PATIENCE", 0.2)
    with pytest.raises(Refusal) as refused:
        my_problem.load(written(tmp_path, text))
    assert re.search(words, str(refused.value)), str(refused.value)
    assert "mine.py" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_good_file_is_good(tmp_path: Path) -> None:
    my_problem.load(written(tmp_path, GOOD))


@pytest.mark.parametrize("path", ["no/such.py", "folder.py"])
def test_what_is_no_file_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    done = compared(tmp_path / path)
    assert done.exit_code == 2
    assert "there is no such file" in done.output


@pytest.mark.slow
def test_the_command_line_compares_on_it_and_what_it_prints_is_nowhere(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("return (p", "print('chatter')\n    return (p"))
    done = compared(path)
    assert done.exit_code == 0, done.output
    assert "chatter" not in done.output
    assert "adam" in done.stdout
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {row["name"] for row in found["rules"]} == {"sgd", "adam"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os\nprint('bye')\nos._exit(3)\n", "it ended its process with exit code 3; it printed last: bye"),
        pytest.param(
            GOOD.replace("return (p", "import os\n    os.abort()\n    return (p"),
            "its process was ended by SIGABRT",
            marks=pytest.mark.slow,
        ),
        pytest.param("import re\nre.match('(a*)*b', 'a' * 60)\n", "it hung: no result in 4 s", marks=pytest.mark.slow),
    ],
    ids=["exits", "aborts in loss", "hangs in C"],
)
def test_a_file_that_ends_or_hangs_python_gets_a_sentence(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "hung" in words:
        monkeypatch.setattr("thalweg.lab.user.probe.LIMIT", 4.0)
    done = compared(written(tmp_path, text))
    assert done.exit_code == 2
    assert done.stderr.strip().endswith(f"mine.py: {words}")
    assert "Traceback" not in done.output
    assert not (tmp_path / "out").exists(), "nothing half-written"


def test_the_command_line_says_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    done = compared(written(tmp_path, BAD["grad wrong"][0]))
    assert done.exit_code == 2
    assert "grad is not the slope of loss" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("late", "words"),
    [("raise OSError('gone')", "OSError: gone"), ("return None", "TypeError: loss gave None"), ("exit(1)", "SystemExit")],
)
def test_what_fails_during_a_trial_is_a_failed_trial(late: str, words: str, tmp_path: Path) -> None:
    """A loss that goes wrong once it is small."""
    text = GOOD.replace("def loss(p):\n", f"def loss(p):\n    if abs(p['a']).max() < 1e-3:\n        {late}\n")
    problem = my_problem.load(written(tmp_path, text))
    (trial,) = trials.run(problem, rules["sgd"], [(Setting(0.4), 1)], steps=30, batch_size=0, judge=True)
    assert trial.diverged
    assert words in str(trial.failure)


def test_what_hangs_during_a_trial_is_a_failed_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace("def loss(p):\n", "def loss(p):\n    while abs(p['a']).max() < 1e-3:\n        pass\n")
    problem = my_problem.load(written(tmp_path, text))
    monkeypatch.setattr(user_file, "PATIENCE", 0.2)
    (trial,) = trials.run(problem, rules["sgd"], [(Setting(0.4), 1)], steps=30, batch_size=0, judge=False)
    assert trial.failure == "TimeoutError: one call took more than 0.2 s"


@pytest.mark.parametrize(
    ("function", "gives"),
    [
        ("init", "{'a': np.ma.array(rng.normal(size=2), mask=[0, 1]), 'b': [rng.normal(size=())]}"),
        ("grad", "{'a': np.ma.array(2 * (p['a'] * x - y) * x, mask=[0, 1]), 'b': [4 * p['b'][0] ** 3]}"),
        ("loss", "np.ma.array(np.sum((p['a'] * x - y) ** 2) + p['b'][0] ** 4)"),
    ],
)
def test_a_masked_array_is_refused(function: str, gives: str, tmp_path: Path) -> None:
    text = re.sub(rf"(def {function}\(.*\):\n    return ).*", lambda found: found[1] + gives, PLAIN)
    with pytest.raises(Refusal, match=r"mine\.py.*is a masked array, of which no rule says what is to happen"):
        my_problem.load(written(tmp_path, text))
