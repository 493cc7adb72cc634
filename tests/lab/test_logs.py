"""Logs for TensorBoard and MLflow, read back by their own libraries where these are installed."""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.report.fake_results import fake
from thalweg import lab
from thalweg.lab.api import logs
from thalweg.lab.refusal import Refusal

SMALL: dict[str, Any] = {"problem": "xor", "rules": ["sgd", "adam"], "budget": 2, "seeds": 3, "steps": 20, "jobs": 1}
LIMIT = 1e-6
"""TensorBoard keeps float32."""


def finished(rules: int = 2) -> Any:
    results = fake(rules=rules, seeds=3)
    results["rules"][0]["best_hyper"] = {"beta1": 0.8}
    return results


def test_the_points_are_the_medians_and_the_test_score() -> None:
    results = finished()
    row = results["rules"][0]
    found = list(logs.points(results, row))
    runs = np.array([run["loss_curve"] for run in row["judging"]], float)
    told = {point.step: point.value for point in found if point.name == "validation/loss"}
    assert list(told) == results["evaluated_at"]
    np.testing.assert_allclose(list(told.values()), np.median(runs, axis=0))
    assert found[-2] == ("test/score", results["evaluated_at"][-1], row["score"]["mean"])
    assert {point.name for point in found} >= {"training/loss", "validation/score"}
    results["training"] = {}
    names = {point.name for point in logs.points(results, row)}
    assert names == {"validation/score", "test/score", "test/untuned score"}


def test_what_is_not_finite_is_left_out() -> None:
    results = finished()
    for run in results["rules"][0]["judging"]:
        run["loss_curve"] = [1.0, *[None] * (len(results["evaluated_at"]) - 1)]
    results["rules"][0]["score"]["mean"] = None
    found = list(logs.points(results, results["rules"][0]))
    assert [point.step for point in found if point.name == "validation/loss"] == [0]
    assert all(math.isfinite(point.value) for point in found)
    assert "test/score" not in {point.name for point in found}


def test_what_is_missing_is_named_before_the_first_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
    with pytest.raises(Refusal, match=r"mlflow is not installed; write pip install 'thalweg\[mlflow\]', or leave log out"):
        lab.compare(**SMALL, log="mlflow", out=tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Refusal, match="no log is called 'wandb'; there are tensorboard, mlflow"):
        lab.compare(**SMALL, log=["wandb"], out=tmp_path)


def test_a_library_that_fails_costs_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> str:
        raise ConnectionError("no server there")

    monkeypatch.setattr(logs, "check", lambda names: None)
    monkeypatch.setattr(logs, "_mlflow", broken)
    with pytest.raises(Refusal, match="the report is written, but mlflow could not log it: ConnectionError: no server there"):
        lab.compare(**SMALL, log="mlflow", out=tmp_path)
    assert (tmp_path / "report.html").is_file()


def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    told: list[str] = []
    found = lab.compare(**SMALL, log="tensorboard", out=tmp_path, progress=lambda event: told.append(str(event)))
    assert any(f"tensorboard --logdir {tmp_path / 'tensorboard'}" in line for line in told)
    for _ in range(2):  # the same call writes the same runs again, not twice
        for row in found.problems[0]["rules"]:
            read = EventAccumulator(str(tmp_path / "tensorboard" / "xor" / row["name"]), {"tensors": 0}).Reload()
            wanted: dict[str, list[tuple[int, float]]] = {}
            for point in logs.points(found.problems[0], row):
                wanted.setdefault(point.name, []).append((point.step, point.value))
            assert set(read.Tags()["tensors"]) == set(wanted)
            for name, points in wanted.items():
                seen = [(event.step, make_ndarray(event.tensor_proto).item()) for event in read.Tensors(name)]
                np.testing.assert_allclose(seen, points, rtol=LIMIT)
        lab.compare(**SMALL, log="tensorboard", out=tmp_path)


def test_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # skinny has no database
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    results = finished(3)
    (line,) = logs.write(["mlflow"], [results], tmp_path)
    assert re.match(r"MLflow   file:", line)
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(f"thalweg {results['problem']['name']}")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {row["name"] for row in results["rules"]}
    for row in results["rules"]:
        run = runs[row["name"]]
        assert run.info.status == "FINISHED"
        assert run.data.params == {name: str(value) for name, value in logs.setting(row).items()}
        points = [point for point in logs.points(results, row) if point.name == "validation/loss"]
        seen = client.get_metric_history(run.info.run_id, "validation/loss")
        assert [(metric.step, metric.value) for metric in seen] == [(point.step, point.value) for point in points]
