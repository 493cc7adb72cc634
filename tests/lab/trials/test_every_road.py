"""What a step must be handed is decided once: every rule gets it, whoever runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support import first

import thalweg as tw
from thalweg.commands.cli import main
from thalweg.core.compose import refuses_vectors
from thalweg.lab import problems
from thalweg.lab.comparing.forecast import step_seconds
from thalweg.lab.comparing.step_cost import step_costs
from thalweg.lab.data.problem import Problem
from thalweg.lab.data.surface import Surface
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.race.ground import instances
from thalweg.lab.race.trial import numbers
from thalweg.lab.race.walk import ends
from thalweg.lab.trials import lanes, trials
from thalweg.methods import rules
from thalweg.rule import Rule

STEPS = 2


@tw.rule(lr=0.1)
def told_all(g: Any, p: Any, loss: Any, noise: Any, curvature: Any, m: Any = 0.0) -> Any:
    """Of everything that can be asked for a little (none)."""
    m = m + curvature
    return g + 0.01 * noise + 0.1 * loss * p, m


@tw.recipe(lr=0.1)
def told_in_a_branch() -> Any:
    """What asks stands in a branch, behind another stage (none)."""
    return tw.chain(tw.clip(1.0), tw.choose((tw.is_matrix, tw.sophia()), otherwise=tw.eve().at(0.1)))


@tw.recipe(lr=0.1)
def told_every_other() -> Any:
    """What asks stands in every(n) (none)."""
    return tw.every(2, tw.chain(tw.clip(1.0), tw.eve()))


@tw.recipe(lr=0.1)
def sharp() -> Any:
    """What asks goes around the step (none)."""
    return tw.chain(tw.sam(), tw.sgd())


MINE: dict[str, Rule] = {rule.name: rule for rule in (told_all, told_in_a_branch, told_every_other, sharp)}
ASKING = [name for name, rule in rules.items() if rule().asks & {"loss", "noise", "curvature", "gnorm"}]
EVERYBODY = {**rules, **MINE}


def in_numpy(problem: Problem, rule: Rule, lanes: Any = lanes.NUMPY) -> None:
    given = [(Setting(rule.lr or 0.1), seed) for seed in (1, 2)]
    found = trials.run(problem, rule, given, steps=STEPS, batch_size=4, judge=True, lanes=lanes)
    assert [trial.failure for trial in found] == [None, None]


def in_jax(problem: Problem, rule: Rule) -> None:
    in_numpy(problem, rule, lanes.engine_for("jax", problem, rule, 4))


def timed(problem: Problem, rule: Rule) -> None:
    assert step_seconds(problem, rule, [0, 1], 4) > 0


def beside_sgd(problem: Problem, rule: Rule) -> None:
    assert step_costs(problem, [rule], rules["sgd"])[rule.name] is not None


def racing(problem: Problem, rule: Rule) -> None:
    if refuses_vectors(rule()):
        pytest.skip("it is for matrices, and a point on a surface is none")
    surface = problems.problem("rosenbrock")
    assert isinstance(surface, Surface)
    ground = instances(surface, numbers(0, 0, 2))
    final, _ = ends(ground, rule(), [1e-6] * 2, STEPS, ground.start, [0, 1])
    assert final.shape == (2,)


def in_scipy(problem: Problem, rule: Rule) -> None:
    if refuses_vectors(rule()):
        pytest.skip("it is for matrices, and SciPy knows vectors only")
    minimize = pytest.importorskip("scipy.optimize").minimize
    found = minimize(
        lambda x: x @ x, np.array([1.0, -2.0]), jac=lambda x: 2 * x, method=tw.Optimizer(rule), options={"maxiter": 2}
    )
    assert found.status in (0, 1), found.message


ROADS: tuple[Callable[[Problem, Rule], None], ...] = (in_numpy, timed, beside_sgd, racing, in_scipy)


@pytest.mark.parametrize("name", first([*ASKING, *MINE, "lbfgs", "nesterov"], 10))
def test_who_asks_for_more_than_a_gradient_gets_it_on_every_road(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.lab.comparing.forecast.SECONDS", 0.0)
    monkeypatch.setattr("thalweg.lab.comparing.step_cost.ROUNDS", 1)
    for road in ROADS:
        with np.errstate(all="ignore"):
            road(problems.problem("xor"), EVERYBODY[name])


@pytest.mark.slow
@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__)
@pytest.mark.parametrize("name", EVERYBODY)
def test_every_rule_goes_every_road(road: Callable[[Problem, Rule], None], name: str) -> None:
    with np.errstate(all="ignore"):
        road(problems.problem("xor"), EVERYBODY[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("sophia", marks=pytest.mark.slow), "eve"])
def test_lanes_in_jax_are_handed_the_same(name: str) -> None:
    pytest.importorskip("jax")
    in_jax(problems.problem("xor"), EVERYBODY[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERYBODY)
def test_every_rule_runs_as_lanes_of_jax(name: str) -> None:
    pytest.importorskip("jax")
    in_jax(problems.problem("xor"), EVERYBODY[name])


@pytest.mark.slow
def test_every_rule_runs_in_a_comparison(tmp_path: Path) -> None:
    told = ["compare", "--problem", "xor", "--rules", "all", "--budget", "1", "--seeds", "1", "--steps", "3"]
    done = CliRunner().invoke(main, [*told, "--jobs", "1", "--out", str(tmp_path)])
    assert done.exit_code == 0, repr(done.exception)
    assert "Failed" not in done.output


def test_rules_that_ask_for_the_curvature_or_the_loss_run_in_a_comparison(tmp_path: Path) -> None:
    told = ["compare", "--problem", "xor", "--rules", "sophia,eve,sgd", "--budget", "1", "--seeds", "1", "--steps", "3"]
    done = CliRunner().invoke(main, [*told, "--jobs", "1", "--out", str(tmp_path)])
    assert done.exit_code == 0, repr(done.exception)
    assert "Failed" not in done.output
