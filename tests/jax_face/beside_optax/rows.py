"""The rows of the dialect, with options that each is tried at; where optax is not the paper's."""

from __future__ import annotations

from typing import Any

import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
from oracles import acprop, adafactor, adan, madgrad, momo, rprop, schedule_free, yogi  # noqa: E402

from thalweg.dialects import OPTAX  # noqa: E402

from .walks import STEPS  # noqa: E402

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
as_it_says = pytest.mark.filterwarnings("ignore:Specifying a key", "ignore:.*optimistic_adam_v2")
"""What optax says of a default, and of a function that it has another for."""
BENT = optax.GradientTransformation(lambda params: (), lambda g, state, params=None: (jax.tree.map(lambda x: 1e6 * x, g), state))
"""In an estimator's place: the curvature 10^6 g, so that not every step is one by signs."""
SOPHIAS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"beta1": 0.965, "eps": 1e-8, "weight_decay": 1e-4}),
    ({**BETAS, "eps": 1e-3, "gamma": 2.0, "update_interval": 3, "weight_decay": 0.1},
     {"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "gamma": 2.0, "k": 3, "weight_decay": 0.1}),
    ({"update_interval": 1, "weight_decay": 0.0, "gamma": 2.0}, {"beta1": 0.965, "eps": 1e-8, "gamma": 2.0, "k": 1}),
    ({"clip_threshold": 0.1, "weight_decay": 0.1, "eps": 1e-3}, {"beta1": 0.965, "limit": 0.1, "weight_decay": 0.1, "eps": 1e-3}),
]  # fmt: skip
