"""Rules for matrices beside optax's: which axes are rows and columns."""

from __future__ import annotations

from typing import Any

import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

import thalweg.jax as tj  # noqa: E402

from .walks import apart, blocks, stream, told, tree, walk, walk_all  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("in_full")
@pytest.mark.parametrize("least", [1, 3, 4])
def test_adafactor_factors_the_two_longest_axes(least: int) -> None:
    params, gradients = blocks({"a": (5, 3, 4), "b": (2, 6, 3, 4), "c": (4, 4, 4), "d": (4, 2, 2)})
    ours, theirs = walk_all([library.adafactor(0.02, min_dim_size_to_factor=least) for library in (tj, optax)], params, gradients)
    assert apart(ours, theirs) < 1e-12


Numbers = optax.contrib.MuonDimensionNumbers
NUMBERS = {"a": Numbers((0, 2), 1), "b": Numbers(-1, -2), "c": None, "d": Numbers(0, 1)}


@pytest.mark.parametrize(
    "numbers", [NUMBERS, lambda tree: {name: NUMBERS[name] for name in tree}, Numbers(0, 1)], ids=["tree", "function", "one"]
)
@pytest.mark.parametrize("more", [{}, {"consistent_rms": 0.3, "weight_decay": 0.1, "nesterov": False}], ids=["plain", "options"])
def test_muon_takes_the_axes_it_is_told(numbers: Any, more: dict[str, Any]) -> None:
    shapes = {"a": (3, 4, 2), "b": (2, 5, 3), "c": (4,), "d": (3, 4)}
    if isinstance(numbers, Numbers):
        del shapes["c"]
    given = blocks(shapes)
    made = [library.contrib.muon(0.02, muon_weight_dimension_numbers=numbers, **more) for library in (tj, optax)]
    ours, theirs = walk_all(made, *given)
    assert apart(ours, theirs) < 1e-12
    memory = made[0].init(given[0]).memory
    assert {x.shape for x in jax.tree.leaves(memory)} == set(shapes.values())


def test_muons_dual_norm_is_of_each_matrix_where_optax_adds_up_their_tensor() -> None:
    """Bernstein & Newhouse 2024: a step is as long as the nuclear norm of the matrix that it is the step of."""
    params, gradients = blocks({"a": (3, 4, 2)})
    both = [library.contrib.muon(0.02, adaptive=True, muon_weight_dimension_numbers=Numbers(0, 1)) for library in (tj, optax)]
    ours, theirs = walk_all(both, params, gradients)
    alone = [walk(tj.contrib.muon(0.02, adaptive=True), params["a"][..., i], gradients["a"][..., i])[0] for i in range(2)]
    assert apart(ours["a"], jnp.stack(alone, -1)) < 1e-12
    assert apart(ours, theirs) > 1e-2


@pytest.mark.parametrize(
    "wrong", [{"ns_coeffs": "dijon"}, {"ns_coeffs": ((1.5, -0.5, 0.0),) * 6}, {"preconditioning": "aul"}], ids=told
)
def test_what_muon_does_not_know_optax_complains_of(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Unknown|Not enough"):
        walk(tj.contrib.muon(0.02, **wrong), tree(0), stream(2))
