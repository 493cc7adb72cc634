"""What does without a network: how well scikit-learn's gradient boosting and a constant guess do on the same data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.lab.comparing.contest import Contest
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.data.task import CLASSES
from thalweg.lab.trials.json_cache import json_cache

FILE = "baselines.json"
BOOSTING = "gradient boosting"
TREES, LEAST_TREES, FEATURES = 100, 10, 200_000
"""As many rounds of trees as scikit-learn's default, or fewer if they and the features of all classes are more than FEATURES."""
LEAF, LEAVES = 20, 20
"""As many samples in a leaf as scikit-learn's default, or fewer if that leaves no room for so many leaves."""


@dataclass(frozen=True)
class Baseline:
    """A model that is no network, and its test score: the mean over the blocks; None if it could not be fitted."""

    name: str
    about: str
    score: float | None


def baselines(blocks: Sequence[Contest], out: Path) -> list[Baseline]:
    """The baselines on a user's data, fitted once and cached in the folder `out`; none on other problems."""
    return _found(blocks, out, fit=True)


def kept_baselines(blocks: Sequence[Contest], out: Path) -> list[Baseline]:
    """What an earlier call found; nothing is fitted."""
    return _found(blocks, out, fit=False)


def _found(blocks: Sequence[Contest], out: Path, fit: bool) -> list[Baseline]:
    first = blocks[0].problem
    if blocks[0].settings.source.data is None or not isinstance(first, Supervised):
        return []
    found = []
    with json_cache(out / FILE, fits=_is_score) as known:
        for name, about in _names(first).items():
            scores = [known.get(_key(name, block)) for block in blocks]
            for i, block in enumerate(blocks):
                if fit and scores[i] is None and (score := _score(name, block)) is not None:
                    known[_key(name, block)] = scores[i] = score
            all_known = [score for score in scores if score is not None]
            found.append(Baseline(name, about, float(np.mean(all_known)) if len(all_known) == len(blocks) else None))
    return found


def _is_score(value: Any) -> bool:
    return type(value) is float and math.isfinite(value)


def _key(name: str, block: Contest) -> str:
    import sklearn

    return f"{name} on {block.problem.name} {block.problem.fingerprint} by scikit-learn {sklearn.__version__}"


def _names(problem: Supervised) -> dict[str, str]:
    """The baselines, with what they are."""
    guess = "the most frequent class" if problem.task == CLASSES else "the mean"
    return {
        BOOSTING: f"scikit-learn's HistGradientBoosting, not tuned: {_size(problem)}; fitted to the training samples",
        guess: f"always saying {guess} of the training samples",
    }


def _score(name: str, block: Contest) -> float | None:
    """The test score of a baseline in a block, whose data are loaded again if only described here."""
    problem = block.problem if isinstance(block.problem, Supervised) else block.settings.source.load_problem()
    assert isinstance(problem, Supervised)
    model = _boosting(problem) if name == BOOSTING else _guess(problem)
    train, test = problem.train_part, problem.test_part
    try:
        with threadpool_limits(1), np.errstate(all="ignore"):  # beside other work, its threads wait for each other
            score = float(model.fit(train.x, train.y.ravel()).score(test.x, test.y.ravel()))
    except (ValueError, MemoryError):  # it takes no features as large as some networks do
        return None
    return score if math.isfinite(score) else None


def _boosting(problem: Supervised) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    rounds, leaf = _rounds_and_leaf(problem)
    kind = HistGradientBoostingClassifier if problem.task == CLASSES else HistGradientBoostingRegressor
    return kind(max_iter=rounds, min_samples_leaf=leaf, random_state=0)


def _rounds_and_leaf(problem: Supervised) -> tuple[int, int]:
    """The number of rounds, and the least number of samples in a leaf."""
    samples, features = problem.train_part.x.shape
    classes = len(np.unique(problem.train_part.y)) if problem.task == CLASSES else 2
    rounds = FEATURES // (features * (classes if classes > 2 else 1))
    return min(TREES, max(LEAST_TREES, rounds)), min(LEAF, max(1, samples // LEAVES))


def _size(problem: Supervised) -> str:
    rounds, leaf = _rounds_and_leaf(problem)
    default = " (the defaults)" if (rounds, leaf) == (TREES, LEAF) else ""
    return f"{rounds} rounds of trees, leaves of at least {leaf} samples{default}"


def _guess(problem: Supervised) -> Any:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyClassifier() if problem.task == CLASSES else DummyRegressor()
