"""`thalweg.jax`: our rules as optax transformations, beside optax's own and in optax's company."""

from __future__ import annotations

import functools
import inspect
import operator
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
from optax._src import factorized  # noqa: E402
from oracles import acprop, adafactor, adan, madgrad, momo, rprop, schedule_free, sophia, yogi  # noqa: E402
from support import ASKING, FOUR_DEVICES, HANDED, PATIENCE, RULES, asked_for, bent  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402
from thalweg.dialects import OPTAX  # noqa: E402
from thalweg.jax_trees import flat  # noqa: E402

pytestmark = pytest.mark.slow

STEPS = 200
TREE = {"w": (4, 3), "list": [(5,), ()]}


@pytest.fixture(autouse=True)
def wide() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def told(x: Any) -> str:
    """A case's name: the same in every process, as an address is not."""
    return re.sub(r" at 0x\w+", "", str(x))


def tree(seed: int, scale: float = 1.0) -> Any:
    draw = np.random.default_rng(seed)
    return jax.tree.map(lambda s: jnp.asarray(scale * draw.normal(size=s)), TREE, is_leaf=lambda x: isinstance(x, tuple))


def stream(steps: int = STEPS) -> Any:
    """Gradients of all steps, stacked."""
    each = [tree(t + 1, 10.0 ** (t % 5 - 3)) for t in range(steps)]
    return jax.tree.map(lambda *x: jnp.stack(x), *each)


def walk(tx: Any, params: Any, gradients: Any, **extra: Any) -> Any:
    """All steps as one program; the last point and state."""

    def one(carry: Any, g: Any) -> Any:
        p, s = carry
        u, s = tx.update(g, s, p, **extra)
        return (optax.apply_updates(p, u), s), None

    found, _ = jax.jit(lambda p, s: jax.lax.scan(one, (p, s), gradients))(params, tx.init(params))
    return found


def apart(a: Any, b: Any) -> float:
    """The largest difference, as a share of a tensor's largest entry."""
    return max(jax.tree.leaves(jax.tree.map(lambda x, y: float(jnp.abs(x - y).max() / jnp.abs(y).max()), a, b)))


def named(library: Any, name: str) -> Any:
    """`name` of the library, or "contrib.name" of its contrib."""
    return operator.attrgetter(name)(library)


SOME = {"w": True, "list": [False, True]}
PREFIX = {"w": False, "list": True}
HALF = optax.linear_schedule(0.2, 0.05, STEPS)


def falling(count: Any) -> Any:
    """Of a whole number optax's schedules make float32, where one and a small number is not what it is elsewhere."""
    return optax.warmup_cosine_decay_schedule(0.0, 0.02, 20, STEPS)(jnp.asarray(count, jnp.float64))


def wider(count: Any) -> Any:
    return 0.1 * jnp.sqrt(jnp.asarray(count, jnp.float64))


def matrices(tree: Any) -> Any:
    return jax.tree.map(lambda x: x.ndim > 1, tree)


