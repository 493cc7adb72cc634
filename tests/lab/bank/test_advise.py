"""`lab.advise` on made-up banks with a known answer; its limits; what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from lab.bank.made_up import bank
from thalweg import lab
from thalweg.lab.bank import identity, kinds
from thalweg.lab.bank.advise import Advice, advised
from thalweg.lab.bank.choice import MARGIN, OTHERS, order, regrets, weights
from thalweg.lab.bank.evidence import Evidence
from thalweg.lab.bank.kinds import KINDS
from thalweg.lab.bank.table import read, write
from thalweg.lab.refusal import Refusal
from thalweg.lab.verify import advice

IMAGES, TABLES = ("digits", "digits_conv"), ("wine", "breast_cancer", "diabetes")
OTHER = ("zipf", "photograph", "transformer", "mnist1d")
EVERY = (*IMAGES, *TABLES, *OTHER)


def scored(**better: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Three rules with 0.9 everywhere but 1.0 on the problems where they are better."""
    return {rule: {name: 1.0 if name in better.get(rule, ()) else 0.9 for name in EVERY} for rule in ("adam", "lion", "sgd")}


TOLD = bank(scored(lion=IMAGES, sgd=(*TABLES, *OTHER)))
"""Lion is better on images, gradient descent on all else."""


def test_the_best_of_a_kind_is_named_though_another_is_better_elsewhere() -> None:
    found = advised(TOLD, "small images")
    assert (found.kind, found.problems, found.data) == ("small images", IMAGES, 8)
    assert set(found.others) == {*TABLES, *OTHER}
    assert found.rule == "lion"
    assert advised(TOLD, "tabular classification").rule == "sgd"
    assert advised(TOLD, "any").rule == "sgd"


def test_other_kinds_count_as_two_of_the_kind_together() -> None:
    weight = weights(Evidence.of(TOLD), IMAGES)
    assert weight[:2].tolist() == [1, 1]
    assert weight[2:].sum() == pytest.approx(OTHERS)
    found = advised(TOLD, "small images").row("lion")
    assert found.gap.value == pytest.approx(0.1 * OTHERS / (2 + OTHERS))
    assert found.worst == ("digits", 0.0)
    assert found.near == 2
    assert found.lr == pytest.approx((0.1, 0.1, 0.1))


def test_those_that_are_level_are_sorted_by_how_little_tuning_they_need() -> None:
    scores = {"adam": 1.0, "lion": 1.0 - MARGIN / 2, "sgd": 1.0 - 2 * MARGIN}
    made = bank({rule: dict.fromkeys(EVERY, score) for rule, score in scores.items()}, untuned=0.2)
    keen = tuple(replace(each, untuned=(0.9, 0.9)) if each.rule != "adam" else each for each in made.rows)
    evidence = Evidence.of(replace(made, rows=keen))
    assert [evidence.rules[i] for i in order(evidence, np.ones(9), "tuned")] == ["lion", "adam", "sgd"]
    assert [evidence.rules[i] for i in order(evidence, np.ones(9), "untuned")] == ["lion", "sgd", "adam"]


def test_the_left_out_data_have_no_part_in_the_choice() -> None:
    """Lion is better on all of the digits, and nowhere else: once they are left out, nothing is for it."""
    evidence = Evidence.of(TOLD)
    found = regrets(evidence, "tuned")
    assert found.data == ("digits", "wine", "breast_cancer", "diabetes", "zipf", "photograph", "transformer", "mnist1d")
    assert found.advised.tolist() == pytest.approx([0.1, *[0.0] * 7])
    assert found.reference.tolist() == pytest.approx([0.1] * 8)
    assert found.of_reference.value == pytest.approx(0.1)
    assert found.difference.value == pytest.approx(7 / 80)


def test_where_nothing_differs_nothing_is_claimed() -> None:
    found = advised(bank(scored()), "small images")
    assert found.regrets["tuned"].difference.value == 0
    text = " ".join(found.sentences)
    assert "2 of the other 2 are not told apart from" in text
    assert "the choice hardly matters" in text
    assert "such advice is not shown to be better or worse than taking adam" in text


def test_the_guarantee_sees_intervals_that_are_too_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(line.holds for line in advice._guarantees(150))
    monkeypatch.setattr(advice, "_different", lambda found: abs(found.difference.value) > 0.03)
    assert advice._guarantees(150)[0].holds is False


def test_it_says_what_it_rests_on_and_its_limits() -> None:
    text = str(advised(TOLD, "small images"))
    flowing = " ".join(text.split())
    for words in (
        "For problems of the kind 'small images' (small grey images to classify), with 6 learning rates to try: lion.",
        "2 problems of the lab (digits, digits_conv), and on 7 of other kinds, which count as 2 of the kind together: 8 data sets",
        "small problems, which train in seconds: 100 steps; 6 rates on 2 seeds, 2 judged runs, 50 % of the usual steps",
        "`thalweg compare` on your own training",
    ):
        assert words in flowing
    assert [line.split()[1] for line in text.splitlines()[2:5]] == ["lion", "sgd", "adam"]


