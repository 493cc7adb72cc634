"""The summing passes of several launches, one after another: sums over each tensor and over the model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.engines.launch import Launch
from thalweg.engines.passes.adding import Adding
from thalweg.graph.passes import Sum
from thalweg.graph.program import NotTraced
from thalweg.values.norms import SCALES
from thalweg.values.scalars import Scalar
from thalweg.values.trees import Vector

Floats = npt.NDArray[Any]


def agree(launches: Iterable[Sequence[Sequence[Sum]]]) -> None:
    """Raise NotTraced if a sum over the model belongs to different passes in different launches.

    launches: what each pass but the last adds up.
    """
    places: dict[str, int] = {}
    for passes in launches:
        for k, sums in enumerate(passes):
            if any(each.over and places.setdefault(each.over, k) != k for each in sums):
                raise NotTraced("a sum over the model that some tensors come to in an earlier pass than others")


def norms(launches: Sequence[Launch], gradients: Sequence[Sequence[Any]], *, lanes: bool) -> dict[Any, Any]:
    """Return the norm over all arriving gradients for each stage that asks for it. gradients: of each launch."""
    arriving: dict[Any, list[int]] = {}
    for k, launch in enumerate(launches):
        for path in launch.program.norms.values():
            arriving.setdefault(path, []).append(k)
    found: dict[Any, Any] = {}
    for path, own in arriving.items():
        squares = math.nan if lanes else sum(launches[k].squares() for k in own)
        if SCALES["float64"][0] <= squares < math.inf:
            found[path] = math.sqrt(squares)
        else:
            exact = Vector([g for k in own for g in gradients[k] if g is not None], lanes).norm_of_all()
            # it may be 0, and Python's own numbers raise on division by 0
            found[path] = exact if isinstance(exact, Scalar) else Scalar(np.float64(exact))
    return found


def add_up(launches: Sequence[Launch]) -> None:
    """Run all passes but the last, the k-th of each launch before the next, and give what they find to the later passes."""
    for k in range(max(len(launch.adding) for launch in launches)):
        of_model: dict[str, list[tuple[Launch, int]]] = {}
        for launch in launches:
            if k < len(launch.adding):
                launch.reduce(k)
                if (adding := launch.adding[k]) is not None:
                    _add_up(launch, adding, of_model)
        values = {over: _of_model(parts, k) for over, parts in of_model.items()}
        for launch in launches if values else ():
            adding = launch.adding[k] if k < len(launch.adding) else None
            if adding is not None:
                launch.take({each.name: _number(values[each.over], launch) for each in adding.sums if each.over})


def _add_up(launch: Launch, adding: Adding, of_model: dict[str, list[tuple[Launch, int]]]) -> None:
    """Run a summing pass; note the sums over the model, and give those over each tensor to later passes."""
    found = launch.added(adding)
    own = {}
    for r, each in enumerate(adding.sums):
        if each.over:
            of_model.setdefault(each.over, []).append((launch, r))
        elif each.is_norm:
            own[each.name] = _norms(adding, r, found[..., r].copy())
        else:
            own[each.name] = found[..., r].astype(adding.computed)
    if own:
        launch.take(own)


def _adding(launch: Launch, k: int) -> Adding:
    """Return the sums of a pass that has some."""
    adding = launch.adding[k]
    assert adding is not None
    return adding


def _norms(adding: Adding, r: int, squares: Floats) -> Floats:
    """Return the norm of each tensor."""
    if adding.computed == "float64":
        least, up, down = SCALES["float64"]
        if not np.all((squares >= least) & (squares < np.inf)):
            scale = np.where(squares < least, up, np.where(squares < np.inf, 1.0, down))
            return np.sqrt(adding.again(r, scale)) / scale
    return np.sqrt(squares).astype(adding.computed)


def _of_model(parts: list[tuple[Launch, int]], k: int) -> Any:
    """Return one sum or norm over all tensors of these launches, in the tensors' order."""
    launch, r = parts[0]
    adding = _adding(launch, k)
    value = _together(parts, k)
    if adding.sums[r].is_norm:
        least, up, down = SCALES["float64"]
        scale: Any = 1.0
        if not np.all((value >= least) & (value < np.inf)):
            scale = np.where(value < least, up, np.where(value < np.inf, 1.0, down))
            for own, place in ((_adding(each, k), place) for each, place in parts):
                if own.computed == "float64":
                    own.full[..., place] = own.again(place, scale[..., None])
                else:  # float64 holds the squares of any float32
                    own.full[..., place] *= scale[..., None]
                    own.full[..., place] *= scale[..., None]
            value = _together(parts, k)
        value = np.sqrt(value) / scale
    return value


def _number(value: Any, launch: Launch) -> Any:
    """Return a sum over the model in the form that a launch's numbers have."""
    return np.float64(value) if launch.plain else Scalar(np.asarray(value, np.float64))


def _together(parts: list[tuple[Launch, int]], k: int) -> Any:
    """Add the sums of tensors one after another, in their own dtype."""
    if len(parts) == 1:
        launch, r = parts[0]
        adding = _adding(launch, k)
        values = adding.full[..., launch.present, r]
        if r in adding.totals:
            values = values.astype(adding.computed)
        return np.cumsum(values, axis=-1)[..., -1] if values.shape[-1] else np.zeros(values.shape[:-1])
    total: Any = 0.0
    owners = [(launch.order[j], launch, j, r) for launch, r in parts for j in launch.present]
    for _, launch, j, r in sorted(owners, key=lambda owner: owner[0]):
        adding = _adding(launch, k)
        value = adding.full[..., j, r]
        total = total + (value if r in adding.norms else value.astype(adding.computed))
    return total
