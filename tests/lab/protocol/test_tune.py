"""What an optimizer is tried at: exactly its budget, spread evenly, spent at the edge or beside the best."""

from __future__ import annotations

import math

import numpy as np
import pytest

import thalweg as tw
from thalweg.lab.comparing.candidate import candidates
from thalweg.lab.protocol import protocol, tune
from thalweg.lab.protocol.tune import Setting, Space

RANGE = (1e-4, 1.0)


def ends(space: Space, best: float) -> dict[Setting, tuple[float, float]]:
    """As if the loss were the distance, in decades, from the rate `best`."""
    return {s: (abs(math.log10(s.lr / best)), 0.0) for s in tune.opening(space)}


@pytest.mark.parametrize("budget", [1, 2, 5, 6, 8, 12, 13, 24])
@pytest.mark.parametrize("best", [1e-9, 0.01, 1e9])
@pytest.mark.parametrize("more", [False, True])
def test_all_of_the_budget_is_spent_and_no_more(budget: int, best: float, more: bool) -> None:
    space = Space(RANGE, budget, tune.axes(tw.adam) if more else ())
    first = ends(space, best)
    further = tune.following(space, first)
    assert len(first) + len(further) == budget
    assert len({*first, *further}) == budget, "no setting twice"


def test_a_grid_is_even_and_has_no_end_at_an_end_of_the_range() -> None:
    logs = np.log10([s.lr for s in tune.opening(Space(RANGE, 12))])
    np.testing.assert_allclose(np.diff(logs), 0.4, atol=1e-5)
    np.testing.assert_allclose([logs[0], logs[-1]], [-3.8, -0.2], atol=1e-5)


def test_an_optimum_at_the_edge_is_followed_beyond_it() -> None:
    space = Space(RANGE, 12)
    beyond = [s.lr for s in tune.following(space, ends(space, 1e9))]
    np.testing.assert_allclose(np.log10(beyond), [0.2, 0.6], atol=1e-5)
    below = [s.lr for s in tune.following(space, ends(space, 1e-9))]
    np.testing.assert_allclose(np.log10(below), [-4.2, -4.6], atol=1e-5)


def test_an_optimum_inside_is_looked_at_more_closely() -> None:
    space = Space(RANGE, 12)
    beside = sorted(s.lr for s in tune.following(space, ends(space, 10**-1.8)))
    np.testing.assert_allclose(np.log10(beside), [-2.0, -1.6], atol=1e-5)


def test_beyond_the_edge_all_else_stays() -> None:
    space = Space(RANGE, 12, tune.axes(tw.adam), ("linear", "cosine"))
    first = ends(space, 1e9)
    best = min(first, key=lambda s: first[s])
    for further in tune.following(space, first):
        assert (further.hyper, further.schedule) == (best.hyper, best.schedule)
        assert further.lr > best.lr


def test_draws_are_spread_over_every_axis() -> None:
    space = Space(RANGE, 48, tune.axes(tw.adam), ("constant", "linear", "cosine", "wsd"))
    drawn = tune.opening(space)
    assert {s.schedule for s in drawn} == set(space.schedules)
    for axis in space.axes:
        values = np.array([dict(s.hyper)[axis.name] for s in drawn])
        logs = np.log(1 - values if axis.complement else values)
        shares = (logs - math.log(axis.low)) / math.log(axis.high / axis.low)
        assert np.histogram(shares, 4, (0, 1))[0].min() >= 6, axis.name
    fewer = tune.opening(Space(RANGE, 24, space.axes, space.schedules))
    assert drawn[: len(fewer)] == fewer, "a larger budget keeps the first draws"


def test_other_draws_come_from_the_same_range() -> None:
    mine, other = ({s.lr for s in tune.opening(Space(RANGE, 12, draws=draws))} for draws in ("", "control"))
    assert not mine & other
    assert all(RANGE[0] <= lr <= RANGE[1] for lr in other)


def test_every_axis_of_every_rule_lies_within_its_declared_range() -> None:
    for rule in tw.rules.values():
        for axis in tune.axes(rule):
            declared = rule.hyper[axis.name].range
            assert declared is not None
            for share in (0.0, 0.5, 1.0 - 1e-9):
                assert axis.at(share) in declared, (rule.name, axis.name, share)
    assert {axis.name for axis in tune.axes(tw.adam)} == {"beta1", "beta2", "eps"}
    assert tune.axes(tw.sgd) == ()


def test_lanes_each_have_their_schedule() -> None:
    made = [Setting(0.1, (), "constant"), Setting(0.2, (), "linear"), Setting(0.4, (), "cosine"), Setting(0.8, (), "wsd")]
    rate = tune.rate(made, 100)
    for t in (1, 5, 50, 90, 100):
        expected = [
            0.1,
            0.2 * (1 - (t - 1) / 100),
            0.4 * 0.5 * (1 + math.cos(math.pi * (t - 1) / 100)),
            0.8 * min(1, t / 10) * min(1, (101 - t) / 20),
        ]
        np.testing.assert_allclose(rate(t), expected, rtol=1e-13)
    np.testing.assert_array_equal(tune.rate(made[:1] * 2, 100), [0.1, 0.1])


def test_who_takes_part() -> None:
    found = candidates([tw.sgd, tw.momentum, tw.adam], {"sgd": 6, "momentum": 6, "adam": 6})
    assert [e.label for e in found] == ["sgd", "momentum", "adam", "adam again", "adam, eps tuned"]
    again = found[3]
    assert again.rule is tw.adam
    assert set(again.opening()).isdisjoint(found[2].opening())
    wide = found[4].space
    assert wide is not None
    assert wide.search[1] == 10 * tw.momentum.search[1]
    assert [axis.name for axis in wide.axes] == ["eps"]
    assert [e.label for e in candidates([tw.rules["learned"]], {"learned": 6})] == ["learned"], "nothing tuned, no control"
    assert [e.label for e in candidates([tw.sgd], {"sgd": 6})] == ["sgd", "sgd again"]


def test_an_expensive_rule_has_fewer_trials() -> None:
    assert protocol.trials(8, 1e-4) == 8
    assert protocol.trials(8, 2e-3) == 2
