"""All problems of the lab that can run here, by kind."""

from __future__ import annotations

from typing import Any

import pytest

from lab.mnist import HAS_MNIST
from thalweg.lab import problems
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.data.surface import Surface
from thalweg.values.trees import flatten

ALL = {name: problems.problem(name) for name in problems.names() if HAS_MNIST or not name.startswith("mnist5k")}
SURFACES = [p for p in ALL.values() if isinstance(p, Surface)]
NETWORKS = [p for p in ALL.values() if isinstance(p, Supervised)]
DATA = [p for p in NETWORKS if p.name != "xor"]
PLAIN = [p for p in NETWORKS if p.name in ("breast_cancer", "diabetes", "digits", "wine", "xor")]
"""One hidden layer, standardised inputs."""
SEEDS = [5, 3, 8]
each_problem = pytest.mark.parametrize("problem", ALL.values(), ids=ALL.keys())
each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.name)
each_network = pytest.mark.parametrize("problem", NETWORKS, ids=lambda p: p.name)
each_plain = pytest.mark.parametrize("problem", PLAIN, ids=lambda p: p.name)
each_data = pytest.mark.parametrize("problem", DATA, ids=lambda p: p.name)


def leaves(tree: Any) -> list[Any]:
    return flatten(tree)[1]


def lane(tree: Any, i: int) -> Any:
    """Lane i alone, still as a lane."""
    if isinstance(tree, dict):
        return {key: lane(value, i) for key, value in tree.items()}
    return tree[i : i + 1]


def descended(params: Any, grads: Any, lr: float = 1e-3) -> Any:
    if isinstance(params, dict):
        return {key: descended(params[key], grads[key], lr) for key in params}
    return params - params.dtype.type(lr) * grads