BETAS = {"b1": 0.8, "b2": 0.9}
ADAM = {**BETAS, "eps": 1e-3, "eps_root": 1e-2}
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in OPTAX),
    ("sgd", {"momentum": 0.8}), ("sgd", {"momentum": 0.8, "nesterov": True, "accumulator_dtype": "float32"}),
    ("adam", {**ADAM, "mu_dtype": "bfloat16"}), ("adam", {**ADAM, "nesterov": True}),
    ("adamw", {**ADAM, "weight_decay": 0.1, "mask": SOME}), ("adamw", {"weight_decay": HALF, "mask": matrices, "nesterov": True, "mu_dtype": "float32"}),
    ("nadam", {**ADAM, "nesterov": False, "mu_dtype": "float32"}), ("nadam", {**ADAM, "mu_dtype": "float32"}),
    ("nadamw", {**ADAM, "weight_decay": 0.1, "mask": PREFIX, "mu_dtype": "float32", "nesterov": True}),
    ("adamax", {**BETAS, "eps": 1e-3}), ("adamaxw", {**BETAS, "eps": 1e-3, "weight_decay": 0.1, "mask": SOME}),
    ("radam", {**ADAM, "threshold": 4.5}), ("amsgrad", {**ADAM, "mu_dtype": "float32"}),
    ("amsgrad", {**ADAM, "bias_correction_mu": False, "bias_correction_nu": False}),
    ("adabelief", ADAM), ("lion", {**BETAS, "weight_decay": 0.1, "mask": SOME, "mu_dtype": "bfloat16"}),
    ("rmsprop", {"decay": 0.8, "eps": 1e-3, "momentum": 0.8, "initial_scale": 0.5}),
    ("rmsprop", {"momentum": 0.8, "nesterov": True, "bias_correction": True, "eps": 1e-3, "initial_scale": 0.5}),
    ("rmsprop", {"centered": True, "eps_in_sqrt": False, "initial_scale": 1.0, "momentum": 0.5}),
    ("rmsprop", {"bias_correction": True, "eps_in_sqrt": False}),
    ("adagrad", {"initial_accumulator_value": 0.0, "eps": 1e-3}),
    ("adafactor", {"min_dim_size_to_factor": 1, "decay_rate": 0.5, "eps": 1e-3, "clipping_threshold": 2.5, "momentum": 0.8, "dtype_momentum": "float64"}),
    ("adafactor", {"min_dim_size_to_factor": 3, "multiply_by_parameter_scale": False, "clipping_threshold": None, "weight_decay_rate": HALF,
                   "weight_decay_mask": SOME}),
    ("adafactor", {"min_dim_size_to_factor": 1, "factored": False, "momentum": 0.5, "weight_decay_rate": 1e-3, "decay_offset": -5}),
    ("noisy_sgd", {"eta": 0.3, "gamma": 0.2, "key": 3}),
    ("optimistic_adam", {**ADAM, "optimism": 0.1, "nesterov": False, "mu_dtype": "float32"}),
    ("adadelta", {"rho": 0.8, "eps": 1e-3, "weight_decay": 0.1, "weight_decay_mask": SOME}),
    ("signum", {"beta": 0.6, "accumulator_dtype": "bfloat16"}),
    ("lars", {"weight_decay": 0.1, "weight_decay_mask": SOME, "trust_coefficient": 0.02, "trust_ratio_mask": PREFIX, "eps": 0.1}),
    ("lars", {"weight_decay": HALF, "weight_decay_mask": None, "trust_ratio_mask": matrices, "momentum": 0.5, "nesterov": True}),
    ("lamb", {**ADAM, "weight_decay": 0.1, "mask": matrices}), ("novograd", {**ADAM, "weight_decay": 0.1}),
    ("fromage", {"min_norm": 3.0}), ("fromage", {"min_norm": 0.0}), ("optimistic_gradient_descent", {"alpha": 0.8, "beta": 0.3}),
    ("polyak_sgd", {"max_learning_rate": 0.3, "scaling": 0.7, "f_min": -0.1}),
    ("polyak_sgd", {"f_min": 1.0, "variant": "sps+", "scaling": 0.5, "eps": 3.0}), ("polyak_sgd", {"f_min": 1.0, "scaling": HALF}),
    ("contrib.ademamix", {**ADAM, "b3": 0.99, "alpha": 3.0, "weight_decay": 0.1, "mask": SOME}),
    ("contrib.ademamix", {"b3": optax.linear_schedule(0.9, 0.99, 50), "alpha": optax.linear_schedule(0.0, 5.0, 50)}),
    ("contrib.adopt", {**BETAS, "eps": 1e-3, "mu_dtype": "float32"}), ("contrib.adopt", {"use_clipping": False}),
    ("contrib.adopt", {"clip_value_fn": wider}),
    ("contrib.cocob", {"alpha": 10.0, "eps": 1e-3, "weight_decay": 0.1, "mask": SOME}),
    ("contrib.dadapt_adamw", {"betas": (0.8, 0.99), "eps": 1e-3, "estim_lr0": 0.01, "weight_decay": 0.1}),
    ("contrib.dog", {"init_step": ("distance", 0.3), "eps": 1e-3, "weight_decay": 0.1, "mask": SOME}),
    ("contrib.dowg", {"init_estim_sq_dist": 0.3, "eps": 1e-3, "weight_decay": 0.1, "mask": SOME}),
    ("contrib.momo", {"beta": 0.5, "lower_bound": -3.0, "adapt_lower_bound": True}),
    ("contrib.momo_adam", {**BETAS, "eps": 1e-3, "lower_bound": -3.0, "adapt_lower_bound": True}),
    ("contrib.prodigy", {"betas": (0.8, 0.99), "eps": 1e-3, "estim_lr0": 0.01, "estim_lr_coef": 2.0, "weight_decay": 0.1, "safeguard_warmup": True}),
    ("contrib.prodigy", {"beta3": 0.9}),
    ("contrib.muon", {"ns_coeffs": "standard", "weight_decay": 0.1, "weight_decay_mask": SOME, "adam_weight_decay": 0.2, "beta": 0.8, "eps": 1e-3}),
    ("contrib.muon", {"ns_coeffs": (1.875, -1.25, 0.375), "ns_steps": 3, "nesterov": False, "consistent_rms": 0.2, "adam_learning_rate": 0.1,
                      "adam_b1": 0.8, "adam_b2": 0.9, "adam_eps_root": 1e-2}),
    ("contrib.muon", {"ns_coeffs": "dion", "adaptive": True, "consistent_rms": 0.3}),
    ("contrib.muon", {"ns_coeffs": ((4.0, -6.8, 2.9), (1.5, -0.5, 0.0)), "preconditioning": "spectral", "eps": 0.1}),
    *(("contrib.muon", {"preconditioning": kind, "eps": 0.1}) for kind in ("aol", "schatten")),
    ("contrib.muon", {"muon_weight_dimension_numbers": {"w": optax.contrib.MuonDimensionNumbers(1, 0), "list": None}, "weight_decay": 0.1,
                      "weight_decay_mask": SOME, "mu_dtype": "float32"}),
    ("contrib.muon", {"mu_dtype": "float32"}), ("contrib.muon", {"mu_dtype": "bfloat16", "nesterov": False, "adam_learning_rate": 0.1}),
    ("sm3", {"momentum": 0.5}),
    ("contrib.schedule_free_sgd", {"b1": 0.8, "weight_decay": 0.1, "weight_lr_power": 1.0}),
    ("optimistic_adam_v2", {**ADAM, "alpha": 0.8, "beta": 0.3, "nesterov": False, "mu_dtype": "float32"}),
    ("contrib.simplified_ademamix", {**ADAM, "alpha": 3.0, "weight_decay": 0.1, "mask": SOME}),
    ("contrib.simplified_ademamix", {"alpha": optax.linear_schedule(0.0, 5.0, 50)}),
    ("contrib.schedule_free_adamw", {"b1": 0.8, "b2": 0.9, "eps": 1e-3, "weight_decay": 0.1, "weight_lr_power": 1.0}),
]  # fmt: skip
PAPERS: list[tuple[str, dict[str, Any], Any, dict[str, Any]]] = [
    ("adan", {}, adan.adan, {"b1": 0.02, "b2": 0.08, "b3": 0.01, "bias_correction": True, "eps_root": 1e-8}),
    ("adan", {"b1": 0.9, "b2": 0.8, "b3": 0.95, "eps": 1e-3, "eps_root": 1e-2, "weight_decay": 0.0, "mask": SOME}, adan.adan,
     {"b1": 0.1, "b2": 0.2, "b3": 0.05, "bias_correction": True, "eps": 1e-3, "eps_root": 1e-2}),
    ("yogi", {}, yogi.yogi, {"bias_correction": True, "initial": 1e-6, "initial_m": 0.0}),
    ("yogi", {**BETAS, "eps": 1e-2}, yogi.yogi,
     {"bias_correction": True, "initial": 1e-6, "initial_m": 0.0, "beta1": 0.8, "beta2": 0.9, "eps": 1e-2}),
    ("rprop", {}, rprop.rprop, {}),
    ("rprop", {"eta_minus": 0.7, "eta_plus": 1.3, "min_step_size": 1e-4, "max_step_size": 0.1}, rprop.rprop,
     {"eta_minus": 0.7, "eta_plus": 1.3, "size_min": 1e-4, "size_max": 0.1}),
    ("contrib.acprop", {}, acprop.acprop, {"eps": 1e-16, "eps_root": 1e-16}),
    ("contrib.acprop", {**ADAM, "weight_decay": 0.0, "mask": SOME}, acprop.acprop,
     {"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "eps_root": 1e-2}),
    *(("adafactor", {"min_dim_size_to_factor": least}, adafactor.adafactor, {"relative_step": False}) for least in (1, 3)),
    ("contrib.madgrad", {}, madgrad.madgrad, {"lr": 0.02 + 1e-6}),
    ("contrib.madgrad", {"momentum": 0.5, "eps": 1e-3, "weight_decay": 0.0}, madgrad.madgrad, {"mu": 0.5, "eps": 1e-3, "lr": 0.021}),
]  # fmt: skip
"""Where optax is not the paper's (madgrad: rounds the rate to float32, adafactor beta2): ours is, as tests/oracles has it."""
APART = {name for name, options, *_ in PAPERS if not options} | {"contrib.sophia"}


def warmed(t: int) -> float:
    """The rate of optax's warm-up in 20 steps."""
    return 0.02 * min(1.0, (t - 1) / 20)


OF_ONE_TENSOR: list[tuple[str, dict[str, Any], Any]] = [
    ("contrib.momo", {"weight_decay": 0.5}, lambda p, g, f: momo.momo(p, g, f, lr=0.02, weight_decay=0.5)[-1]),
    ("contrib.momo_adam", {"weight_decay": 0.5, "adapt_lower_bound": True},
     lambda p, g, f: momo.momo_adam(p, g, f, lr=0.02, weight_decay=0.5, estimate=True)[-1]),
    ("contrib.schedule_free_sgd", {"warmup_steps": 20},
     lambda p, g, f: schedule_free.schedule_free_sgd(p, g, lr=warmed).y[-1]),
    ("contrib.schedule_free_adamw", {"warmup_steps": 20, "weight_decay": 0.1},
     lambda p, g, f: schedule_free.schedule_free_adamw(p, g, lr=warmed, weight_decay=0.1).y[-1]),
]  # fmt: skip
"""momo: optax's decay does not shrink the step along. Schedule-free: it weighs a point by the rate of the step after."""
UNSCHEDULED = {
    "contrib.schedule_free_sgd", "contrib.schedule_free_adamw", "contrib.prodigy", "contrib.dadapt_adamw", "sm3", "optimistic_adam",
}  # fmt: skip
"""Schedule-free is in the table above. prodigy, dadapt_adamw: optax divides by a sum of rates, and a first rate of 0 makes
everything NaN. sm3, optimistic_adam: they take numbers alone."""


@pytest.fixture
def in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """optax rounds Adafactor's beta2 to float32; here it is in the tensors' precision, as the paper's."""
    beta2 = {"decay_rate_fn": lambda count, exponent: 1 - jnp.asarray(count + 1, jnp.float64) ** -exponent}
    monkeypatch.setattr(factorized, "scale_by_factored_rms", functools.partial(factorized.scale_by_factored_rms, **beta2))


as_it_says = pytest.mark.filterwarnings("ignore:Specifying a key", "ignore:.*optimistic_adam_v2")
"""What optax says of a default, and of a function that it has another for."""


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


def blocks(shapes: dict[str, tuple[int, ...]]) -> tuple[Any, Any]:
    """Parameters of these shapes, and 30 gradients of each."""
    draw = np.random.default_rng(0)
    first = {name: jnp.asarray(draw.normal(size=shape)) for name, shape in shapes.items()}
    return first, {name: jnp.asarray(draw.normal(size=(30, *shape))) for name, shape in shapes.items()}


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


BENT = optax.GradientTransformation(lambda params: (), lambda g, state, params=None: (jax.tree.map(lambda x: 1e6 * x, g), state))
"""In an estimator's place: the curvature 10^6 g, so that not every step is one by signs."""
SOPHIAS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"beta1": 0.965, "eps": 1e-8, "weight_decay": 1e-4}),
    ({**BETAS, "eps": 1e-3, "gamma": 2.0, "update_interval": 3, "weight_decay": 0.1},
     {"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "gamma": 2.0, "k": 3, "weight_decay": 0.1}),
    ({"update_interval": 1, "weight_decay": 0.0, "gamma": 2.0}, {"beta1": 0.965, "eps": 1e-8, "gamma": 2.0, "k": 1}),
    ({"clip_threshold": 0.1, "weight_decay": 0.1, "eps": 1e-3}, {"beta1": 0.965, "limit": 0.1, "weight_decay": 0.1, "eps": 1e-3}),
]  # fmt: skip


@pytest.mark.parametrize("rate", [0.02, falling], ids=["number", "schedule"])
@pytest.mark.parametrize(("options", "papers"), SOPHIAS, ids=told)
def test_sophia_looks_before_it_steps_as_in_the_paper(options: dict[str, Any], papers: dict[str, Any], rate: Any) -> None:
    """optax steps before it looks, and corrects its momentum."""
    ours, theirs = walk_all(
        [library.contrib.sophia(rate, hessian_diagonal_fn=BENT, **options) for library in (tj, optax)], tree(0), stream()
    )
    lr = (lambda t: float(falling(t - 1))) if callable(rate) else rate
    for as_optax, ends in ((False, ours), (True, theirs)):
        pairs = zip(jax.tree.leaves(tree(0)), [np.asarray(g) for g in jax.tree.leaves(stream())], strict=True)
        truth = [sophia.sophia(np.asarray(p), list(g), list(1e6 * g), lr=lr, optax=as_optax, **papers)[-1] for p, g in pairs]
        assert apart(jax.tree.leaves(ends), truth) < 1e-12
    assert apart(ours, theirs) > 1e-6


def test_sophia_draws_as_optax_does() -> None:
    def loss(p: Any) -> Any:
        return sum(jnp.sum(jnp.cosh(x) * jnp.cos(x.T).sum()) for x in jax.tree.leaves(p))

    states = []
    for library in (tj, optax):
        tx = library.contrib.sophia(0.02, update_interval=3)
        state = tx.init(tree(0))
        update = jax.jit(functools.partial(tx.update, obj_fn=loss))
        for t in range(8):
            _, state = update(tree(t + 1), state, tree(0))
        states.append(state)
    for ours, theirs in zip(*(jax.tree.leaves(optax.tree.get(state, "nu")) for state in states), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    keys = [optax.tree.get(state, "key") for state in states]
    assert jnp.array_equal(*keys)
    with pytest.raises(ValueError, match="obj_fn must be provided"):
        tj.contrib.sophia(0.02).update(tree(1), tj.contrib.sophia(0.02).init(tree(0)), tree(0))


def test_sophias_mask_and_dtype_are_optaxs() -> None:
    still = jax.tree.map(jnp.zeros_like, tree(0))
    ends = []
    for library in (tj, optax):
        tx = library.contrib.sophia(0.02, weight_decay=0.1, weight_decay_mask=SOME, mu_dtype="bfloat16", hessian_diagonal_fn=BENT)
        updates, state = optax.with_extra_args_support(tx).update(still, tx.init(tree(0)), tree(0))
        assert {x.dtype for x in jax.tree.leaves(optax.tree.get(state, "mu"))} == {jnp.dtype(jnp.bfloat16)}
        ends.append(updates)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-12), *ends)


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


