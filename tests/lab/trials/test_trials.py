"""Trials as lanes of one program: each is what it would be alone, and whatever a rule does is a result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support import everyday

from thalweg import chain, recipe, rule, rules, sam, sgd
from thalweg.lab import problems
from thalweg.lab.comparing.candidate import candidates
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.report.rows import _what
from thalweg.lab.trials import trials
from thalweg.lab.trials.trials import Trial, at_once
from thalweg.ops import single, stack

WINE = problems.problem("wine")
SETTINGS: dict[str, Any] = {"steps": 12, "batch_size": 32, "judge": True}


BOUNDED = ("adabound", "adafactor", "adamg", "alig", "amsbound", "lbfgs", "momo", "momo_adam", "polyak_sgd", "rprop", "smorms3")
"""Their steps stay small, whatever the learning rate (or, those of L-BFGS, shorten it)."""


def same(a: list[Trial], b: list[Trial]) -> bool:
    """To the last bit, NaN being equal to itself."""
    return [repr(trial.as_dict()) for trial in a] == [repr(trial.as_dict()) for trial in b]


@pytest.mark.parametrize(
    "name", everyday(rules, of=("momentum", "adam", "lamb", "adafactor", "muon", "prodigy", "santa_sss", "lbfgs"))
)
def test_lanes_equal_runs_whoever_their_neighbours_are(name: str) -> None:
    """So trials may be put away and gone on with in any portions. One neighbour overflows."""
    tried = rules[name]
    low, high = tried.search or (0.5, 2.0)
    pairs = [(Setting(low), 1), (Setting(1e30), 1), (Setting(high), 2), (Setting(math.sqrt(low * high)), 1)]
    together = trials.run(WINE, tried, pairs, **SETTINGS)
    assert same(together, [trial for pair in pairs for trial in trials.run(WINE, tried, [pair], **SETTINGS)])
    assert same(together, trials.run(WINE, tried, pairs[:3], **SETTINGS) + trials.run(WINE, tried, pairs[3:], **SETTINGS))
    assert together[1].diverged or name in BOUNDED


def test_a_diverged_trial_is_one_that_is_not_finite_or_ends_worse() -> None:
    fell, overflowed = trials.run(WINE, rules["sgd"], [(Setting(0.1), 1), (Setting(1e30), 1)], **SETTINGS)
    assert not fell.diverged
    assert fell.loss_curve[-1] < fell.loss_curve[0]
    assert overflowed.diverged
    assert not np.isfinite(overflowed.loss_curve[-1])

    @rule(lr=0.1)
    def uphill(g: Any) -> Any:
        return -g

    (worse,) = trials.run(WINE, uphill, [(Setting(0.1), 1)], **SETTINGS)
    assert np.isfinite(worse.loss_curve).all()
    assert worse.diverged


def test_curves_begin_before_the_first_step_and_end_after_the_last() -> None:
    (trial,) = trials.run(WINE, rules["adam"], [(Setting(0.01), 7)], **SETTINGS)
    params = WINE.init([7])
    assert trial.loss_curve[0] == WINE.validate(params)[0][0]
    assert len(trial.loss_curve) == len(trial.score_curve) == len(trial.train_curve) == 13
    assert trial.test_loss is not None
    (unjudged,) = trials.run(WINE, rules["adam"], [(Setting(0.01), 7)], steps=12, batch_size=32, judge=False)
    assert unjudged.test_loss is unjudged.test_score is None
    assert unjudged.loss_curve == trial.loss_curve


def test_what_is_shipped_is_what_is_judged() -> None:
    from thalweg import average

    @recipe(lr=0.1)
    def lagging() -> Any:
        return chain(sgd(), average(0.999))

    (plain,), (behind,) = (trials.run(WINE, r, [(Setting(0.1), 1)], **SETTINGS) for r in (rules["sgd"], lagging))
    assert behind.train_curve[-1] == plain.train_curve[-1], "it walks where the other does"
    assert behind.loss_curve[-1] > 0.9 * behind.loss_curve[0], "and its average has hardly moved"
    assert plain.loss_curve[-1] < 0.9 * plain.loss_curve[0]


def test_a_method_that_asks_for_several_gradients_gets_them() -> None:
    def with_radius(rho: float) -> list[Trial]:
        @recipe(lr=0.1)
        def sharp() -> Any:
            return chain(sam(rho), sgd())

        return trials.run(WINE, sharp, [(Setting(0.1), 1), (Setting(0.3), 2)], **SETTINGS)

    plain = trials.run(WINE, rules["sgd"], [(Setting(0.1), 1), (Setting(0.3), 2)], **SETTINGS)
    for near, far, without in zip(with_radius(1e-6), with_radius(0.5), plain, strict=True):
        assert near.failure is None
        np.testing.assert_allclose(near.loss_curve, without.loss_curve, rtol=1e-4)
        assert abs(far.loss_curve[-1] - without.loss_curve[-1]) > 1e-3


@pytest.mark.parametrize("error", [ValueError("so\nit\nis"), SystemExit(3), SystemExit()])
def test_a_rule_that_raises_is_a_result_in_a_line(error: BaseException) -> None:
    @rule(lr=0.1)
    def raises(g: Any) -> Any:
        if type(g).__name__ != "Symbol":
            raise error
        return single(stack(g))  # with a vector for each coordinate no kernel stands in for the function

    (trial,) = trials.run(WINE, raises, [(Setting(0.1), 1)], **SETTINGS)
    assert trial.diverged
    assert trial.failure is not None
    assert trial.failure.startswith(type(error).__name__)
    assert "\n" not in trial.failure


def test_an_expensive_rule_is_given_fewer_lanes_at_once() -> None:
    digits = problems.problem("digits")
    sizes = {name: at_once(digits, rules[name], 500) for name in ("sgd", "adam", "learned")}
    assert sizes["sgd"] > sizes["adam"] > 12 > sizes["learned"] >= 1
    assert at_once(digits, rules["adam"], 10**9) == 1


def test_the_report_says_who_asks_for_more_than_one_gradient() -> None:
    @recipe(lr=0.1)
    def sharp() -> Any:
        """Sharp (Nobody 2026)."""
        return chain(sam(), sgd())

    taking_part = candidates([rules["sgd"], sharp, rules["lbfgs"]], dict.fromkeys(("sgd", "sharp", "lbfgs"), 2))
    notes = [_what(candidate, WINE, 2)["note"] for candidate in taking_part if candidate.compared]
    shipped = "not tuned: it runs its shipped setting"
    assert notes == [None, f"{shipped}; 2 gradients a step", f"{shipped}; as many gradients a step as it asks for"]


def test_each_lane_has_its_own_hyper_parameters_and_schedule() -> None:
    made = [
        (Setting(0.01, (("beta1", 0.5), ("eps", 1e-3)), "linear"), 1),
        (Setting(0.02, (("beta1", 0.95), ("eps", 1e-8)), "wsd"), 1),
    ]
    together = trials.run(WINE, rules["adam"], made, **SETTINGS)
    assert same(together, [trial for own in made for trial in trials.run(WINE, rules["adam"], [own], **SETTINGS)])
    assert [trial.setting for trial in together] == [setting for setting, _ in made]
    plain = trials.run(WINE, rules["adam"], [(Setting(0.01), 1)], **SETTINGS)
    assert together[0].loss_curve[-1] != plain[0].loss_curve[-1]
