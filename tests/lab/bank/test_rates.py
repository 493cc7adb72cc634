"""The best learning rates of a bank, and what moving the search ranges by them would do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.bank.made_up import bank
from thalweg.lab.bank import rates
from thalweg.lab.bank.standing import Standings
from thalweg.lab.bank.table import Bank
from thalweg.methods import rules

NAMES = ("digits", "wine", "diabetes", "zipf", "transformer")


def made(best: dict[str, float]) -> Bank:
    """A bank of adam alone, with this best rate on each problem."""
    some = bank({"adam": dict.fromkeys(best, 0.9), "sgd": dict.fromkeys(best, 1.0)})
    return replace(some, rows=tuple(replace(row, lr=best[row.problem]) for row in some.rows if row.rule == "adam"))


def test_problems_on_the_same_data_are_one_and_functions_none() -> None:
    found = made({"digits": 1e-1, "digits_conv": 1e-3, "wine": 1e-2, "ravine": 1.0})
    found.problems["ravine"] = replace(found.problems["ravine"], train_size=0)
    assert rates.best(found) == {"adam": {"digits": pytest.approx(-2.0), "wine": pytest.approx(-2.0)}}


def test_a_middle_moves_only_where_the_data_are_sure() -> None:
    search = (1e-4, 1e0)
    assert rates.middle(search) == pytest.approx(-2.0)
    sure = {"a": -1.0, "b": -1.1, "c": -0.9, "d": -1.0}
    assert rates.moved(search, sure) == pytest.approx(-1.0)
    assert rates.moved(search, {**sure, "d": -3.5}) == pytest.approx(-2.0), "one is far away"
    assert rates.moved(search, {name: sure[name] for name in "abc"}) == pytest.approx(-2.0), "three are too few"


def test_centring_is_by_data_that_had_no_part_in_it() -> None:
    """Best rates a decade above the middle: moved, they are in it, also on the one data set that was left out."""
    alike = rates.centring(made(dict.fromkeys(NAMES, 1e-1)), rules)
    assert (alike.declared.value, alike.by_others.value, alike.shifted) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-9), 1.0)
    one = rates.centring(made({**dict.fromkeys(NAMES, 1e-1), "zipf": 1e-2}), rules)
    assert one.less.value == pytest.approx((4 * 0.0 - 1.0) / 5), (
        "without zipf the others are sure, and wrong for it; with it nothing moves"
    )
    with pytest.raises(ValueError, match="1 data sets leave none out"):
        rates.centring(made({"digits": 0.1, "digits_conv": 0.1}), rules)


def test_ranges_move_by_other_data_alone_and_stay_as_wide() -> None:
    declared = rules["adam"].search
    assert declared == (1e-4, 1.0)
    found = made(dict.fromkeys(NAMES, 1e-1))
    some = {name: rules[name] for name in ("adam", "sgd")}
    assert rates.measured(found, some) == {"adam": (1e-3, 10.0)}, "the bank has no row of sgd"
    lone = made({**dict.fromkeys(NAMES, 1e-1), "digits": 1e-4})
    assert rates.measured(lone, some) == {}, "one is far away"
    for left in ("digits", "digits_conv", "autoencoder"):
        assert rates.measured(lone, some, left) == {"adam": (1e-3, 10.0)}, "data that a range is for have no part in it"
    assert rates.measured(made(dict.fromkeys(NAMES, 1e-2)), some) == {}, "the middle is where it was"


def test_show_tells_the_best_rates() -> None:
    found = Standings.of(made({**dict.fromkeys(NAMES, 1e-1), "wine": 1e-3})).sentences("adam")
    assert "best learning rates: 0.001 to 0.1 by data set, 0.04 in the middle; the range's middle is 0.01" in found