def losses(steps: int) -> Any:
    """A loss for each step."""
    return 2.0 / (1.0 + jnp.arange(steps))


def walk_all(several: list[Any], params: Any, gradients: Any) -> list[Any]:
    """The last points of several transformations over the same gradients."""

    def one(carry: Any, given: Any) -> Any:
        g, value = given
        moved = []
        for tx, (p, s) in zip(several, carry, strict=True):
            u, s = tx.update(g, s, p, value=value)
            moved.append((optax.apply_updates(p, u), s))
        return moved, None

    steps = jax.tree.leaves(gradients)[0].shape[0]
    values = losses(steps)
    begun = [(params, optax.with_extra_args_support(tx).init(params)) for tx in several]
    several = [optax.with_extra_args_support(tx) for tx in several]
    found, _ = jax.jit(lambda carry: jax.lax.scan(one, carry, (gradients, values)))(begun)
    return [p for p, _ in found]


@pytest.mark.parametrize(
    ("name", "options"),
    [("radam", {"nesterov": True}), ("amsgrad", {"bias_correction_mu": False}), ("rmsprop", {"centered": True, "bias_correction": True}),
     ("contrib.ademamix", {"mu_dtype": "float32"}), ("contrib.adopt", {"nesterov": True}), ("contrib.prodigy", {"beta3": 0.0}), ("contrib.sophia", {"clip_threshold": None}),
     ("contrib.schedule_free_sgd", {"state_dtype": "float32"})],
    ids=told,
)  # fmt: skip
def test_what_our_rules_have_no_option_for_is_optaxs_own(name: str, options: dict[str, Any]) -> None:
    assert not isinstance(named(tj, name)(learning_rate=0.01, **options), tj.Transformation)


