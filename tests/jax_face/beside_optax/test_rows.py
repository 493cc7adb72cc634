"""optax's functions, their update our rule's: as optax has it, or as the paper has it where optax is another."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

import thalweg.jax as tj  # noqa: E402
from thalweg.dialects import OPTAX  # noqa: E402

from .rows import (  # noqa: E402
    APART,
    OF_ONE_TENSOR,
    OPTIONS,
    PAPERS,
    SOPHIAS,
    UNSCHEDULED,
    as_it_says,
    falling,
)
from .walks import STEPS, apart, losses, named, stream, told, tree, walk_all  # noqa: E402

pytestmark = pytest.mark.slow


@as_it_says
@pytest.mark.usefixtures("in_full")
@pytest.mark.parametrize(("name", "options"), [row for row in OPTIONS if row[0] not in APART], ids=told)
def test_as_optaxs_own(name: str, options: dict[str, Any]) -> None:
    """With a number for the learning rate and with a schedule, 200 steps each, all in one program."""
    rates = [{"learning_rate": rate} for rate in ((0.02,) if name in UNSCHEDULED else (0.02, falling))]
    ends = []
    for library in (tj, optax):
        for rate in [{}] if name == "polyak_sgd" else rates:
            tx = named(library, name)(**rate, **options)
            assert isinstance(tx, tj.Transformation) == (library is tj)
            ends.append(tx)
    given = tree(0), stream()
    if name == "sm3":  # optax has no memory for a tensor without axes
        given = {"w": given[0]["w"]}, {"w": given[1]["w"]}
    found = walk_all(ends, *given)
    half = len(found) // 2
    for ours, theirs in zip(found[:half], found[half:], strict=True):
        assert apart(ours, theirs) < 1e-12


@pytest.mark.parametrize(("name", "options", "oracle", "papers"), PAPERS, ids=told)
def test_as_the_paper_where_optax_is_not(name: str, options: dict[str, Any], oracle: Any, papers: dict[str, Any]) -> None:
    given = {"learning_rate": 0.02, **options}
    gradients = jax.tree.map(lambda g: jnp.where(g == 0, 1.0, g), stream())
    ours, theirs = walk_all([named(tj, name)(**given), named(optax, name)(**given)], tree(0), gradients)
    pairs = zip(jax.tree.leaves(tree(0)), jax.tree.leaves(gradients), strict=True)
    papers = {"lr": 0.02, **papers}
    truth = [oracle(np.asarray(p), list(np.asarray(g)), **papers)[-1] for p, g in pairs]
    assert apart(jax.tree.leaves(ours), truth) < 1e-12
    assert apart(jax.tree.leaves(theirs), truth) > 1e-10


@pytest.mark.parametrize(("name", "options", "truth"), OF_ONE_TENSOR, ids=told)
def test_one_tensor_as_the_paper_where_optax_is_not(name: str, options: dict[str, Any], truth: Any) -> None:
    p, g = tree(0)["w"], stream()["w"]
    ours, theirs = walk_all([named(library, name)(0.02, **options) for library in (tj, optax)], p, g)
    expected = truth(np.asarray(p), list(np.asarray(g)), list(losses(STEPS)))
    assert apart(ours, expected) < 1e-12
    assert apart(theirs, expected) > 1e-10


INJECTED = [name for name in OPTAX if name not in APART and name != "polyak_sgd"]


@as_it_says
@pytest.mark.usefixtures("in_full")
@pytest.mark.parametrize("name", INJECTED)
def test_under_inject_hyperparams_with_a_schedule_as_optaxs_own(name: str) -> None:
    """The rate, and all else that is a number, are tracers there, and nobody sees that a schedule made them."""
    static = ("warmup_steps", "ns_steps", "clip_value_fn", "min_dim_size_to_factor", "dtype_momentum")

    def rate(count: Any) -> Any:  # as `falling`, but from 0.02
        return optax.linear_schedule(0.02, 0.005, 20)(jnp.asarray(count, jnp.float64))

    ends = []
    for library in (tj, optax):
        factory = named(library, name)
        held = tuple(word for word in static if word in inspect.signature(factory).parameters)
        ends.append(optax.inject_hyperparams(factory, held)(learning_rate=rate))
    ours, theirs = walk_all(
        ends, {"w": tree(0)["w"], "v": tree(1)["list"][0]}, {"w": stream(30)["w"], "v": stream(30)["list"][0]}
    )
    assert apart(ours, theirs) < 1e-12


@pytest.mark.parametrize("name", ["contrib.prodigy", "contrib.dadapt_adamw"])
def test_a_first_rate_of_zero_leaves_a_number(name: str) -> None:
    ours, theirs = walk_all([named(library, name)(falling) for library in (tj, optax)], tree(0), stream(30))
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(ours))
    assert not all(np.isfinite(x).all() for x in jax.tree.leaves(theirs))


@pytest.mark.parametrize(
    ("name", "options"),
    [("radam", {"nesterov": True}), ("amsgrad", {"bias_correction_mu": False}), ("rmsprop", {"centered": True, "bias_correction": True}),
     ("contrib.ademamix", {"mu_dtype": "float32"}), ("contrib.adopt", {"nesterov": True}), ("contrib.prodigy", {"beta3": 0.0}), ("contrib.sophia", {"clip_threshold": None}),
     ("contrib.schedule_free_sgd", {"state_dtype": "float32"})],
    ids=told,
)  # fmt: skip
def test_what_our_rules_have_no_option_for_is_optaxs_own(name: str, options: dict[str, Any]) -> None:
    assert not isinstance(named(tj, name)(learning_rate=0.01, **options), tj.Transformation)


def test_the_table_in_the_documents_is_the_rows() -> None:
    page = (Path(__file__).parents[3] / "docs" / "jax.md").read_text()
    lines = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `")]
    told = {name.strip(" `"): cells[-1] for names, *cells in lines if len(cells) == 2 for name in names.split(",")}
    assert set(told) == set(OPTAX)
    for name in (names.strip(" `").removeprefix("tj.") for names, *cells in lines if len(cells) == 1):
        assert named(tj, name) is named(optax, name), name
    for name, row in OPTAX.items():
        assert all(f"`{word}`" in told[name] for word in row.only), name


def test_adadelta_without_a_rate_goes_downhill() -> None:
    params = {"w": jnp.ones(3)}
    ours, theirs = (tx.update(params, tx.init(params), params)[0]["w"] for tx in (tj.adadelta(), optax.adadelta()))
    assert np.allclose(ours, -theirs, rtol=1e-12, atol=0)
    assert np.all(np.asarray(ours) < 0)


def test_every_argument_of_every_row_is_tried() -> None:
    for name, row in OPTAX.items():
        sophias = [("contrib.sophia", options) for options, _ in SOPHIAS]
        beside = ["weight_decay_mask", "mu_dtype", "hessian_diagonal_fn"] if name == "contrib.sophia" else []
        rows = (*OPTIONS, *PAPERS, *OF_ONE_TENSOR, *sophias)
        tried = {word for known, options, *_ in rows if known == name for word in options} | set(beside)
        arguments = set(inspect.signature(named(optax, name)).parameters)
        assert tried <= arguments
        assert arguments - tried - {"learning_rate"} - set(row.only) == set(), name
