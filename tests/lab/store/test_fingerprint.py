"""A trial is known by what its optimizer computes, and by nothing else that stands in a file."""

from __future__ import annotations

import collections
import importlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg import rules
from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.problems import problem
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.store.fingerprint import fingerprint
from thalweg.lab.store.spec import ENGINE, TrialSpec
from thalweg.lab.user import my_rule
from thalweg.lab.user.source import Source
from thalweg.values.arrays import framework

USING = {
    "adam": ("adam", "adamw", "lamb", "muon", "adamw_amsgrad"),
    "mix": ("adam", "lamb", "nadam"),
}


def of_all(names: tuple[str, ...]) -> dict[str, str]:
    return {name: fingerprint(rules[name], problem("xor")) for name in names if name in rules}


def test_an_edited_rule_is_another_in_whatever_joins_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of_all(USING["adam"])
    sgd = fingerprint(rules["sgd"], problem("xor"))
    adam = importlib.import_module("thalweg.methods.moments.adam")
    monkeypatch.setattr(adam, "mix", lambda a, b, beta: beta * a + (1.0001 - beta) * b)
    after = of_all(USING["adam"])
    assert {name for name in before if before[name] == after[name]} == set()
    assert fingerprint(rules["sgd"], problem("xor")) == sgd


def test_every_rule_of_the_catalogue_has_a_word_of_its_own() -> None:
    assert len({fingerprint(rule, problem("xor")) for rule in rules.values()}) == len(rules)


def test_it_is_the_same_in_another_process() -> None:
    names = ("adam", "lbfgs", "muon", "learned", "nesterov")
    program = "from thalweg import rules\nfrom thalweg.lab.store.fingerprint import fingerprint\nfrom thalweg.lab.problems import problem\n"
    program += f"print([fingerprint(rules[name], problem('xor')) for name in {names}])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([fingerprint(rules[name], problem("xor")) for name in names])


HEAD = "import thalweg as tw\nfrom thalweg import rule\n"
PLAIN = (
    HEAD
    + """
SCALE = 2.0

def helper(g):
    return SCALE * g

@rule(lr=0.1)
def inner(g, m=0.0, *, beta: tw.Decay = 0.9):
    m = tw.ops.mix(m, g, beta)
    return helper(m), m

@tw.around
def look(p, *, rho: tw.Positive = 0.05):
    loss, g = yield p
    loss, g = yield p + rho * helper(g)
    return g

def large(leaf):
    return leaf.shape[0] > 3

@tw.recipe(lr=0.1)
def mine():
    return tw.chain(look(), tw.choose((large, inner()), otherwise=tw.sgd().at(0.1)), tw.only(tw.is_matrix, tw.decay(0.01)))
"""
)
EDITS: dict[str, Callable[[str], str]] = {
    "a helper": lambda text: text.replace("SCALE * g", "SCALE * g + 0.1"),
    "a constant": lambda text: text.replace("SCALE = 2.0", "SCALE = 2.5"),
    "a default": lambda text: text.replace("= 0.9)", "= 0.8)"),
    "a memory": lambda text: text.replace("m=0.0", "m=1.0"),
    "around": lambda text: text.replace("p + rho", "p - rho"),
    "a predicate": lambda text: text.replace("> 3", "> 4"),
    "a branch": lambda text: text.replace("tw.sgd().at(0.1)", "tw.momentum().at(0.1)"),
    "a branch's rate": lambda text: text.replace("at(0.1)", "at(0.2)"),
    "who passes": lambda text: text.replace("is_matrix, tw.decay", 'named("w"), tw.decay'),
    "a stage's setting": lambda text: text.replace("decay(0.01)", "decay(0.02)"),
    "every": lambda text: text.replace("tw.chain(look(), ", "tw.every(2, tw.chain(").rstrip() + ")",
}


def of_text(text: str, folder: Path) -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return fingerprint(my_rule.load([path])["mine"], problem("xor"))


@pytest.mark.parametrize("edit", EDITS)
def test_what_decides_the_numbers_makes_another(edit: str, tmp_path: Path) -> None:
    assert EDITS[edit](PLAIN) != PLAIN
    assert of_text(EDITS[edit](PLAIN), tmp_path) != of_text(PLAIN, tmp_path)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "# a comment\n" + text.replace("yield p\n", "yield p  # here\n"),
        lambda text: text.replace("def helper(g):", 'def helper(g):\n    """A helper."""'),
        lambda text: text.replace("def mine():", 'def mine():\n    """Mine (Me 2026)."""'),
        lambda text: text + "\n\ndef unused(x):\n    return x\n",
    ],
)
def test_what_does_not_decide_them_makes_none(edit: Callable[[str], str], tmp_path: Path) -> None:
    assert of_text(edit(PLAIN), tmp_path) == of_text(PLAIN, tmp_path)


def test_a_helper_in_a_file_beside_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    text = HEAD + "from beside_mine import helper\n\n@rule(lr=0.1)\ndef mine(g):\n    return helper(g)\n"
    found = []
    for factor in (2, 3):
        (tmp_path / "beside_mine.py").write_text(f"def helper(g):\n    return {factor}.0 * g  # {'x' * factor}\n")
        sys.modules.pop("beside_mine", None)
        importlib.invalidate_caches()
        found.append(of_text(text, tmp_path))
    sys.modules.pop("beside_mine", None)
    assert found[0] != found[1]


def test_a_changed_default_of_the_catalogues_makes_other_trials() -> None:
    adam = rules["adam"]
    other = replace(adam, hyper={**adam.hyper, "beta1": replace(adam.hyper["beta1"], default=0.8)})
    told: dict[str, Any] = {"steps": 2, "batch_size": 4, "phase": "tuning"}
    keys = [TrialSpec.of(problem("xor"), rule, Setting(0.1), 1, **told).key for rule in (adam, other)]
    assert keys[0] != keys[1]


def test_it_is_worked_out_once_for_each_who_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("thalweg.lab.store.spec.fingerprint", lambda rule, on: calls.append(rule.name) or fingerprint(rule, on))
    settings = Settings(Source("xor"), ("sgd", "adam"), budget=4, seeds=3, steps=4, batch_size=4)
    contest = Contest.of(settings, problem("xor"), rules)
    for candidate in contest.candidates:
        for phase in ("tuning", "judging"):
            contest.specs(candidate, phase, candidate.opening())
    assert sorted(calls) == ["adam", "sgd"]


@pytest.mark.parametrize(
    "file",
    ["engines/kernel.py", "lab/trials/lanes.py", "lab/protocol/protocol.py", "lab/problems/models/xor.py", "ops/tensors.py"],
)
def test_the_files_of_the_engine_count(file: str) -> None:
    root = Path(tw.__file__).parent
    assert root / file in {path for pattern in ENGINE for path in root.glob(pattern)}


def test_what_ran_before_makes_no_difference() -> None:
    """L-BFGS is known by its code and what that calls: what these remember of earlier calls is no part of it."""
    before = fingerprint(tw.rules["lbfgs"], problem("xor"))
    framework(np.ones(2)).cbrt(np.ones(2))
    tw.trees.flatten(collections.OrderedDict(a=np.ones(2)))
    assert fingerprint(tw.rules["lbfgs"], problem("xor")) == before