def test_all_else_is_optaxs() -> None:
    for name in dir(optax):
        if name not in OPTAX and name != "contrib" and not name.startswith("_"):
            assert getattr(tj, name) is getattr(optax, name), name
    assert tj.contrib.sam is optax.contrib.sam


def test_the_table_in_the_documents_is_the_rows() -> None:
    page = (Path(__file__).parents[1] / "docs" / "jax.md").read_text()
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


@pytest.mark.parametrize("name", ["adam", "rmsprop", "lamb", "adagrad", "contrib.muon"])
def test_complex_tensors_are_two_real_ones(name: str) -> None:
    params = jax.tree.map(lambda x, y: x + 1j * y, tree(0), tree(50))
    gradients = jax.tree.map(lambda x, y: x + 1j * y, stream(20), jax.tree.map(lambda g: 0.5 * g[::-1], stream(20)))
    ours, theirs = named(tj, name)(0.02), optax.contrib.split_real_and_imaginary(named(optax, name)(0.02))
    p, s = walk(ours, params, gradients)
    if name != "lamb":  # its norm is of both parts
        assert apart(p, walk(theirs, params, gradients)[0]) < 1e-12
    assert {x.dtype for x in jax.tree.leaves(p)} == {jnp.dtype("complex128")}
    assert {x.shape for x in jax.tree.leaves(s) if x.dtype.kind == "c"} == {(4, 3), (5,), ()}


