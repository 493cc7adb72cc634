"""Scripts that were not written for the lab are compared by changing at most six lines, and the reports are right about planted
facts: a rule that goes the wrong way half of the time is to be avoided, and a copy under another name equals what it copies."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE

from lab.training.loops import written

SCRIPTS = Path(__file__).parent / "scripts"
MOST = 6
OWN = '''
from thalweg import Decay, NonNegative, Positive, recipe, rule
from thalweg.methods import rules
from thalweg.ops import debias, mix, sqrt, where


@recipe(lr=1e-3, search=(1e-4, 1e0))
def twin(*, weight_decay: NonNegative = 0.01):
    """AdamW under another name (Me 2026)."""
    return rules["adamw"](weight_decay=weight_decay)


@rule(lr=1e-3, search=(1e-4, 1e0))
def damaged(g, t, noise, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8):
    """Adam with the sign of half its update damaged (Me 2026)."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    d = debias(m, beta1, t) / (sqrt(debias(v, beta2, t)) + eps)
    return where(noise > 0, d, -d), m, v
'''
COMPARE = (
    "lab.compare(lambda trial: main(parser.parse_args(), trial), rules=['adamw', 'lion'], "
    "my_rule='own.py', budget=2, seeds=6, out='out')"
)
CHANGES: dict[str, tuple[tuple[str, str], ...]] = {
    "torch_cnn": (
        ("from torch.utils.data import DataLoader, TensorDataset\n", "from torch.utils.data import DataLoader, TensorDataset\nfrom thalweg import lab\n"),
        ("def main(args):\n", "def main(args, trial):\n    args.seed = trial.seed\n"),
        ("torch.optim.AdamW(groups, lr=args.lr)", "trial.optimizer(groups)"),
        ('print(f"test accuracy {evaluate(ema.model, test_loader, device):.3f}")', 'return {"validation": accuracy, "test": evaluate(ema.model, test_loader, device)}'),
        ("    main(parser.parse_args())\n", f"    {COMPARE}\n"),
    ),
    "lightning_module": (
        ("def main(seed=0):\n    pl.seed_everything(seed)\n", "def train(trial):\n    pl.seed_everything(trial.seed)\n"),
        ("    model = Classifier()\n", "    model = Classifier()\n    model.configure_optimizers = lambda: trial.optimizer(model)\n"),
        ("print(val, test)", 'return {"validation": val, "test": test}'),
    ),
    "hugging_face": (
        ("def main(seed=0):\n    set_seed(seed)\n", "def train(trial):\n    set_seed(trial.seed)\n"),
        ("seed=seed,", "seed=trial.seed,"),
        ("    trainer.train()\n", "    trainer.optimizer = trial.optimizer(model)\n    trainer.train()\n"),
        ('print("validation", val, "test", test)', 'return {"validation": val, "test": test}'),
    ),
    "flax_linen": (
        ("def main(seed=0, ", "def train(trial, "),
        ("default_rng(seed)", "default_rng(trial.seed)"),
        ("PRNGKey(seed)", "PRNGKey(trial.seed)"),
        ("optax.adamw(schedule, weight_decay=1e-4)", 'trial.optimizer(variables["params"])'),
        ('print(f"test accuracy {accuracy(state, test):.3f}")', 'return {"validation": accuracy(state, val), "test": accuracy(state, test)}'),
    ),
}  # fmt: skip
NEEDS = {"torch_cnn": "torch", "lightning_module": "pytorch_lightning", "hugging_face": "transformers", "flax_linen": "flax"}


def changed(name: str) -> str:
    """The script as the lab takes it."""
    text = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
    for old, new in CHANGES[name]:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def lines(name: str) -> int:
    """How many lines are changed, added or removed."""
    before, after = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8").splitlines(), changed(name).splitlines()
    blocks = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for kind, a, b, c, d in blocks if kind != "equal")


def test_at_most_six_lines_are_changed() -> None:
    assert {path.stem for path in SCRIPTS.glob("*.py")} == set(CHANGES)
    assert all(0 < lines(name) <= MOST for name in CHANGES)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_the_script_is_compared_and_planted_facts_are_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(NEEDS[name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "xla"))  # each run compiles, and most of them the same
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    path = written(tmp_path, changed(name), f"{name}.py")
    written(tmp_path, OWN, "own.py")
    command = [str(path)]  # which ends with the comparison itself
    if name != "torch_cnn":
        given = ["--rules", "adamw,lion", "--my-rule", "own.py", "--budget", "2", "--seeds", "6", "--out", "out"]
        better = ["--better", "lower"] * (name == "lightning_module")
        command = ["-m", "thalweg.commands.cli", "compare", "--train", str(path), *given, *better]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=3 * PATIENCE)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((tmp_path / "out" / "results.json").read_text())
    rows = {row["name"]: row for row in found["rules"]}
    assert set(rows) == {"adamw", "lion", "twin", "damaged"}
    assert not any(row["failed"] for row in rows.values())
    avoided = found["answer"]["avoid"]
    assert "damaged" in avoided
    assert ("twin" in avoided) == ("adamw" in avoided)
    if found["training"]["repeated"][0] == found["training"]["repeated"][1]:
        assert [rows["twin"][what] for what in ("score", "verdict", "untuned")] == [
            rows["adamw"][what] for what in ("score", "verdict", "untuned")
        ]
