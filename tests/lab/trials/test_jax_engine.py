"""Trials in JAX are the trials that NumPy runs, to rounding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.mnist import HAS_MNIST
from thalweg import rules
from thalweg.lab import problems
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.protocol import protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.trials import lanes, trials
from thalweg.lab.trials.trials import Trial
from thalweg.lab.user import my_problem

pytestmark = pytest.mark.slow

pytest.importorskip("jax")

JAX = lanes.LaneEngine("jax", chunk=2)
ONE_CHUNK: dict[str, Any] = {"steps": 12, "batch_size": 32, "judge": True, "lanes": JAX}


NAMES = [name for name in problems.names() if HAS_MNIST or not name.startswith("mnist5k")]


class Doubled:
    """A problem that starts in float64, and so stays there: what is left of a difference is not rounding to float32."""

    def __init__(self, problem: Any) -> None:
        self.problem = problem

    def __getattr__(self, name: str) -> Any:
        return getattr(self.problem, name)

    def init(self, seeds: Sequence[int]) -> Any:
        start = self.problem.init(seeds)
        if isinstance(start, np.ndarray):
            return start.astype(np.float64)
        return {name: {key: leaf.astype(np.float64) for key, leaf in own.items()} for name, own in start.items()}


def curves(trial: Trial) -> list[list[float]]:
    return [trial.train_curve, trial.loss_curve, trial.score_curve, [trial.test_loss or 0.0, trial.test_score or 0.0]]


@pytest.mark.parametrize(
    ("problem", "rule", "schedule"),
    [
        ("wine", "adam", "constant"),
        ("wine", "muon", "constant"),
        ("diabetes", "eve", "cosine"),
        ("xor", "nesterov", "linear"),
        ("rastrigin", "rmsprop_graves", "constant"),
    ],
)
def test_both_engines_draw_the_same_curves(problem: str, rule: str, schedule: str) -> None:
    """Several lanes, one more than fit at once, and steps that the evaluations do not divide evenly."""
    doubled: Any = Doubled(problems.problem(problem))
    low, high = rules[rule].search or (1e-3, 1e-1)
    given = [(Setting(float(lr), (), schedule), seed) for lr, seed in zip(np.geomspace(low, high, 4)[:3], (5, 6, 6), strict=True)]
    settings: dict[str, Any] = {"steps": 60, "batch_size": doubled.batch_size and 32, "judge": True}
    ours = trials.run(doubled, rules[rule], given, **settings)
    theirs = trials.run(doubled, rules[rule], given, lanes=JAX, **settings)
    for a, b in zip(ours, theirs, strict=True):
        assert a.failure is b.failure is None
        assert a.diverged == b.diverged
        assert a.loss_curve[-1] != a.loss_curve[0]
        for mine, other in zip(curves(a), curves(b), strict=True):
            np.testing.assert_allclose(other, mine, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_has_a_form_in_jax(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its layers, its batches, its loss, its score, its instances: all as NumPy has them. A program runs four steps, then
    three.
    """
    monkeypatch.setattr(protocol, "EVALUATIONS", 2)
    problem: Any = problems.problem(name)
    doubled = Doubled(problem) if isinstance(problem, Supervised) else problem
    given = [(Setting(lr), seed) for lr, seed in ((1e-3, 5), (1e-2, 6), (3e-3, 6))]
    settings: dict[str, Any] = {"steps": 7, "batch_size": min(problem.batch_size, 16), "judge": True}
    ours, theirs = (trials.run(doubled, rules["adam"], given, **settings, **more) for more in ({}, {"lanes": JAX}))
    for a, b in zip(ours, theirs, strict=True):
        assert a.failure is b.failure is None
        assert len({*a.loss_curve}) == 3
        for mine, other in zip(curves(a), curves(b), strict=True):
            np.testing.assert_allclose(other, mine, rtol=1e-9, atol=1e-12)