def test_optaxs_names_find_what_a_state_keeps() -> None:
    params = tree(0)
    for name, slots in (
        ("adamw", ("mu", "nu")),
        ("amsgrad", ("mu", "nu", "nu_max")),
        ("lion", ("mu",)),
        ("adagrad", ("sum_of_squares",)),
    ):
        tx = named(tj, name)(0.01)
        state = tx.init(params)
        for slot in slots:
            assert jax.tree.structure(optax.tree.get(state, slot)) == jax.tree.structure(params)
        doubled = optax.tree.map_params(tx, lambda x: x + 1.0, state)
        assert doubled.count is None or int(doubled.count) == 0
        assert all(
            np.all(np.asarray(x) == np.asarray(y) + 1)
            for x, y in zip(*map(jax.tree.leaves, (doubled.memory, state.memory)), strict=True)
        )


CARRIED: list[tuple[str, dict[str, Any]]] = [
    ("adabelief", {}), ("adadelta", {}), ("adagrad", {}), ("adam", {}), ("adamax", {}), ("adamw", {"nesterov": True}),
    ("amsgrad", {}), ("lamb", {}), ("lion", {}), ("nadamw", {}), ("novograd", {}), ("optimistic_gradient_descent", {}),
    ("radam", {}), ("rmsprop", {"initial_scale": 0.5}), ("sgd", {"momentum": 0.8}), ("signum", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), CARRIED, ids=told)
