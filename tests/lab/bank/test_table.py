"""The bank's file: what is written is read, what is none is refused, and the one that is shipped is whole and small."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lab.bank.made_up import bank
from thalweg.lab.bank.kinds import KINDS
from thalweg.lab.bank.table import SHIPPED, read, text, write
from thalweg.lab.protocol import protocol, suites
from thalweg.lab.refusal import Refusal
from thalweg.methods import rules

SOME = bank({"sgd": {"digits": 0.9, "wine": 0.8}, "adam": {"digits": 0.95}})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    odd = replace(SOME.rows[0], edge="low", width=None, tuned=(None, 1e-9), untuned=())
    whole = replace(SOME, rows=(odd, *SOME.rows))
    write(whole, tmp_path / "bank.json")
    assert read(tmp_path / "bank.json") == whole


def test_a_row_stands_on_one_line() -> None:
    lines = text(SOME).splitlines()
    assert [line for line in lines if line.startswith('["adam", "digits"')] == [
        '["adam", "digits", 0.1, null, 1.0, 0.0, [0.95, 0.95], [0.475, 0.475]]'
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: "no json", "this is not a bank; `thalweg lab bank` makes one"),
        (lambda found: "[]", "this is not a bank as this version of thalweg reads it"),
        (lambda found: json.dumps({**found, "format": 0}), "this is not a bank as this version of thalweg reads it"),
        (lambda found: json.dumps({**found, "columns": ["rule"]}), "this is not a bank as this version of thalweg reads it"),
        (lambda found: json.dumps({**found, "rows": [["adam"]]}), "this bank is damaged"),
        (lambda found: json.dumps({**found, "made": {}}), "this bank is damaged"),
        (lambda found: json.dumps({name: found[name] for name in found if name != "rules"}), "this bank is damaged"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(change: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(change(json.loads(text(SOME))))  # type: ignore[operator]
    with pytest.raises(Refusal, match=re.escape(says)):
        read(path)
    with pytest.raises(Refusal, match=r"cannot be read \(No such file"):
        read(tmp_path / "none.json")


def test_rows_of_some_rules_and_problems() -> None:
    found = SOME.only(problems={"digits"})
    assert [row.rule for row in found.rows] == ["sgd", "adam"]
    assert list(found.problems) == ["digits"]
    assert [row.problem for row in SOME.only(rules={"sgd"}).rows] == ["digits", "wine"]


def test_the_shipped_bank_is_whole_and_small() -> None:
    """What it says of a rule that has changed is not used; that is no reason to measure all of them again at once."""
    found = read(SHIPPED)
    assert SHIPPED.stat().st_size < 1_000_000
    assert found.made.protocol == protocol.VERSION, "no row of it is used any more: make a new one"
    assert set(found.problems) <= set(suites.SUITES["full"])
    assert {row.rule for row in found.rows} == set(found.rules)
    assert {row.problem for row in found.rows} == set(found.problems)
    assert len({(row.rule, row.problem) for row in found.rows}) == len(found.rows)
    assert {len(each) for row in found.rows for each in (row.tuned, row.untuned)} == {found.made.seeds}
    assert set(found.rules) & set(rules)


def test_every_problem_is_of_a_kind_and_in_the_full_suite() -> None:
    from thalweg.lab import problems

    assert {name for each in KINDS.values() for name in each.problems} == set(problems.names())
    assert set(suites.SUITES["full"]) == set(problems.names())