def test_in_float32_they_differ_by_rounding() -> None:
    """Hyper-parameters are lanes too, and numbers such as 1 - beta are reckoned as exactly as on the host."""
    wine = problems.problem("wine")
    given = [(Setting(1e-2, (("beta1", beta), ("beta2", 0.9999)), "constant"), 3) for beta in (0.5, 0.9, 0.99)]
    settings: dict[str, Any] = {"steps": 15, "batch_size": 32, "judge": True}
    ours, theirs = (trials.run(wine, rules["adam"], given, **settings, **more) for more in ({}, {"lanes": JAX}))
    assert len({trial.loss_curve[-1] for trial in ours}) == 3
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(b.loss_curve, a.loss_curve, rtol=5e-6)


def test_a_lane_is_what_it_is_alone_beside_one_that_overflows() -> None:
    wine = problems.problem("wine")
    given = [(Setting(lr), seed) for lr, seed in ((1e30, 1), (0.1, 1), (0.01, 2), (1e30, 3), (0.1, 4))]
    together = trials.run(wine, rules["sgd"], given, **ONE_CHUNK)
    alone = [trial for one in given for trial in trials.run(wine, rules["sgd"], [one], **ONE_CHUNK)]
    assert [repr(trial.as_dict()) for trial in together] == [repr(trial.as_dict()) for trial in alone]
    assert [trial.diverged for trial in together] == [True, False, False, True, False]
    ours = trials.run(wine, rules["sgd"], given, **{**ONE_CHUNK, "lanes": lanes.NUMPY})
    for a, b in zip(ours, together, strict=True):
        assert len(a.loss_curve) == len(b.loss_curve)
        np.testing.assert_array_equal(np.isnan(a.loss_curve), np.isnan(b.loss_curve))
        # While a lane overflows, the order of a sum, which each machine's BLAS chooses, decides whether it is infinite or NaN.
        told = np.isfinite(a.loss_curve) | (np.arange(len(a.loss_curve)) > 1)
        np.testing.assert_allclose(
            np.array(b.score_curve)[told], np.array(a.score_curve)[told], atol=0.03, err_msg="also of a lane that is dead"
        )


def test_a_rule_that_raises_is_a_result() -> None:
    from thalweg import rule

    @rule(lr=0.1)
    def decides(g: Any) -> Any:
        return g if g.sum() > 0 else -g

    (trial,) = trials.run(problems.problem("wine"), decides, [(Setting(0.1), 1)], **ONE_CHUNK)
    assert trial.diverged
    assert trial.failure is not None


def test_numpy_runs_what_jax_cannot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from thalweg.lab.trials import chunk

    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path))
    timed: list[Any] = []
    monkeypatch.setattr(chunk, "fastest", lambda *given: timed.append(given) or 4)
    wine = problems.problem("wine")
    assert lanes.engine_for("numpy", wine, rules["adam"], 32) == lanes.NUMPY
    assert lanes.engine_for("jax", wine, rules["lbfgs"], 32) == lanes.NUMPY
    assert not timed
    found = [lanes.engine_for("jax", wine, rules[name], 32) for name in ("adam", "sgd")]
    assert found[0] == found[1]
    assert (found[0].name, found[0].chunk) == ("jax", 4)
    assert len(timed) == 1, "the number of lanes is timed once, then remembered: it is part of each trial's identity"


def test_jax_runs_all_problems_but_those_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lanes, "_chunk", lambda *given: 4)
    engines = {name: lanes.engine_for("jax", problems.problem(name), rules["adam"], 32).name for name in NAMES}
    assert set(engines.values()) == {"jax"}
    file = tmp_path / "mine.py"
    file.write_text(
        "import jax.numpy as jnp\ndef init(rng): return rng.normal(size=3)\ndef loss(params): return jnp.sum(params**2)\n"
    )
    assert lanes.engine_for("jax", my_problem.load(file), rules["adam"], 32) == lanes.NUMPY