def test_a_checkpoint_of_optaxs_goes_on_in_ours(name: str, options: dict[str, Any]) -> None:
    page = (Path(__file__).parents[1] / "docs" / "jax.md").read_text()
    (snippet,) = re.findall(r"def carry_over.*?\n\n", page, re.DOTALL)
    space: dict[str, Any] = {"optax": optax}
    exec(snippet, space)
    ours, theirs = (named(library, name)(falling, **options) for library in (tj, optax))
    p, s = walk(theirs, tree(0), stream(30))
    later = jax.tree.map(lambda g: g[::-1], stream(30))
    q, r = p, space["carry_over"](s, ours.init(p))

    def on(tx: Any, p: Any, s: Any) -> Any:
        end, _ = jax.lax.scan(
            lambda c, g: ((optax.apply_updates(c[0], (u := tx.update(g, c[1], c[0]))[0]), u[1]), None), (p, s), later
        )
        return end[0]

    assert apart(on(ours, q, r), on(theirs, p, s)) < 1e-12


def test_sam_is_optaxs_with_its_inner_loop() -> None:
    def loss(p: Any) -> Any:
        return sum(jnp.sum(jnp.cosh(x - 0.3)) for x in jax.tree.leaves(p))

    worst = optax.chain(optax.contrib.normalize(), optax.sgd(0.1))
    theirs = optax.contrib.sam(optax.sgd(0.02), worst, opaque_mode=True)
    ours = tj.optimizer(tw.chain(tw.sam(0.1), tw.sgd()), 0.02)

    @jax.jit
    def both(p: Any, s: Any, q: Any, r: Any) -> Any:
        u, s = ours.update(jax.grad(loss)(p), s, p, value_fn=loss)
        v, r = theirs.update(jax.grad(loss)(q), r, q, grad_fn=lambda x, _: jax.grad(loss)(x))
        return optax.apply_updates(p, u), s, optax.apply_updates(q, v), r

    p = q = tree(0)
    s, r = ours.init(p), theirs.init(q)
    for _ in range(STEPS):
        p, s, q, r = both(p, s, q, r)
    assert apart(p, q) < 1e-12


@pytest.mark.parametrize(
    ("tx", "counted"),
    [
        (tj.sgd(0.1), False), (tj.sgd(optax.constant_schedule(0.1)), True), (tj.lion(0.1), False), (tj.adam(0.1), True),
        (tj.adagrad(0.1), False), (tj.lion(0.1, weight_decay=HALF), True), (tj.lars(0.1, 0.1, trust_coefficient=HALF), True),
        (tj.of(tw.signum)(0.1), False), (tj.of(tw.signum)(0.1, beta=HALF), True), (tj.of(tw.noisy_sgd)(0.1), True),
        (tj.optimizer(tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.signsgd()), 0.1), False),
        (tj.optimizer(tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.signsgd().at(lr=lambda t: 1 / t)), 0.1), True),
        (tj.optimizer(tw.chain(tw.sgd(), tw.schedule_free()), 0.1), True),
    ],
    ids=lambda value: {True: "counted", False: "not"}.get(value, "tx"),
)  # fmt: skip
def test_updates_are_counted_where_something_looks_at_the_count(tx: Any, counted: bool) -> None:
    params = tree(0)
    state = tx.init(params)
    for t in range(2):
        assert state.count == (t if counted else None)
        _, state = tx.update(params, state, params)


def test_every_argument_of_every_row_is_tried() -> None:
    for name, row in OPTAX.items():
        sophias = [("contrib.sophia", options) for options, _ in SOPHIAS]
        beside = ["weight_decay_mask", "mu_dtype", "hessian_diagonal_fn"] if name == "contrib.sophia" else []
        rows = (*OPTIONS, *PAPERS, *OF_ONE_TENSOR, *sophias)
        tried = {word for known, options, *_ in rows if known == name for word in options} | set(beside)
        arguments = set(inspect.signature(named(optax, name)).parameters)
        assert tried <= arguments
        assert arguments - tried - {"learning_rate"} - set(row.only) == set(), name


def test_signatures_are_optaxs_and_the_rules() -> None:
    assert inspect.signature(tj.adamw) == inspect.signature(optax.adamw)
    assert list(inspect.signature(tj.adabound).parameters) == ["learning_rate", *tw.adabound.hyper, "seed"]
    with pytest.raises(TypeError, match="adabound has no hyper-parameter 'beta_1'"):
        tj.adabound(0.1, beta_1=0.5)
    with pytest.raises(AttributeError, match="did you mean 'adabound'"):
        _ = tj.adabond
    assert {"adam", "adabound", "of", "optimizer"} <= set(dir(tj))


def test_a_draw_is_a_function_of_seed_and_count() -> None:
    ends = [walk(tj.santa_e(1e-3, seed=seed), tree(0), stream(4))[0] for seed in (0, 0, 1)]
    assert apart(ends[0], ends[1]) == 0
    assert apart(ends[0], ends[2]) > 1e-6


