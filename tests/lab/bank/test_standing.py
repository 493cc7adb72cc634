"""What `thalweg show` and `thalweg list` say of a rule's measured place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.bank.made_up import bank
from thalweg.commands.cli import main
from thalweg.lab.bank import standing
from thalweg.lab.bank.standing import Standings
from thalweg.lab.bank.table import Bank, write

NAMES = ("digits", "wine", "diabetes", "zipf", "transformer")
SOME = bank({rule: dict.fromkeys(NAMES, score) for rule, score in {"sgd": 1.0, "adam": 0.9, "lion": 0.5}.items()}, untuned=0.5)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    def ship(made: Bank) -> None:
        write(made, tmp_path / "bank.json")
        monkeypatch.setattr(standing, "SHIPPED", tmp_path / "bank.json")
        standing.shipped.cache_clear()

    yield ship
    standing.shipped.cache_clear()


def test_a_rules_place_its_gap_and_where_it_is_best_and_worst() -> None:
    worse = tuple(replace(row, tuned=(0.7, 0.7)) if (row.rule, row.problem) == ("adam", "zipf") else row for row in SOME.rows)
    found = Standings.of(replace(SOME, rows=worse)).sentences("adam")
    assert found[0].startswith("tuned: place 2 of 3 [2 to 2], 14.0 % [2.9, 25.1] of the way behind the best on average")
    assert found[1].startswith("untuned: place 2 of 3 [2 to 2], 55.0 %")
    assert found[2] == "nearest to the best on digits (10.0 % behind), furthest on zipf (30.0 %)"
    assert "5 small data sets" in found[-1]


def test_a_stale_rule_and_one_that_was_never_measured_have_none() -> None:
    found = Standings.of(replace(SOME, rules={**SOME.rules, "lion": "another"}))
    assert found.sentences("lion") == ["it has changed since it was measured, so its rows in the bank are not used"]
    assert found.sentences("nadam") == ["not measured yet: `thalweg lab bank` does it"]
    assert found.sentences("adam")[0].startswith("tuned: place 2 of 2")


def test_show_and_list_have_it(shipped: object) -> None:
    shipped(SOME)  # type: ignore[operator]
    shown = CliRunner().invoke(main, ["show", "adam"]).stdout
    assert "tuned: place 2 of 3 [2 to 2], 10.0 % [10.0, 10.0] of the way behind the best" in shown
    rows = CliRunner().invoke(main, ["list", "--sort", "place", "--search", "s"]).stdout.splitlines()
    names = [row.split()[0] for row in rows if row.split() and row.split()[0] in ("sgd", "adam", "lion", "lars")]
    assert names == ["sgd", "adam", "lion", "lars"], "those without a place come last"
    assert "Measured" not in CliRunner().invoke(main, ["show", "sam"]).stdout, "a stage is none of the catalogue's optimizers"


def test_a_bank_of_another_protocol_is_not_shown(shipped: object) -> None:
    shipped(replace(SOME, made=replace(SOME.made, protocol="0")))  # type: ignore[operator]
    assert standing.shipped() is None
    assert "Measured" not in CliRunner().invoke(main, ["show", "adam"]).stdout
    assert CliRunner().invoke(main, ["list"]).exit_code == 0
