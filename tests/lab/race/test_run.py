"""The race itself: who starts where, at which learning rate, and how it is said to have ended."""

from dataclasses import replace

import numpy as np
import pytest
from support import OF_MATRICES

import thalweg as tw
from thalweg.lab.race.captions import outcome, rate
from thalweg.lab.race.run import OwnRules, Race, Walk, configured, race
from thalweg.lab.race.trial import NEAR
from thalweg.lab.race.walk import walk

from .surfaces import surface

QUARTIC = surface("quartic")


def by_hand(lr: float, steps: int, mu: float = 0.0) -> list[float]:
    """Gradient descent with momentum on the sources' curve, written out."""
    x, v, found = -3.0, 0.0, [-3.0]
    for _ in range(steps):
        if abs(x) < 1e50:  # far out, powers of a Python float raise
            v = mu * v + 4 * x**3 - 2 * x**2 - 17 * x - 7.5
            x -= lr * v
        found.append(x)
    return found


@pytest.mark.slow
def test_every_optimizer_runs_from_the_same_start() -> None:
    names = [name for name in tw.rules if name not in OF_MATRICES]
    found = race(QUARTIC, names, steps=20, start=QUARTIC.start)
    assert {w.name for w in found.walks} == set(names)
    for w in found.walks:
        assert w.points.shape == (21, 1)
        assert w.values.shape == (21,)
        assert w.points[0] == -3
        assert w.values[0] == pytest.approx(45)
        # The first two learn the gradient's size; slow weights; not rectified yet.
        rests = {"adopt": 1, "adashift": 10, "ranger": 5, "ranger21": 4, "schedule_free_radam": 4}.get(w.name, 0)
        assert all(np.array_equal(w.points[k], w.points[k + 1]) for k in range(rests))
        assert not np.array_equal(w.points[rests], w.points[rests + 1])
    order = [(-w.success.hits, round(float(w.values[-1]), 6)) for w in found.walks if w.success is not None]
    assert order == sorted(order)
    assert len(order) == len(names)


@pytest.mark.parametrize(("rule", "mu"), [("sgd", 0.0), ("momentum", 0.9)])
def test_lanes_walk_as_single_runs_do(rule: str, mu: float) -> None:
    rates = [1e-3, 0.01, 0.024]
    points, values = walk(QUARTIC, tw.rules[rule](), rates, 30, QUARTIC.start, [0, 0, 0])
    for lane, lr in enumerate(rates):
        np.testing.assert_allclose(points[lane, :, 0], by_hand(lr, 30, mu), rtol=1e-9)
    np.testing.assert_allclose(values, QUARTIC.value(points))


def test_nobody_is_told_where_the_minimum_is() -> None:
    elsewhere = replace(QUARTIC, minima=np.array([[-7.0]]), lowest=-1e6)
    for name in ("sgd", "adam", "santa_e"):
        rates = [race(ground, [name], steps=40, start=QUARTIC.start).walks[0].lr for ground in (QUARTIC, elsewhere)]
        assert rates[0] == rates[1]


def test_what_a_race_sets_beside_the_rate_is_said() -> None:
    walks = {w.name: w for w in race(QUARTIC, ["eve", "santa_sss", "learned", "sgd"], steps=10, start=QUARTIC.start).walks}
    assert "f* = -43.2292" in walks["eve"].note
    stage, _ = configured(tw.rules["eve"], QUARTIC, 10)
    np.testing.assert_array_equal(walks["eve"].points, walk(QUARTIC, stage, [walks["eve"].lr], 10, QUARTIC.start, [0])[0][0])
    assert stage.functions[0].config["fstar"] == QUARTIC.lowest
    assert "explores for 5 steps" in walks["santa_sss"].note
    assert "as shipped" in walks["learned"].note
    assert (walks["learned"].lr, walks["learned"].search) == (tw.rules["learned"].lr, None)
    assert (walks["sgd"].note, walks["sgd"].search) == ("", tw.rules["sgd"].search)


def test_other_ways_to_the_learning_rate() -> None:
    default = race(QUARTIC, ["adam", "sgd"], steps=3, start=QUARTIC.start, lr="default")
    assert {w.name: w.lr for w in default.walks} == {"adam": 1e-3, "sgd": 1e-2}
    same = race(QUARTIC, ["adam", "sgd", "learned"], steps=3, start=QUARTIC.start, lr=0.4)
    assert {w.name: w.lr for w in same.walks} == {"adam": 0.4, "sgd": 0.4, "learned": 1.0}