@pytest.mark.parametrize("name", HANDED)
def test_every_rule_is_a_transformation_that_walks_as_the_pure_one(name: str) -> None:
    method = RULES[name]
    stage = tw.compose.as_stage(method() if callable(method) else method)
    tx, pure = tj.optimizer(stage, 0.01), tw.Optimizer(stage, lr=0.01)
    p, s = tree(0), tx.init(tree(0))
    names, leaves, _ = flat(p)  # what is drawn depends on the names
    q = dict(zip(names, leaves, strict=True))
    state = pure.init(q)
    update = jax.jit(tx.update)
    for t in range(8):
        g, value = tree(t + 1), jnp.asarray(1.0 / (t + 1))
        given = dict(zip(names, jax.tree.leaves(g), strict=True))
        u, s = update(g, s, p, value=value, curvature=jax.tree.unflatten(jax.tree.structure(g), bent(given).values()))
        p = optax.apply_updates(p, u)
        q, state = pure.step(q, given, state, **asked_for(pure, given, value))
    assert apart(jax.tree.leaves(p), list(q.values())) < 1e-9
    assert s.count is None or int(s.count) == 8
    for shape, x in zip(jax.tree.leaves(TREE, is_leaf=lambda x: isinstance(x, tuple)), jax.tree.leaves(p), strict=True):
        assert x.shape == shape


@pytest.mark.parametrize("name", ASKING)
def test_methods_that_ask_for_gradients_take_value_fn(name: str) -> None:
    def value_fn(p: Any) -> Any:
        return sum(jnp.sum(jnp.cosh(x - 0.3)) for x in jax.tree.leaves(p))

    method = RULES[name]
    stage = tw.compose.as_stage(method() if callable(method) else method)
    tx, pure = tj.optimizer(stage, 0.1), tw.Optimizer(stage, lr=0.1)
    p, s = tree(0), tx.init(tree(0))
    q, state = tree(0), pure.init(tree(0))
    for _ in range(5):
        value, g = jax.value_and_grad(value_fn)(p)
        u, s = tx.update(g, s, p, value=value, value_fn=value_fn)
        p = optax.apply_updates(p, u)
        q, state = pure.step(q, None, state, grad_fn=jax.value_and_grad(value_fn))
    assert apart(p, q) < 1e-9
    with pytest.raises(TypeError, match="asks for gradients itself"):
        tx.update(tree(1), s, p, value=0.0)


def test_a_state_is_a_plain_tree_like_the_parameters() -> None:
    params = tree(0)
    state = tj.adam(1e-3).init(params)
    assert jax.tree.structure(state.memory["adam"]["mu"]) == jax.tree.structure(params)
    leaves, structure = jax.tree.flatten(state)
    assert all(isinstance(x, jax.Array) for x in leaves)
    assert jax.tree.structure(jax.tree.unflatten(structure, leaves)) == structure
    assert int(optax.tree_utils.tree_get(state, "count")) == 0
    chosen = tj.optimizer(tw.choose((tw.is_matrix, tw.momentum().at(lr=0.02)), otherwise=tw.adam()), 1e-3).init(params)
    nowhere = [x for x in jax.tree.leaves(chosen, is_leaf=lambda x: isinstance(x, tj.Without)) if isinstance(x, tj.Without)]
    assert len(nowhere) == 2 + 1 + 1, "momentum's of two vectors, Adam's two of the matrix"


def test_in_optaxs_company() -> None:
    """chain, masked, partition, inject_hyperparams, apply_if_finite, MultiSteps, schedules: as with optax's own adam."""

    def company(adam: Any) -> dict[str, Any]:
        labels = {"w": "a", "list": ["b", "a"]}
        return {
            "chain": optax.chain(optax.clip_by_global_norm(0.5), adam(0.01), optax.add_decayed_weights(-1e-4)),
            "masked": optax.masked(adam(0.01), {"w": True, "list": [False, True]}),
            "partition": optax.partition({"a": adam(0.01), "b": optax.sgd(0.1)}, labels),
            "inject": optax.inject_hyperparams(adam)(learning_rate=optax.linear_schedule(0.1, 0.0, 50), b1=0.8),
            "finite": optax.apply_if_finite(adam(0.01), 5),
            "multi": optax.MultiSteps(adam(0.01), 3),
            "lookahead": adam(optax.exponential_decay(0.1, 10, 0.5)),
        }

    pairs = zip(company(tj.adam).items(), company(optax.adam).items(), strict=True)
    for (name, ours), (_, theirs) in pairs:
        p, q = tree(0), tree(0)
        s, r = ours.init(p), theirs.init(q)
        for t in range(12):
            g = tree(t + 1)
            if name == "finite" and t == 4:
                g = jax.tree.map(lambda x: x * jnp.nan, g)
            u, s = ours.update(g, s, p)
            v, r = theirs.update(g, r, q)
            p, q = optax.apply_updates(p, u), optax.apply_updates(q, v)
        assert apart(p, q) < 1e-12, name


def test_neither_a_second_call_nor_a_schedule_compiles_again() -> None:
    for tx in (
        tj.adamw(optax.cosine_decay_schedule(0.1, 30), weight_decay=0.1),
        tj.optimizer(tw.chain(tw.clip(1.0), tw.nadam())),
    ):
        params = tree(0)
        state = tx.init(params)
        update = jax.jit(tx.update)
        for t in range(6):
            updates, state = update(tree(t + 1), state, params)
            params = optax.apply_updates(params, updates)
        assert update._cache_size() == 1


