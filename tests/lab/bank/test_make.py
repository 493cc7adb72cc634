"""`thalweg lab bank`: what it measures and distils, resumed, stopped and reported; what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.command import thalweg
from thalweg import lab
from thalweg.lab import problems
from thalweg.lab.api import bank as making
from thalweg.lab.api.bank import NAME, Asked, make
from thalweg.lab.bank.distil import distilled, joined
from thalweg.lab.bank.identity import identity
from thalweg.lab.bank.table import read
from thalweg.lab.comparing import run
from thalweg.lab.refusal import Refusal
from thalweg.methods import rules

SMALL = Asked("tiny", "sgd,adam", budget=3, seeds=2, share=0.04, jobs=1)
COMMAND = "thalweg lab bank"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bank")
    assert make(SMALL, out, COMMAND) == read(out / NAME)
    return out


def same(one: Any, other: Any) -> bool:
    """But for the order of the problems, which is by measured time."""
    return (
        sorted(one.rows, key=repr) == sorted(other.rows, key=repr) and one.problems == other.problems and one.rules == other.rules
    )


def test_it_is_what_a_comparison_finds(made: Path, tmp_path: Path) -> None:
    found = lab.compare(problem="wine", rules="sgd,adam", budget=3, seeds=2, steps=20, jobs=1, out=tmp_path)
    rows = {row["optimizer"]: row for row in found.records}
    whole = {row["name"]: row for row in found.problems[0]["rules"]}
    bank = read(made / NAME)
    assert bank.problems["wine"].steps == 20, "4 % of 500"
    assert bank.problems["wine"].fingerprint == problems.problem("wine").fingerprint
    for row in (row for row in bank.rows if row.problem == "wine"):
        assert row.lr == rows[row.rule]["lr"]
        assert row.edge == whole[row.rule]["at_edge"]
        assert row.tuned == pytest.approx([run["test_score"] for run in whole[row.rule]["judging"]], rel=1e-4)
        assert row.untuned == pytest.approx(whole[row.rule]["untuned"]["test_scores"], rel=1e-4)
        assert row.diverged == whole[row.rule]["diverged"]["judging"]
    starts = [run["score_curve"][0] for row in whole.values() for run in row["judging"]]
    assert min(starts) <= bank.problems["wine"].start <= max(starts)


def test_it_says_how_it_was_made(made: Path) -> None:
    bank = read(made / NAME)
    assert (bank.made.budget, bank.made.seeds, bank.made.tuning_seeds, bank.made.share) == (3, 2, 2, 0.04)
    assert bank.made.command == COMMAND
    assert bank.rules == {name: identity(rules[name]) for name in ("adam", "sgd")}
    assert {(row.rule, row.problem) for row in bank.rows} == {
        (rule, problem) for rule in ("adam", "sgd") for problem in ("quadratic_10", "logistic", "wine")
    }


def test_a_second_call_runs_nothing(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(made / NAME)
    monkeypatch.setattr(making, "run", lambda *told: pytest.fail("all trials are there"))
    told: list[str] = []
    again = make(SMALL, made, COMMAND, lambda progress: told.append(str(progress)))
    assert same(again, before)
    assert told == []


def test_where_it_is_stopped_the_finished_problems_are_written_and_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, count = run.run, [0]

    def stopped(*told: Any, **named: Any) -> bool:
        count[0] += 1
        if count[0] == 3:
            raise KeyboardInterrupt
        return whole(*told, **named)

    monkeypatch.setattr(making, "run", stopped)
    with pytest.raises(KeyboardInterrupt):
        make(SMALL, tmp_path, COMMAND)
    assert len(read(tmp_path / NAME).problems) == 2
    assert len(make(replace(SMALL, report=True), tmp_path, COMMAND).problems) == 2
    assert len(make(SMALL, tmp_path, COMMAND).problems) == 3
    assert count == [4]


def test_nothing_finished_is_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no problem is finished yet"):
        make(replace(SMALL, report=True), tmp_path, COMMAND)


def test_a_problem_whose_data_are_not_here_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = problems.problem

    def without(name: str, block: int = 0) -> Any:
        if name == "wine":
            raise Refusal("its data are in a package")
        return known(name, block)

    monkeypatch.setattr(problems, "problem", without)
    told: list[str] = []
    found = make(SMALL, tmp_path, COMMAND, lambda progress: told.append(str(progress)))
    assert set(found.problems) == {"quadratic_10", "logistic"}
    assert told[0] == "wine is left out: its data are in a package"


def test_a_rule_for_matrices_has_rows_where_there_are_some(tmp_path: Path) -> None:
    found = make(replace(SMALL, rules="sgd,muon"), tmp_path, COMMAND)
    assert {row.problem for row in found.rows if row.rule == "muon"} == {"logistic", "wine"}


@pytest.mark.slow
def test_several_problems_are_joined_and_a_rule_of_ones_own_is_left_out(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "from thalweg import rule\n@rule(lr=0.1, search=(1e-2, 1.0))\ndef mine(g):\n    '''Mine (Me 2026).'''\n    return g\n"
    )
    found = [
        lab.compare(problem=name, rules="sgd", my_rule=[own], budget=2, seeds=2, steps=4, jobs=1, out=tmp_path / name).problems[0]
        for name in ("xor", "saddle")
    ]
    both = joined([distilled(each, rules, 1.0, COMMAND) for each in found])
    assert list(both.problems) == ["xor", "saddle"]
    assert [(row.rule, row.problem) for row in both.rows] == [("sgd", "xor"), ("sgd", "saddle")]
    assert list(both.rules) == ["sgd"]


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "new"
    arguments = ("--suite", "tiny", "--rules", "sgd,adam", "--budget", 2, "--seeds", 2, "--share", 0.02, "--jobs", 1)
    done = thalweg("lab", "bank", *arguments, "--out", out)
    assert done.returncode == 0, done.stderr
    assert f"2 optimizers on 3 problems, 6 rows\nBank   {out / NAME}" in done.stdout
    assert "0 of 66 trials in the store" in done.stderr
    made = json.loads((out / NAME).read_text())["made"]
    assert made["share"] == 0.02
    assert made["command"] == "thalweg lab bank --suite tiny --rules sgd,adam --budget 2 --seeds 2 --share 0.02"
    advised = thalweg("advise", "--bank", out / NAME)
    assert advised.returncode == 0, advised.stderr
    assert "with 2 learning rates to try" in advised.stdout
    refused = thalweg("lab", "bank", "--suite", "tinny", "--out", out)
    assert (refused.returncode, "no suite is called 'tinny'" in refused.stderr) == (2, True)