def test_divergence_is_a_result() -> None:
    found = race(QUARTIC, ["sgd", "adam"], steps=50, start=QUARTIC.start, lr=1.0)
    best, worst = found.walks
    assert (best.name, worst.name) == ("adam", "sgd")
    assert worst.blown is not None
    assert np.isfinite(worst.values[: worst.blown]).all()
    assert not np.isfinite(worst.values[worst.blown])
    assert outcome(found, worst) == f"diverged at step {worst.blown}"
    assert found.near(worst) is None
    assert best.blown is None


def test_seeds_matter_to_those_who_draw_alone() -> None:
    first, second, again = (
        {w.name: w.points for w in race(QUARTIC, ["santa_e", "adam"], steps=30, start=QUARTIC.start, lr="default", seed=s).walks}
        for s in (0, 1, 0)
    )
    assert not np.array_equal(first["santa_e"], second["santa_e"])
    np.testing.assert_array_equal(first["santa_e"], again["santa_e"])
    np.testing.assert_array_equal(first["adam"], second["adam"])


def test_near_means_near_to_the_end() -> None:
    gaps = np.array([1.0, NEAR / 2, 0.5, NEAR / 2, NEAR / 3, NEAR])
    made = Walk("sgd", 0.1, np.zeros((6, 1)), gaps + QUARTIC.lowest)
    found = Race(QUARTIC, 5, QUARTIC.start, "tuned", 0, (made,))
    assert found.near(made) == 3
    assert found.near(replace(made, values=gaps[::-1] * 10 + QUARTIC.lowest)) is None
    assert found.near(replace(made, values=np.full(6, np.nan))) is None


def test_distances_are_to_the_nearest_of_several_minima() -> None:
    saddle = surface("saddle")
    made = Walk("sgd", 0.1, np.array([[0.0, 1.0], [0.0, -2.0], [3.0, np.sqrt(2)]]), np.zeros(3))
    found = Race(saddle, 2, saddle.start, "tuned", 0, (made,))
    np.testing.assert_allclose(found.distances(made), [np.sqrt(2) - 1, 2 - np.sqrt(2), 3])


def test_the_ends_of_the_range_are_pointed_out() -> None:
    low, high = tw.rules["sgd"].search or (0, 0)
    walks = [Walk("sgd", lr, np.zeros((2, 1)), np.zeros(2), search=(low, high)) for lr in (low, 0.1, high)]
    assert [w.at_edge for w in walks] == ["low", None, "high"]
    assert [rate(w) for w in walks] == ["0.001↓", "0.1", "10↑"]
    assert Walk("sgd", low, np.zeros((2, 1)), np.zeros(2)).at_edge is None  # not tuned


def test_a_rule_of_ones_own_that_raises_has_its_row() -> None:
    @tw.rule(lr=0.1, search=(1e-3, 1.0))
    def own(g):  # type: ignore[no-untyped-def]
        """Descent."""
        return g

    @tw.rule(lr=0.1, search=(1e-3, 1.0))
    def broken(g):  # type: ignore[no-untyped-def]
        """Nothing."""
        raise SystemExit("no more\nof this")

    mine = {"own": own, "broken": broken}
    found = race(QUARTIC, ["sgd", *mine], steps=10, start=QUARTIC.start, lr=0.01, own=OwnRules(mine))
    walks = {w.name: w for w in found.walks}
    np.testing.assert_array_equal(walks["own"].points, walks["sgd"].points)
    assert walks["own"].success == walks["sgd"].success
    assert found.walks[-1] is walks["broken"]
    assert (walks["broken"].success, walks["broken"].blown) == (None, 1)
    assert outcome(found, walks["broken"]) == "failed: SystemExit: no more"
    with pytest.raises(KeyError):
        race(QUARTIC, ["own"], steps=1, start=QUARTIC.start)


def test_from_the_very_ridge_of_the_saddle_nobody_comes_down() -> None:
    saddle = surface("saddle")
    found = race(saddle, ["sgd", "momentum", "rmsprop", "adam"], steps=60, start=np.array([1.5, 0.0]))
    for w in found.walks:
        assert (w.points[:, 1] == 0).all()
        assert w.values[-1] == pytest.approx(0, abs=1e-2)
    beside = race(saddle, ["sgd", "adam"], steps=60, start=saddle.start)
    assert all(w.values[-1] < -0.99 for w in beside.walks)
