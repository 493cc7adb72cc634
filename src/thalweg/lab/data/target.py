"""What is to be predicted: classes or values, from a column of a user's file."""

from __future__ import annotations

import numpy as np

from thalweg.lab.data.columns import Column, counted
from thalweg.lab.data.doubts import Complaints, Doubt
from thalweg.lab.data.parts import Array, split

CLASSES = 20
"""The most values of a target that is taken as classes without being asked to be."""
LEAST_OF_A_CLASS = 5
"""The fewest samples of a class that a 60/20/20 split can spread over all parts."""
RARE = 0.05
"""The largest share of rows that may be left out because their classes are too rare."""
SHOWN = 5
"""The most classes named in a message."""


def is_classification(name: str, y: Column, task: str | None, complaints: Complaints) -> bool:
    """Whether the task is classification. Complains if task and target contradict each other."""
    counts = np.unique(y.values, return_counts=True)[1]
    different = len(counts)
    if y.texts is not None:
        if task == "regression":
            complaints.errors.append(f"{name} holds text, and regression predicts numbers; leave --task out")
        elif task is None and different > CLASSES:
            complaints.errors.append(
                f"{name} holds text with {different:,} values; if they are classes, say --task classification"
            )
        return True
    if task == "classification" and different > CLASSES and not _whole(y.values):
        complaints.errors.append(f"{name} holds {different:,} numbers with fractions, which are no classes; leave --task out")
    rare = (counts < LEAST_OF_A_CLASS).sum()
    return task == "classification" or (task is None and different <= CLASSES and _whole(y.values) and rare <= different / 2)


def _whole(values: Array) -> bool:
    return values.dtype.kind != "f" or bool((values == np.round(values)).all())


def labels(name: str, y: Column, complaints: Complaints) -> tuple[Array, Array]:
    """Class numbers 0..k-1, and which rows have one: those of a few rare classes have none."""
    different, found, counts = np.unique(y.values, return_inverse=True, return_counts=True)
    words = [str(y.texts[place]) for place in different] if y.texts is not None else [str(value) for value in different.tolist()]
    if len(words) == 1:
        complaints.errors.append(f"{name} has only one value, {words[0]}; there are no classes to tell apart")
    rare = np.flatnonzero(counts < LEAST_OF_A_CLASS)
    kept = ~np.isin(found, rare)
    if not len(rare) or len(words) == 1:
        return found.astype(np.int64), np.ones(len(found), bool)
    some = [f"class {words[place]} of {name} has {counted(int(counts[place]))}" for place in rare[:SHOWN]]
    told = ", ".join(some) + (f" (and {len(rare) - SHOWN:,} more classes as few)" if len(rare) > SHOWN else "")
    what = f"{told}; to train, tune and judge on, each class needs at least {LEAST_OF_A_CLASS}"
    if (~kept).mean() <= RARE and len(words) - len(rare) > 1:
        complaints.doubts.append(Doubt(what, f"{counted(int((~kept).sum()))} left out"))
        return np.unique(found[kept], return_inverse=True)[1].astype(np.int64), kept
    complaints.errors.append(what + (" (or say --task regression)" if y.texts is None else ""))
    return found.astype(np.int64), np.ones(len(found), bool)


def values(name: str, y: Column, block: int, complaints: Complaints) -> Array:
    """Regression targets in float64."""
    found = y.values.astype(np.float64)
    for rows in split(np.zeros(len(found), np.intp), block):
        first = found[rows[0]]
        if (found[rows] == first).all():
            complaints.errors.append(
                f"{name} hardly varies; a part to train, tune or judge on would hold only the value {first:g}"
            )
            break
    return found