def test_that_a_choice_hardly_matters_is_said_where_that_is_known() -> None:
    def matters(**scores: float) -> str:
        draw = np.random.default_rng(0)
        names = ("adam", *scores)
        own = {name: {p: scores.get(name, 0.9) + draw.normal() / 50 for p in EVERY} for name in names}
        return advised(bank(own), "small images").sentences[2]

    assert "hardly matters" in matters(lion=0.91, sgd=0.92)
    assert matters(lion=0.93, sgd=0.4, nadam=0.45).startswith("1 of the other 3 are not told apart from lion")
    assert matters(lion=0.4, sgd=0.45).startswith("0 of the other 2 are not told apart from adam; adam itself is the first")
    rare = {"adam": dict.fromkeys(EVERY, 0.9), "lion": dict.fromkeys(EVERY, 1.0)}
    rare["adam"]["wine"], rare["lion"]["zipf"], rare["adam"]["digits"] = 0.1, 0.0, 0.0
    assert advised(bank(rare), "any").sentences[2].startswith("There are too few data to tell: 1 of the other 1")


def test_several_gradients_a_step_are_told() -> None:
    found = advised(bank({"adam": dict.fromkeys(EVERY, 0.5), "lbfgs": dict.fromkeys(EVERY, 0.9)}), "any")
    assert [row.gradients for row in found.rows] == [True, False]
    assert "It asks for several gradients a step" in found.sentences[0]
    assert "It asks for several gradients a step" not in advised(TOLD, "any").sentences[0]


def test_one_data_set_says_nothing_of_others() -> None:
    found = advised(bank({rule: {"wine": 0.9} for rule in ("adam", "sgd")}), "any")
    text = " ".join(found.sentences)
    assert "too few data to say how sure" in text
    assert "cannot be checked" in text


def test_a_stale_rule_is_not_advised_and_told() -> None:
    stale = replace(TOLD, rules={**TOLD.rules, "lion": "another"})
    found = advised(stale, "small images")
    assert [each.rule for each in found.rows] == ["sgd", "adam"]
    assert "Not used, as the rule has changed since it was measured: lion." in found.sentences[-1]


def test_a_rule_that_is_not_measured_everywhere_is_told() -> None:
    part = replace(TOLD, rows=tuple(each for each in TOLD.rows if (each.rule, each.problem) != ("lion", "zipf")))
    found = advised(part, "small images")
    assert "lion" not in [each.rule for each in found.rows]
    assert "Not measured on all of these problems: lion." in found.sentences[-1]


def test_functions_without_data_are_another_family() -> None:
    functions = ("ravine", "rosenbrock", "saddle")
    made = bank({rule: {**own, **dict.fromkeys(functions, 0.5)} for rule, own in scored().items()}, functions=functions)
    found = advised(made, "ill-conditioned")
    assert (set(found.problems), found.others) == ({"ravine", "rosenbrock"}, ("saddle",))
    assert not set(functions) & {*advised(made, "any").problems}


def test_every_way_of_asking(tmp_path: Path) -> None:
    file = tmp_path / "bank.json"
    write(TOLD, file)
    (tmp_path / "some.csv").write_text("x,y\n" + "\n".join(f"{i % 7},{i % 2}" for i in range(60)) + "\n")

    def kind(*told: Any, **named: Any) -> str:
        found = lab.advise(*told, bank=file, **named)
        assert isinstance(found, Advice)
        return found.kind

    assert kind() == "any"
    assert kind("digits") == kind("Digits-Conv") == kind(kind="Small_Images") == "small images"
    assert kind(data=tmp_path / "some.csv", target="y") == "tabular classification"
    assert kind(data=tmp_path / "some.csv", target="y", task="regression") == "tabular regression"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"kind": "small sounds"}, "no kind of problem is called 'small sounds'; there are small images, signals"),
        ({"problem": "digit"}, "no problem is called 'digit'; did you mean 'digits'?"),
        ({"problem": "small images"}, "'small images' is a kind of problem: write advise(kind='small images')"),
        ({"problem": "digits", "kind": "text"}, "are several answers to one question"),
        ({"target": "y"}, "speak of your own data"),
        ({"data": "none.csv"}, "none.csv"),
        ({"kind": "toy"}, "the bank has no problem of the kind 'toy'; it has "),
        ({"bank": "none.json"}, "none.json: cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(asked: dict[str, Any], says: str, tmp_path: Path) -> None:
    write(TOLD, tmp_path / "bank.json")
    with pytest.raises(Refusal, match=re.escape(says)):
        lab.advise(**{"bank": tmp_path / "bank.json", **asked})


def test_without_the_reference_or_any_rule_nothing_is_said() -> None:
    for rules in ({"adam": "another"}, dict.fromkeys(TOLD.rules, "another")):
        with pytest.raises(Refusal, match="says nothing of the kind 'text': Not used, as the rule has changed"):
            advised(replace(TOLD, rules={**TOLD.rules, **rules}), "text")


@pytest.fixture(scope="module")
def now() -> identity.Current:
    """What holds of the shipped bank, which takes longer to find out than all advice."""
    return identity.current(read(), tw.rules)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_bank_answers_or_says_what_it_lacks(
    kind: str, now: identity.Current, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "current", lambda bank, rules: now)
    if not set(KINDS[kind].problems) & set(read().problems):
        with pytest.raises(Refusal, match="the bank has no problem of the kind"):
            lab.advise(kind=kind)
        return
    found = lab.advise(kind=kind)
    assert found.rows[0].gap.value <= min(row.gap.value for row in found.rows) + MARGIN
    assert "nan" not in str(found)


def test_other_words_for_a_kind() -> None:
    for name, wanted in (
        ("small transformer", "text"),
        ("Language-Model", "text"),
        ("images", "small images"),
        ("a CNN", "convolutions"),
    ):
        assert kinds.kind(name) == wanted
    with pytest.raises(Refusal, match="no kind of problem is called 'a CNN for images'"):
        kinds.kind("a CNN for images")