@pytest.mark.parametrize(
    "name",
    [
        "sgd",
        "adam",
        "nadam",
        "rprop",
        "adasecant",
        "muon",
        "sm3",
        "noisy_sgd",
        "simplified_ademamix",
        "optimistic_adam",
        "galore",
        "mechanic_adam",
    ],
)
def test_lanes_by_vmap_over_rates_and_hyper_parameters(name: str) -> None:
    rates, gradients = jnp.asarray([1e-3, 1e-2, 1e-1]), stream(15)
    hyper = next((h for h in tw.rules[name].hyper.values() if not h.static), None)
    values = jnp.asarray([0.5, 0.7, 0.9])

    def end(rate: Any, value: Any) -> Any:
        given = {} if hyper is None or name in ("rprop", "adasecant") else {hyper.name: value}
        return walk(tj.of(tw.rules[name])(rate, **given), {"w": tree(0)["w"]}, {"w": gradients["w"]})[0]

    together = jax.jit(jax.vmap(end))(rates, values)
    for k in range(3):
        alone = end(rates[k], values[k])
        assert apart(jax.tree.map(lambda x, k=k: x[k], together), alone) < 1e-9


def test_updates_without_parameters_and_in_other_dtypes() -> None:
    tx = tj.adam(1e-2)
    params, g = tree(0), tree(1)
    with_them, _ = tx.update(g, tx.init(params), params)
    without, _ = tx.update(g, tx.init(params))
    assert apart(with_them, without) == 0
    with pytest.raises(ValueError, match="looks at the parameters: update"):
        tj.adamw(1e-2, weight_decay=0.1).update(g, tj.adamw(1e-2, weight_decay=0.1).init(params))
    half = jax.tree.map(lambda x: x.astype(jnp.bfloat16), g)
    updates, state = tx.update(half, tx.init(params), params)
    assert {x.dtype for x in jax.tree.leaves(updates)} == {jnp.dtype(jnp.bfloat16)}, "as optax: the dtype of the gradients"
    assert state.memory["adam"]["mu"]["w"].dtype == jnp.float64


def test_ship_and_what_is_refused() -> None:
    tx = tj.optimizer(tw.chain(tw.sgd(), tw.schedule_free()), 0.1)
    params = tree(0)
    state = tx.init(params)
    for t in range(5):
        updates, state = jax.jit(tx.update)(tree(t + 1), state, params)
        params = optax.apply_updates(params, updates)
    pure = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free()), lr=0.1)
    q, kept = tree(0), pure.init(tree(0))
    for t in range(5):
        q, kept = pure.step(q, tree(t + 1), kept)
    assert apart(tx.ship(params, state), pure.ship(q, kept)) < 1e-12
    with pytest.raises(ValueError, match=r"optax\.MultiSteps"):
        tj.optimizer(tw.every(4, tw.adam()))
    with pytest.raises(TypeError, match="asks for the loss"):
        tj.eve(1e-3).update(tree(1), tj.eve(1e-3).init(tree(0)), tree(0))


SHARDED = """
import jax, numpy as np, optax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import thalweg as tw, thalweg.jax as tj

mesh = Mesh(np.array(jax.devices()), ("data",))
split = NamedSharding(mesh, P("data"))
w = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
gradients = [np.random.default_rng(t + 1).normal(size=w.shape).astype(np.float32) for t in range(5)]
for stage in (tw.adam(), tw.chain(tw.clip(1.0), tw.adam()), tw.muon(), tw.adafactor()):
    tx = tj.optimizer(stage, 1e-2)
    ends = []
    for place in (split, jax.devices()[0]):
        p = jax.device_put(jnp.asarray(w), place)
        s = jax.jit(tx.init)(p)
        for g in gradients:
            u, s = jax.jit(tx.update)(jax.device_put(jnp.asarray(g), place), s, p)
            p = optax.apply_updates(p, u)
        ends.append(np.asarray(p))
        kept = [x for x in jax.tree.leaves(s) if x.shape == w.shape]
        print(stage.name, all(x.sharding.is_equivalent_to(p.sharding, 2) for x in kept), p.sharding == split)
    print(float(np.abs(ends[0] - ends[1]).max()) < 1e-6)
"""


def test_sharded_over_four_devices() -> None:
    environment = {**os.environ, "XLA_FLAGS": FOUR_DEVICES, "JAX_PLATFORMS": "cpu"}
    ran = subprocess.run(
        [sys.executable, "-c", SHARDED], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    lines = ran.stdout.splitlines()
    assert [line for line in lines if line in ("True", "False")] == ["True"] * 4
    assert [line.split()[-2:] for line in lines if len(line.split()) > 1] == [["True", "True"], ["True", "False"]] * 4


def test_importing_thalweg_imports_no_jax() -> None:
    code = "import sys, thalweg; sys.exit('jax' in sys.modules or 'optax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=PATIENCE).returncode == 0
