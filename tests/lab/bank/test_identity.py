"""Rows whose rule or protocol has changed are told and not used; a problem that has changed is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

import thalweg as tw
from lab.bank.made_up import bank
from thalweg.lab import problems
from thalweg.lab.bank.identity import changed, current, identity
from thalweg.lab.refusal import Refusal
from thalweg.methods import rules
from thalweg.ops import sign

SOME = bank({"sgd": {"wine": 0.9}, "adam": {"wine": 0.8}})


def adam_anew(g: object, m: object = 0.0) -> object:
    """Adam (another one)."""
    return sign(g), m


def test_nothing_is_stale_where_nothing_has_changed() -> None:
    found = current(SOME, rules)
    assert (found.bank, found.stale, found.gone, found.sentences) == (SOME, (), (), [])


def test_a_rule_that_computes_something_else_is_stale() -> None:
    adam_anew.__name__ = "adam"
    now = {**rules, "adam": tw.rule(lr=1e-3, search=(1e-5, 1e-1))(adam_anew)}
    found = current(SOME, now)
    assert found.stale == ("adam",)
    assert {row.rule for row in found.bank.rows} == {"sgd"}
    assert "adam" not in found.bank.rules
    assert found.sentences == ["Not used, as the rule has changed since it was measured: adam."]


def test_another_default_makes_a_rule_stale() -> None:
    assert identity(replace(rules["adam"], lr=2e-3)) != identity(rules["adam"])


def test_a_rule_that_is_gone() -> None:
    found = current(SOME, {"sgd": rules["sgd"]})
    assert found.gone == ("adam",)
    assert {row.rule for row in found.bank.rows} == {"sgd"}
    assert "there is no such rule any more: adam" in found.sentences[0]


def test_of_another_protocol_nothing_is_used() -> None:
    with pytest.raises(Refusal, match="made by protocol 0, and this is protocol"):
        current(replace(SOME, made=replace(SOME.made, protocol="0")), rules)


def test_a_problem_that_is_another_one_here() -> None:
    assert changed(SOME) == ("wine",)
    same = replace(SOME.problems["wine"], fingerprint=problems.problem("wine").fingerprint)
    assert changed(replace(SOME, problems={"wine": same})) == ()
