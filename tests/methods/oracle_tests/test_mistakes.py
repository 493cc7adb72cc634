"""Each wrong formula of the sources is measurably not the paper's: what the library's own tests lean on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from oracles import mistakes
from oracles.adabound import adabound, amsbound
from oracles.adadelta import adadelta
from oracles.adagrad import adagrad
from oracles.adam import adam, adamax
from oracles.common import Array
from oracles.eve import eve
from oracles.momentum import momentum, nesterov
from oracles.rmsprop import rmsprop, smorms3
from oracles.santa import santa_sss
from oracles.sgd import sgd
from oracles.streams import STEPS, start, stream

P, G = start(), stream(zeros=False)
LOSSES = np.linspace(3.0, 1.0, STEPS) + 0.2 * np.sin(np.arange(STEPS))
DRAW = np.random.default_rng(5)
NOISE, U0 = DRAW.standard_normal(G.shape), DRAW.standard_normal(P.shape)
ZEROS = stream()
FADING = G * 0.5 ** np.arange(STEPS)[:, None, None]


def bowl(w: Array) -> Array:
    return 2.0 * w


PAIRS: dict[str, tuple[Callable[[], Array], Callable[[], Array]]] = {
    "sgd_previous_gradient_000": (
        lambda: mistakes.sgd_previous_gradient_000(P, G, 1e-2),
        lambda: momentum(P, G, 1e-2, 1e-3),
    ),
    "gradient_ascent_000": (lambda: mistakes.gradient_ascent_000(P, G), lambda: sgd(P, G)),
    "adamax_constant_correction_000": (
        lambda: mistakes.adamax_constant_correction_000(P, G),
        lambda: adamax(P, G, eps_place="outside"),
    ),
    "adadelta_average_of_delta_000": (
        lambda: mistakes.adadelta_average_of_delta_000(P, G),
        lambda: adadelta(P, G, rho=0.9, eps=1e-8),
    ),
    "adam_epoch_counter_001": (
        lambda: mistakes.adam_epoch_counter_001(P, G),
        lambda: adam(P, G, eps_place="inside"),
    ),
    "adam_without_powers_004": (lambda: mistakes.adam_without_powers_004(P, G), lambda: adam(P, G, eps=1e-5)),
    "adam_eps_added_to_step_003": (
        lambda: mistakes.adam_eps_added_to_step_003(P, G, eps=1e-4, powers=True),
        lambda: adam(P, G, 1e-2, eps=1e-4),
    ),
    "adam_square_in_text_002": (
        lambda: mistakes.adam_square_in_text_002(P, G),
        lambda: adam(P, G, eps_place="inside_raw"),
    ),
    "nesterov_without_rate_002": (
        lambda: mistakes.nesterov_without_rate_002(P, bowl, steps=STEPS),
        lambda: nesterov(P, bowl, dampening=0.9, form="lookahead", steps=STEPS),
    ),
    "adagrad_zero_by_zero_002": (
        lambda: mistakes.adagrad_zero_by_zero_002(P, ZEROS),
        lambda: adagrad(P, ZEROS, 1e-3, eps_place="none"),
    ),
    "adamax_zero_by_zero_002": (lambda: mistakes.adamax_zero_by_zero_002(P, ZEROS), lambda: adamax(P, ZEROS)),
    "smorms3_002": (lambda: mistakes.smorms3_002(P, G), lambda: smorms3(P, G)),
    "eve_002": (lambda: mistakes.eve_002(P, G, LOSSES, beta3=0.9), lambda: eve(P, G, LOSSES, beta3=0.9)),
    "santa_sss_002": (
        lambda: mistakes.santa_sss_002(P, G, NOISE, U0, 1e-6, N=10.0),
        lambda: santa_sss(P, G, NOISE, U0, 1e-6, N=10.0, gradient_scale=1.0, g0="zero", guard=0.0),
    ),
    "adabound_bounds_002": (
        lambda: mistakes.adabound_bounds_002(P, G, final_lr=1e4),
        lambda: adabound(P, G, final_lr=1e4),
    ),
    "adabound_bounds_002, text": (
        lambda: mistakes.adabound_bounds_002(P, G, bounds="text"),
        lambda: adabound(P, G),
    ),
    "amsbound_clips_v_002": (lambda: mistakes.amsbound_clips_v_002(P, FADING, 0.1), lambda: amsbound(P, FADING, 0.1)),
    "rmsprop_momentum_forgotten_004": (
        lambda: mistakes.rmsprop_momentum_forgotten_004(P, G),
        lambda: rmsprop(P, G, mu=1e-4, eps=1e-5, eps_place="inside"),
    ),
}
"""Name -> the wrong walk, the paper's walk at the same options."""


@pytest.mark.parametrize("name", PAIRS)
def test_wrong_is_not_right(name: str) -> None:
    wrong, right = (walk() for walk in PAIRS[name])
    assert np.all(np.isfinite(right))
    agree = np.abs(wrong - right) <= 1e-3 * np.max(np.abs(right - P))  # a NaN does not agree
    assert not np.all(agree)


def test_no_mistake_is_missing() -> None:
    assert {name.split(",")[0] for name in PAIRS} == set(mistakes.__all__)
