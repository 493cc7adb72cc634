"""Gaps, their means with intervals, and places, against numbers worked out by hand and by other libraries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from lab.bank.made_up import bank, row
from thalweg.lab.bank.evidence import Evidence, estimate, places


def test_a_gap_is_the_share_of_the_way_behind_the_best() -> None:
    found = Evidence.of(bank({"sgd": {"wine": 0.8}, "adam": {"wine": 0.6}}, untuned=0.5))
    assert found.rules == ("adam", "sgd")
    assert found.gaps["tuned"][:, 0] == pytest.approx([0.25, 0.0])
    assert found.gaps["untuned"][:, 0] == pytest.approx([0.625, 0.5])


def test_a_lower_score_is_better_where_that_is_so() -> None:
    made = bank({"sgd": {"wine": 0.0}, "adam": {"wine": 0.0}})
    measured = replace(made.problems["wine"], higher_is_better=False, start=2.0)
    rows = (row("sgd", "wine", (1.0, 1.0), (2.0, 2.0)), row("adam", "wine", (1.5, 1.5), (3.0, 3.0)))
    found = Evidence.of(replace(made, problems={"wine": measured}, rows=rows))
    assert found.gaps["tuned"][:, 0] == pytest.approx([0.5, 0.0])
    assert found.gaps["untuned"][:, 0] == pytest.approx([1.0, 1.0]), "a run that ended above its start counts as the start"


def test_a_run_that_diverged_counts_as_the_start() -> None:
    made = bank({"sgd": {"wine": 0.8}, "adam": {"wine": 0.8}})
    found = Evidence.of(replace(made, rows=(made.rows[0], row("adam", "wine", (0.8, None)))))
    assert found.gaps["tuned"][:, 0] == pytest.approx([0.5, 0.0])


def test_an_untuned_rule_may_be_the_best() -> None:
    made = bank({"sgd": {"wine": 0.5}, "adam": {"wine": 0.5}})
    found = Evidence.of(replace(made, rows=(made.rows[0], row("adam", "wine", (0.5, 0.5), (1.0, 1.0)))))
    assert found.gaps["tuned"][:, 0] == pytest.approx([0.5, 0.5])
    assert found.gaps["untuned"][:, 0] == pytest.approx([0.0, 0.75])


def test_a_problem_on_which_nobody_got_anywhere_says_nothing() -> None:
    found = Evidence.of(bank({"sgd": {"wine": 0.0, "xor": 1.0}, "adam": {"wine": -1.0, "xor": 1.0}}))
    assert found.problems == ("xor",)


def test_only_rules_measured_on_all_problems_are_compared() -> None:
    found = Evidence.of(bank({"sgd": {"wine": 0.9, "xor": 0.9}, "muon": {"wine": 1.0}}))
    assert np.isnan(found.row("muon", "tuned")).tolist() == [False, True]
    assert found.among(("wine", "xor")).rules == ("sgd",)
    assert found.among(("wine",)).rules == ("muon", "sgd")


def test_problems_on_the_same_data_are_one_witness() -> None:
    found = Evidence.of(bank({"sgd": {"digits": 0.9, "wine": 0.9, "digits_conv": 0.9}}))
    assert found.data == ("digits", "wine", "digits")
    assert found.witnesses.tolist() == [[1, 0, 1], [0, 1, 0]]


def test_with_equal_weights_the_interval_is_students() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.7])
    found = estimate(values, np.ones(4), np.eye(4))
    low, high = scipy_stats.t.interval(0.95, 3, values.mean(), scipy_stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))


def test_intervals_for_several_means_at_once_are_bonferronis() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.7])
    found = estimate(values, np.ones(4), np.eye(4), several=10)
    low, high = scipy_stats.t.interval(1 - 0.05 / 10, 3, values.mean(), scipy_stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_problems_on_the_same_data_count_once() -> None:
    """Two problems that say the same, on the same data with half the weight each, are as good as one."""
    one = estimate(np.array([0.1, 0.4, 0.2]), np.ones(3), np.eye(3))
    twice = estimate(
        np.array([0.1, 0.1, 0.4, 0.2]), np.array([0.5, 0.5, 1.0, 1.0]), np.array([[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    )
    assert (one.value, one.low, one.high) == pytest.approx((twice.value, twice.low, twice.high))


def test_one_witness_says_nothing_of_others() -> None:
    found = estimate(np.array([0.1, 0.3]), np.ones(2), np.ones((1, 2)))
    assert (found.value, found.low, found.high) == (pytest.approx(0.2), -np.inf, np.inf)


def test_places() -> None:
    scores = {"sgd": 1.0, "adam": 0.9, "lion": 0.9, "nadam": 0.5}
    names = ("digits", "wine", "diabetes", "zipf", "transformer")
    found = places(Evidence.of(bank({rule: dict.fromkeys(names, score) for rule, score in scores.items()})), "tuned")
    assert {name: (each.place, each.low, each.high) for name, each in found.items()} == {
        "sgd": (1, 1, 1),
        "adam": (2, 2, 2),
        "lion": (2, 2, 2),
        "nadam": (4, 4, 4),
    }
    swapped = {"sgd": {n: 1.0 if n == "zipf" else 0.8 for n in names}, "adam": {n: 1.0 if n == "wine" else 0.8 for n in names}}
    found = places(Evidence.of(bank(swapped)), "tuned")
    assert (found["sgd"].low, found["sgd"].high) == (1, 2)
