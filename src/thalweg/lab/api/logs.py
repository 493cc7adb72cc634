"""Logs of a comparison for TensorBoard and MLflow, written by their own libraries."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.lab.refusal import Refusal
from thalweg.lab.report.figures.curves import quartiles
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.running.guard import in_a_line

PACKAGES = {"tensorboard": "tensorboard", "mlflow": "mlflow"}
"""The logs, and the packages that write them."""
AT_ONCE = 500
"""Numbers in a call of MLflow, which takes at most 1,000."""


class Point(NamedTuple):
    """A number of a log: its name, the step, and the value."""

    name: str
    step: int
    value: float


def check(names: list[str]) -> None:
    """Raises Refusal where a log's package is not installed."""
    for name in names:
        if importlib.util.find_spec(PACKAGES[name]) is None:
            raise Refusal(f"{PACKAGES[name]} is not installed; write pip install 'thalweg[{name}]', or leave --log out")


def write(names: list[str], problems: list[Results], out: Path) -> list[str]:
    """Write the logs. Returns a line on each, which says where it is. Raises Refusal where a library fails."""
    told = []
    for name in names:
        try:
            told.append(_tensorboard(problems, out / "tensorboard") if name == "tensorboard" else _mlflow(problems))
        except Exception as error:  # a server that is not there, a full disk: whatever their libraries raise
            raise Refusal(f"the report is written, but {name} could not log it: {in_a_line(error)}") from error
    return told


def points(results: Results, row: Row) -> Iterator[Point]:
    """The numbers of an optimizer: medians of the judged runs along the curves, and at the last step the test score."""
    at = results["evaluated_at"]
    curves: Any = {"validation/score": "score_curve"}
    if "training" not in results:  # of a user's own loop the score alone is known
        curves = {"training/loss": "train_curve", "validation/loss": "loss_curve", **curves}
    for name, curve in curves.items():
        for step, value in zip(at, quartiles(row, len(at), curve)[1].tolist(), strict=True):
            if np.isfinite(value):
                yield Point(name, step, value)
    for name, last in (("test/score", row["score"]["mean"]), ("test/untuned score", row["untuned"]["score"]["mean"])):
        if last is not None:
            yield Point(name, at[-1], last)


def setting(row: Row) -> dict[str, Any]:
    """The setting that was judged."""
    return {"optimizer": row["name"], "lr": row["best_lr"], "schedule": row["best_schedule"], **row["best_hyper"]}


def _tensorboard(problems: list[Results], folder: Path) -> str:
    """A run for each optimizer, in place of those that an earlier call wrote."""
    from tensorboard.summary import Writer

    shutil.rmtree(folder, ignore_errors=True)
    for results in problems:
        for row in results["rules"]:
            place = folder / results["problem"]["name"] / _plain(row["name"])
            writer = Writer(str(place))
            for point in points(results, row):
                writer.add_scalar(point.name, point.value, point.step)
            writer.close()
    return f"TensorBoard   tensorboard --logdir {folder}"


def _mlflow(problems: list[Results]) -> str:
    """An experiment for each problem, in which each call makes a run for each optimizer."""
    import mlflow
    from mlflow.entities import Metric, Param

    client, now = mlflow.MlflowClient(), int(1000 * time.time())
    for results in problems:
        experiment = f"thalweg {results['problem']['name']}"
        known = client.get_experiment_by_name(experiment)
        key = client.create_experiment(experiment) if known is None else known.experiment_id
        for row in results["rules"]:
            tags = {"thalweg": results["version"], "command": results["command"], "verdict": row["verdict"]["sentence"]}
            run = client.create_run(key, run_name=row["name"], tags=tags).info.run_id
            client.log_batch(run, params=[Param(name, str(value)) for name, value in setting(row).items()])
            found = [Metric(point.name, point.value, now, point.step) for point in points(results, row)]
            for start in range(0, len(found), AT_ONCE):
                client.log_batch(run, metrics=found[start : start + AT_ONCE])
            client.set_terminated(run)
    return f"MLflow   {mlflow.get_tracking_uri()}"


def _plain(name: str) -> str:
    """A name for a folder."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".") or "rule"
