"""What was once known by a name is declared: a data set's size, an interval, the least loss, a burn-in, the point to ship."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from thalweg.form.hyper import Role
from thalweg.lab.race.run import configured as raced
from thalweg.lab.trials.configured import configured
from thalweg.rule import after_step, rule


@rule(lr=0.1)
def told(g, *, examples: tw.DataSize = 1.0, optimum: tw.LeastLoss = 0.0, early: tw.BurnIn = 10, k: tw.Positive = 0.5):
    return g * (examples + optimum + early + k)


@rule(lr=0.1)
def looking(g, curvature, *, every: tw.Interval = 3):
    return g / (1 + abs(curvature)) * every


@after_step
def mean(z, t, x0=tw.like_p, centre=tw.shipped(tw.like_p)):
    return z, x0, centre + (z - centre) / t


def test_a_role_is_found_by_the_declaration_whatever_it_is_called() -> None:
    problem: Any = SimpleNamespace(train_size=64, init=lambda seeds: {"w": np.ones((1, 3))})
    stage: Any = configured(told, problem)
    assert stage.config["examples"] == 64.0
    stage, said = raced(told, SimpleNamespace(lowest=-3.5), 100)  # type: ignore[arg-type]
    assert stage.config["optimum"] == -3.5
    assert "told the minimum" in said
    assert told().value_of(Role.BURN_IN, None) == 10
    assert told().value_of(Role.INTERVAL, None) is None


def test_eves_k_is_no_interval() -> None:
    assert tw.rules["eve"].hyper["k"].role is None
    assert tw.sophia().value_of(Role.INTERVAL, None) == 10


def test_the_curvature_is_looked_at_as_often_as_is_declared() -> None:
    asked = []

    def loss(p: Any) -> Any:
        asked.append(1)
        return 0.5 * float((p["w"] ** 2).sum()), {"w": p["w"].copy()}

    optimizer = tw.Optimizer(looking(), 0.1)
    p = {"w": np.ones(3)}
    state = optimizer.init(p)
    counts = []
    for _ in range(7):
        before = len(asked)
        p, state = optimizer.step(p, {"w": p["w"].copy()}, state, grad_fn=loss)
        counts.append(len(asked) - before)
    assert [count > 0 for count in counts] == [True, False, False, True, False, False, True]


def test_the_shipped_slot_is_the_declared_one() -> None:
    stage = tw.chain(tw.sgd(), mean())
    optimizer, p = tw.Optimizer(stage, 0.1), {"w": np.ones(2)}
    state = optimizer.init(p)
    walked = []
    for _ in range(3):
        p, state = optimizer.step(p, {"w": np.ones(2)}, state)
        walked.append(p["w"])
    np.testing.assert_allclose(optimizer.ship(p, state)["w"], np.mean(walked, axis=0))
    q = np.ones(2)
    inplace = tn.Optimizer(q, stage, 0.1)
    for _ in range(3):
        inplace.step(np.ones(2))
    np.testing.assert_allclose(inplace.ship(), np.mean(walked, axis=0))


def test_torchs_eval_shows_it() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    p = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimizer = tt.Optimizer([p], tw.chain(tw.sgd(), mean()), lr=0.1)
    walked = []
    for _ in range(3):
        p.grad = torch.ones_like(p)
        optimizer.step()
        walked.append(p.detach().clone())
    optimizer.eval()
    torch.testing.assert_close(p.detach(), torch.stack(walked).mean(0))


def test_an_earlier_releases_names_are_taken_with_a_warning() -> None:
    with pytest.warns(
        DeprecationWarning, match=r"old: 'N' is taken for the size of the data set by its name; write `N: DataSize"
    ):

        @rule
        def old(g, *, N: tw.Positive = 1.0):
            return N * g

    assert old().value_of(Role.DATA_SIZE, None) == 1.0
    with pytest.warns(DeprecationWarning, match="write `k: Interval"):

        @rule
        def older(g, curvature, *, k: tw.Count = 4):
            return g / (k + abs(curvature))

    assert older().value_of(Role.INTERVAL, None) == 4
    with pytest.warns(DeprecationWarning, match=r"write `x=shipped\(...\)`"):

        @after_step
        def oldest(z, t, x=tw.like_p):
            return z, x + (z - x) / t

    assert oldest().declaration.shipped == "x"
