"""Training functions of the tests: small loops in NumPy, in a file or in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.training.run import Run

BOWL = '''"""A bowl."""
import numpy as np
TARGET = 1.0


def start(rng):
    return {"w": rng.normal(size=(3, 2)), "b": rng.normal(size=3)}


def score(params):
    return -float(sum(((x - TARGET) ** 2).sum() for x in params.values()))


def train(trial):
    """Roll down."""
    rng = np.random.default_rng(trial.seed)
    params = start(rng)
    optimizer = trial.optimizer(params)
    schedule = trial.scheduler(optimizer)
    for step in range(8):
        optimizer.step({name: x - TARGET + 0.1 * rng.normal(size=x.shape) for name, x in params.items()})
        schedule.step()
        if step % 2 == 0:
            trial.report(step, validation=score(params))
    return {"validation": score(params), "test": score(params)}
'''


def written(folder: Path, text: str = BOWL, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def bowl(trial: Run) -> dict[str, float]:
    """Roll down."""
    rng = np.random.default_rng(trial.seed)
    x = rng.normal(size=(2, 2))
    optimizer = trial.optimizer(x)
    for step in range(8):
        optimizer.step(x + 0.1 * rng.normal(size=x.shape))
        trial.report(step, validation=-float((x**2).sum()))
    return {"validation": -float((x**2).sum()), "test": -float((x**2).sum())}


def here(train: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, so that it stays in this process: it holds a lock, which cannot be pickled."""
    lock = threading.Lock()

    def held(trial: Any) -> Any:
        with lock:
            return train(trial)

    return held


def described(train: Callable[[Any], Any] | None = None, better: str = "higher") -> TrainingFunction:
    return TrainingFunction("mine", "A loop.", "f", better, function=train)
