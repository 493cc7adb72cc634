"""`thalweg compare`: fair, resumable, never crashed by a rule, and plain about what is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support import PATIENCE, python, running, wait_for

import thalweg as tw
from lab.command import fresh, thalweg
from thalweg.commands.cli import main
from thalweg.lab.protocol import protocol

SMALL = ["--budget", "3", "--seeds", "4", "--steps", "15", "--jobs", "1"]
RULES = "sgd,adam,eve"


def results(out: Path) -> dict[str, Any]:
    """The results without what a clock measured."""
    found: dict[str, Any] = json.loads((out / "results.json").read_text())
    for row in found["rules"]:
        row.pop("step_cost")
    found.pop("made")
    found.pop("command")
    return found


def row(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(r for r in found["rules"] if r["name"] == name)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lab") / "out"
    done = thalweg("compare", "--problem", "wine", "--rules", RULES, *SMALL, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    for name in RULES.split(","):
        assert name in done.stdout
    return out


def test_every_rule_gets_the_same_budget_and_the_same_seeds(finished: Path) -> None:
    found = results(finished)
    tuning = {r["name"]: {t["seed"] for t in r["tuning"]} for r in found["rules"]}
    judging = {r["name"]: [run["seed"] for run in r["judging"]] for r in found["rules"]}
    assert len({tuple(sorted(s)) for s in tuning.values()}) == 1
    assert len({tuple(s) for s in judging.values()}) == 1
    for r in found["rules"]:
        assert len(r["tuning"]) == 3 * protocol.TUNING_SEEDS
        assert len(r["judging"]) == 4
        assert all(r["search"][0] <= t["lr"] <= r["search"][1] for t in r["tuning"])
        assert r["trials"] == 3
        assert not {t["seed"] for t in r["tuning"]} & {run["seed"] for run in r["judging"]}
    starts = {run["loss_curve"][0] for r in found["rules"] for run in r["judging"][:1]}
    assert len(starts) == 1, "paired: all begin at the same place"


def test_the_winner_is_the_best_on_validation_data(finished: Path) -> None:
    for r in results(finished)["rules"]:
        scores: dict[float, list[Any]] = {}
        for t in r["tuning"]:
            scores.setdefault(t["lr"], []).append((-t["score"], t["loss"]))
        best = min(scores, key=lambda lr: tuple(np.median(scores[lr], axis=0)))
        assert r["best_lr"] == best


def test_a_second_run_computes_nothing_and_says_the_same(finished: Path) -> None:
    before = results(finished)
    rows = stored(finished)
    again = fresh("compare", "--problem", "wine", "--rules", RULES, *SMALL, "--out", finished)
    assert again.returncode == 0
    assert results(finished) == before
    assert stored(finished) == rows


def test_each_rule_is_judged_as_it_comes_too(finished: Path) -> None:
    for r in results(finished)["rules"]:
        assert r["untuned"]["lr"] == tw.rules[r["name"]].lr
        assert len(r["untuned"]["test_scores"]) == 4
        assert r["untuned"]["score"]["mean"] == pytest.approx(np.mean(r["untuned"]["test_scores"]))


@pytest.mark.slow
def test_the_comparison_checks_itself(tmp_path: Path) -> None:
    done = thalweg("compare", "--problem", "wine", "--rules", "sgd,momentum,adam", *SMALL, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    found = results(tmp_path)
    assert [(c["kind"], c["first"], c["second"]) for c in found["checks"]] == [
        ("A/A control", "adam", "adam again"),
        ("inclusion", "adam, eps tuned", "momentum"),
        ("inclusion", "momentum", "sgd"),
    ]
    for c in found["checks"]:
        assert 0 < c["p"] <= 1
        assert c["sentence"]
        assert c["held"] or c["p"] <= 0.05
    assert [r["name"] for r in found["rules"] if r["name"] not in ("sgd", "momentum", "adam")] == [], "checks are not ranked"
    control = found["checks"][0]["scores"]
    assert control[0] == pytest.approx(row(found, "adam")["score"]["mean"])


@pytest.mark.slow
def test_other_hyper_parameters_and_schedules_can_be_tuned_too(tmp_path: Path) -> None:
    done = thalweg(
        *("compare", "--problem", "wine", "--rules", "adam", "--tune", "all", "--schedule", "cosine,wsd"),
        *("--budget", "6", "--seeds", "2", "--steps", "15", "--jobs", "1", "--out", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    adam = row(results(tmp_path), "adam")
    settings = {(t["lr"], *t["hyper"].values(), t["schedule"]) for t in adam["tuning"]}
    assert len(settings) == 6
    assert {t["schedule"] for t in adam["tuning"]} == {"cosine", "wsd"}
    assert set(adam["best_hyper"]) == {"beta1", "beta2", "eps"}
    assert adam["best_schedule"] in ("cosine", "wsd")


def test_adding_a_rule_changes_no_others_numbers(finished: Path, tmp_path: Path) -> None:
    done = thalweg("compare", "--problem", "wine", "--rules", RULES + ",momentum", *SMALL, "--out", tmp_path)
    assert done.returncode == 0
    ours, theirs = results(tmp_path), results(finished)
    for name in RULES.split(","):
        for key in ("tuning", "judging", "untuned", "best_lr", "score"):
            assert row(ours, name)[key] == row(theirs, name)[key]


def stored(out: Path) -> list[Any]:
    """What the store holds, in the order in which it came."""
    if not (out / "trials.sqlite3").exists():
        return []
    with contextlib.closing(
        sqlite3.connect(out / "trials.sqlite3", timeout=PATIENCE)
    ) as connection:  # that can take back what a kill left
        if not connection.execute("SELECT name FROM sqlite_master").fetchall():  # the table is being made
            return []
        return connection.execute("SELECT * FROM trials ORDER BY rowid").fetchall()


@pytest.mark.slow
def test_a_kill_loses_no_finished_trial(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    arguments = ["compare", "--rules", "sgd,momentum,adam", "--budget", "4", "--seeds", "3", "--steps", "60"]
    assert thalweg(*arguments, "--jobs", "1", "--out", whole).returncode == 0
    command = [sys.executable, "-m", "thalweg.commands.cli", *arguments, "--jobs", "1", "--out", str(cut)]
    with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: len(stored(cut)) >= 14, process)
    assert process.returncode == -signal.SIGKILL, "it was still at work"
    before = stored(cut)
    assert len(before) < 60
    assert thalweg(*arguments, "--jobs", "2", "--out", cut).returncode == 0
    assert stored(cut)[: len(before)] == before
    assert results(cut) == results(whole)


HOSTILE = '''
from thalweg import rule
from thalweg.ops import log, where

@rule(lr=1.0, search=(1e-3, 1e3))
def explodes(g, t):
    """Goes the wrong way, ever faster."""
    return -(2.0 ** t) * g

@rule(lr=1.0, search=(1e-3, 1e3))
def undefined(g):
    """log of what may be negative: NaN."""
    return log(g - 10.0)

@rule(lr=1.0, search=(1e-3, 1e3))
def raises(g, t):
    """Fails when it is run on numbers."""
    return g / (1 / (t - t))

@rule(lr=0.1, search=(1e-3, 1.0))
def plain(g):
    """Plain (Me 2026)."""
    return g
'''


@pytest.mark.slow
def test_a_users_rules_join_the_race_and_one_that_breaks_is_a_result(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(HOSTILE)
    done = fresh("compare", "--problem", "xor", "--rules", "sgd", "--my-rule", mine, *SMALL, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "Traceback" not in done.stderr
    found = results(tmp_path / "out")
    assert {found["rules"][0]["name"], found["rules"][1]["name"]} == {"sgd", "plain"}
    assert [r["name"] for r in found["rules"] if not r["mine"]] == ["sgd"]
    for name in ("explodes", "undefined", "raises"):
        broken = row(found, name)
        assert broken["diverged"]["tuning"] > 0.5
        assert broken["mine"]
    assert "ZeroDivisionError" in row(found, "raises")["note"]
    assert "ZeroDivisionError" in done.stdout


BAD = [
    (["--problem", "digit"], "no problem is called 'digit'; did you mean 'digits'?"),
    (["--rules", "sgd,adm"], "no optimizer is called 'adm'; did you mean 'adam'?"),
    (["--rules", ","], "--rules names no optimizer"),
    (["--data", "nowhere.csv", "--target", "y"], "nowhere.csv"),
    (["--problem", "wine", "--data", "x.npz"], "two answers to one question"),
    (["--target", "y"], "give it with --data"),
    (
        ["--schedule", "cosin"],
        "no schedule is called 'cosin'; there are constant, linear, cosine, wsd; did you mean 'cosine'",
    ),
    (["--schedule", ","], "--schedule names none"),
    (["--budget", "0"], "'0'; wanted a whole number of at least 1"),
    (["--seeds", "1.5"], "'1.5'; wanted a whole number of at least 1"),
    (["--problem", "sales.csv"], "no problem is called 'sales.csv'; your own data come with --data sales.csv"),
    (["--problem", "nowhere near"], "thalweg compare --problems lists them"),
    (["--my-rule", "nowhere.py"], "nowhere.py: there is no such file"),
    (["--my-rule", "syntax.py"], "syntax.py, line 2: syntax error"),
    (["--my-rule", "empty.py"], "no rule in it"),
    (["--my-rule", "signature.py"], "'velocity' is nothing a rule can ask for"),
    (["--my-rule", "arity.py"], r"mine returns 1 value\(s\)"),
    (["--my-rule", "clash.py"], "thalweg has a rule called 'adam' already"),
    (["--my-rule", "norate.py"], "needs a learning rate"),
    (["--my-rule", "fails.py"], "fails.py, line 3: ModuleNotFoundError"),
    (["--my-rule", "leaves.py"], "leaves.py, line 2: SystemExit: 3"),
    (["--my-rule", "bytes.py"], "bytes.py: syntax error"),
    (["--my-rule", "branch.py"], "branch.py, line 4: TypeError: mine: `if` on a computed value"),
    (["--my-rule", "unknown.py"], "unknown.py, line 4: NameError: name 'addam' is not defined"),
    (["--my-rule", "range.py"], r"search is a range of positive rates, as in search=\(1e-4, 1.0\), not \(1.0, 0.1\)"),
    (["--my-rule", "endless.py"], r"search is a range of positive rates, as in .*, not \(0.1, inf\)"),
    (["--my-rule", "words.py"], "lr is a number from 0 on, as in lr=0.1, not 'small'"),
    (["--problem", "xor", "--rules", "sgd", "--out", "file.txt/out"], "cannot write there"),
    (
        ["--problem", "rosenbrock", "--rules", "sgd,muon"],
        "rosenbrock has no matrices, and muon takes nothing else; leave it out",
    ),
]
READ_ALONE = ("syntax.py", "branch.py", "norate.py")
"""Of the files of rules, each of which a process of its own reads, those that are tried every day."""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            arguments, says, marks=pytest.mark.slow if "--my-rule" in arguments and arguments[1] not in READ_ALONE else ()
        )
        for arguments, says in BAD
    ],
)
def test_bad_input_gets_a_sentence_and_exit_code_2(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "from thalweg import rule\n"
    files = {
        "syntax.py": head + "def mine(g:\n",
        "empty.py": head,
        "signature.py": head + "@rule(lr=0.1)\ndef mine(g, velocity): return g\n",
        "arity.py": head + "@rule(lr=0.1)\ndef mine(g, m=0.0): return g\n",
        "clash.py": head + "@rule(lr=0.1)\ndef adam(g): return g\n",
        "norate.py": head + "@rule\ndef mine(g): return g\n",
        "fails.py": "\n\nimport nothing_of_the_sort\n",
        "leaves.py": "import sys\nsys.exit(3)\n",
        "bytes.py": "\0",
        "branch.py": head + "@rule(lr=0.1)\ndef mine(g, *, a=0.5):\n    if a > 0: return g\n    return -g\n",
        "unknown.py": "from thalweg import recipe\n@recipe(lr=0.1)\ndef mine():\n    return addam()\n",
        "range.py": head + "@rule(lr=0.1, search=(1.0, 0.1))\ndef mine(g): return g\n",
        "endless.py": head + "@rule(lr=0.1, search=(0.1, float('inf')))\ndef mine(g): return g\n",
        "words.py": head + "@rule(lr='small')\ndef mine(g): return g\n",
        "file.txt": "a file, not a folder",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["compare", *arguments])
    assert done.exit_code == 2, done.output
    assert re.search(says, done.stderr.strip().splitlines()[-1]), done.stderr
    assert {p.name for p in tmp_path.iterdir()} - {"__pycache__"} == set(files), "nothing half-written"


def test_the_help_tells_the_defaults() -> None:
    text = " ".join(CliRunner().invoke(main, ["compare", "--help"]).stdout.split())
    for words, default in (("Learning rates tried", protocol.BUDGET), ("Fresh seeds", protocol.SEEDS)):
        assert re.search(rf"{words}[^\[]*\[default: {default}\]", text), words


@pytest.mark.slow
def test_ctrl_c_says_that_all_is_kept(tmp_path: Path) -> None:
    """A terminal sends it to all processes at once, the workers among them."""
    foreground = "signal.signal(signal.SIGINT, signal.SIG_DFL)"  # who runs the tests in the background ignores it
    compare = ("compare", "--rules", "learned,adam", "--jobs", "2", "--steps", "20000", "--out", str(tmp_path))
    command = python(foreground, "-m", "thalweg.commands.cli", *compare)
    with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True) as process:
        assert process.stderr is not None
        wanted = {"trials in the store", "judging learned"}  # the forecast, and the first thing said of what runs
        while wanted and (line := process.stderr.readline()):
            wanted = {words for words in wanted if words not in line}
        assert not wanted
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors.strip().endswith("The finished trials are kept; the same command goes on from here.")
    assert "Traceback" not in errors


def test_the_target_lies_below_the_start_even_where_the_loss_rises_again() -> None:
    from types import SimpleNamespace

    from thalweg.lab.report.results import _target

    overfit = SimpleNamespace(judging=[SimpleNamespace(loss_curve=[1.0, 0.5, 3.0])])
    worse = SimpleNamespace(judging=[SimpleNamespace(loss_curve=[1.0, 0.9, 0.9]), SimpleNamespace(loss_curve=[])])
    assert _target([overfit, worse]) == pytest.approx(0.5 + protocol.NEAR * 0.5)  # type: ignore[list-item]
