"""Where optax computes something else than the paper: what it is, and that it is another walk."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles.acprop import acprop
from oracles.adafactor import adafactor
from oracles.adam import amsgrad, radam
from oracles.adan import adan
from oracles.galore import galore
from oracles.madgrad import madgrad
from oracles.optax_walks import B, b, float64, jax, optax, walk
from oracles.optimistic import optimistic_adam
from oracles.rprop import rprop
from oracles.sgd import noisy_sgd
from oracles.sm3 import sm3
from oracles.sophia import sophia
from oracles.streams import STEPS, apart, halving, start, stream
from oracles.yogi import yogi

from .test_against_optax import CASES


@pytest.mark.parametrize("other", [{"maximum_of": "raw"}, {"maximum_of": "corrected", "sqrt_decay": True}])
def test_other_amsgrads_are_other_walks(other: dict[str, Any]) -> None:
    options = {"eps": 1e-3, "sqrt_decay": False, "bias_correction": True, **B} | other
    theirs = walk(CASES["amsgrad"][0], 2.0**-6)
    assert apart(amsgrad(start(), stream(), lr=2.0**-6, **options), theirs, start()) > 1e-2


def test_radam_begins_at_the_threshold() -> None:
    """A threshold that rho hits: optax rectifies there, the paper one step later; the next number below is optax's."""
    rho = 15.0 - 2 * 6 * 0.875**6 / (1.0 - 0.875**6)  # beta2 = 7/8: all of it exact but the quotient
    theirs = walk(lambda lr: optax.radam(lr, b2=0.875, eps=1e-3, threshold=rho), 2.0**-6)
    ours, at = (radam(start(), stream(), 2.0**-6, beta2=0.875, eps=1e-3, threshold=x) for x in (rho, np.nextafter(rho, 0)))
    assert apart(at, theirs, start()) < 1e-12
    assert np.array_equal(ours[:5], at[:5])
    assert np.max(np.abs(ours[5] - theirs[5])) > 1e-3


def test_radam_with_torchs_epsilon_is_another_walk() -> None:
    theirs = walk(CASES["radam"][0], 2.0**-6)
    assert apart(radam(start(), stream(), 2.0**-6, eps=1e-3, eps_place="raw", threshold=5.0, **B), theirs, start()) > 1e-4


def test_adan_in_optax_looks_ahead_by_the_wrong_share() -> None:
    """It keeps 0.92 of its average of differences, and weighs it by 0.08; the paper has 1 - beta2 in both places."""
    theirs = walk(lambda lr: optax.adan(lr, eps=1e-3, eps_root=0.0), 2.0**-6)
    for corrected in (True, False):
        assert apart(adan(start(), stream(), 2.0**-6, eps=1e-3, bias_correction=corrected), theirs, start()) > 1e-2


def test_yogi_in_optax_drifts_without_a_gradient() -> None:
    """Its first moment begins at 1e-6; the paper's at 0."""
    theirs = walk(lambda lr: optax.yogi(lr), 2.0**-6)
    ours = yogi(start(), stream(), 2.0**-6, bias_correction=True)
    still = np.all(stream() == 0, axis=0)
    assert still.any()
    assert np.all(np.diff(theirs[:, still], axis=0, prepend=start()[None][:, still]) < 0)
    assert np.array_equal(ours[-1][still], start()[still])


def test_rprop_in_optax_steps_one_update_late() -> None:
    """What it hands out is what it worked out the time before, and nothing where the sign has turned meanwhile."""
    g = stream(zeros=False)
    ours = np.diff(rprop(start(), g, 2.0**-6), axis=0, prepend=start()[None])
    theirs = np.diff(walk(optax.rprop, 2.0**-6, zeros=False), axis=0, prepend=start()[None])
    late = np.concatenate([np.zeros_like(ours[:1]), ours[:-1]])
    rested = np.concatenate([ours[:1], np.where(ours[1:] == 0, 0.0, late[1:])])
    np.testing.assert_allclose(theirs[1:], rested[1:], rtol=0, atol=1e-14)
    assert np.all(theirs[0] == 0)
    assert np.all(ours[0] != 0)


def adafactor_of_optax(lr: Any, d: float = 1.0, eps: float = 1e-30, scaled: bool = True) -> Any:
    """The links of optax.adafactor, beta2 in float64."""
    return optax.chain(
        optax.scale_by_factored_rms(
            min_dim_size_to_factor=1, epsilon=eps, decay_rate_fn=lambda i, exponent: 1.0 - (i + 1.0) ** -exponent
        ),
        optax.clip_by_block_rms(d),
        optax.scale_by_learning_rate(lr),
        *([optax.scale_by_param_block_rms()] if scaled else []),
    )


@pytest.mark.parametrize("lr", [pytest.param(2.0**-6, marks=pytest.mark.slow), halving])
@pytest.mark.parametrize(("theirs", "ours"), [({}, {}), ({"d": 2.5, "eps": 1e-3, "scaled": False}, {"d": 2.5, "eps1": 1e-3})])
def test_adafactor(theirs: dict[str, Any], ours: dict[str, Any], lr: Any) -> None:
    walked = walk(lambda lr: adafactor_of_optax(lr, **theirs), lr)
    scaled = theirs.get("scaled", True)
    assert apart(adafactor(start(), stream(), lr, relative_step=False, parameter_scale=scaled, **ours), walked, start()) < 1e-12
    capped = adafactor(start(), stream(), 0.5, parameter_scale=scaled, **ours)
    assert apart(capped, walk(lambda lr: adafactor_of_optax(lr, **theirs), 0.5), start()) > 1e-2


def test_adafactor_as_optax_ships_it() -> None:
    """Its beta2 is in float32; its decay is not multiplied by the rate; sides below 128 are not factored."""
    plain = walk(lambda lr: optax.adafactor(lr, min_dim_size_to_factor=1), 2.0**-6)
    ours = adafactor(start(), stream(), 2.0**-6, relative_step=False)
    assert 1e-12 < apart(ours, plain, start()) < 1e-6
    decayed = walk(lambda lr: optax.adafactor(lr, min_dim_size_to_factor=1, weight_decay_rate=2.0**-6), 2.0**-6)
    assert apart(adafactor(start(), stream(), 2.0**-6, weight_decay=1.0, relative_step=False), decayed, start()) < 1e-6
    whole = walk(lambda lr: optax.adafactor(lr), 2.0**-6)
    assert apart(ours, whole, start()) > 1e-2
    flat = adafactor(start().ravel(), stream().reshape(STEPS, -1), 2.0**-6, relative_step=False)
    assert apart(flat.reshape(whole.shape), whole, start()) < 1e-6


def test_madgrad_adds_eps_to_the_rate() -> None:
    """And rounds the rate times sqrt(t) to float32."""
    theirs = walk(lambda lr: optax.contrib.madgrad(lr), 2.0**-6)

    def rounded(t: int) -> float:
        return float(np.float32(2.0**-6 + 1e-6) * np.sqrt(np.float32(t))) / float(np.sqrt(t))

    assert apart(madgrad(start(), stream(), rounded), theirs, start()) < 1e-12
    assert apart(madgrad(start(), stream(), 2.0**-6 + 1e-6), theirs, start()) < 1e-7
    assert apart(madgrad(start(), stream(), 2.0**-6), theirs, start()) > 1e-6


def test_acprop_takes_the_mean_of_one_step_before() -> None:
    """Which is beta1 times the rate and the eps; its first step is over 1 + eps. No coordinate begins with a gradient of 0."""
    theirs = np.diff(walk(lambda lr: optax.contrib.acprop(lr, eps=1e-3, eps_root=0.0, **b), halving, zeros=False), axis=0)
    g = stream(zeros=False)
    late = acprop(start(), g, halving, eps=1e-3, late=True, **B)
    slower = acprop(start(), g, lambda t: B["beta1"] * halving(t), eps=B["beta1"] * 1e-3, **B)
    for ours in (late, slower):
        np.testing.assert_allclose(np.diff(ours, axis=0), theirs, rtol=1e-11)
    assert not np.allclose(np.diff(acprop(start(), g, halving, eps=1e-3, **B), axis=0), theirs, rtol=1e-2)


def test_sm3_as_optax_ships_it() -> None:
    """It takes no schedule. Its eps stands where a sum is not 0; without it the walk is another."""
    theirs = walk(lambda lr: optax.sm3(lr, 0.8), 2.0**-6)
    assert apart(sm3(start(), stream(), 2.0**-6, eps=1e-8, mu=0.8), theirs, start()) < 1e-12
    assert apart(sm3(start(), stream(), 2.0**-6, mu=0.8), theirs, start()) > 1e-3
    assert apart(sm3(start(), stream(), 2.0**-6, "I", eps=1e-8, mu=0.8), theirs, start()) > 1e-2
    with pytest.raises(TypeError):
        optax.sm3(halving)


def test_optimistic_adam_multiplies_its_optimism_by_no_rate() -> None:
    with pytest.warns(DeprecationWarning, match="optimistic_adam_v2"):
        theirs = walk(lambda lr: optax.optimistic_adam(lr, 0.25, eps=1e-3, **b), 2.0**-6)
    ours = optimistic_adam(start(), stream(), 2.0**-6, beta=0.25 * 2.0**6, nesterov=True, eps=1e-3, **B)
    assert apart(ours, theirs, start()) < 1e-12


def test_noisy_sgd_adds_noise_of_the_papers_variance() -> None:
    """Draws are optax's own: what it adds to its first ten thousand coordinates has the variance, and is not ours."""
    with float64():
        tx = optax.noisy_sgd(1.0, eta=0.3, gamma=0.55, key=0)
        p = jax.numpy.zeros(10_000)
        state = tx.init(p)
        for t in range(3):
            added, state = tx.update(p, state)
            unit = noisy_sgd(np.zeros(2), np.zeros((t + 1, 2)), np.eye(t + 1)[:, -1:] * [1.0, 0.0], 1.0, 0.3)[-1, 0]
            assert float(jax.numpy.std(added)) == pytest.approx(abs(unit), rel=0.03)


@pytest.mark.parametrize("lr", [2.0**-6, halving])
def test_sophia_in_optax_steps_before_it_looks(lr: Any) -> None:
    """And corrects its momentum; the paper does neither. Its estimator is replaced by the curvature |g| g / 10."""

    def bent(g: Any) -> Any:
        return 0.1 * g * abs(g)

    look = optax.GradientTransformationExtraArgs(lambda p: (), lambda g, s, params=None, **_: (bent(g), s))
    options: dict[str, Any] = {"gamma": 2.0, "eps": 1e-3, "weight_decay": 0.1}
    theirs = walk(lambda lr: optax.contrib.sophia(lr, hessian_diagonal_fn=look, update_interval=3, **b, **options), lr)
    ours = sophia(start(), stream(), [bent(g) for g in stream()], lr, k=3, optax=True, **B, **options)
    paper = sophia(start(), stream(), [bent(g) for g in stream()], lr, k=3, **B, **options)
    assert apart(ours, theirs, start()) < 1e-12
    assert apart(paper, theirs, start()) > 1e-2


@pytest.mark.parametrize("lr", [2.0**-6, halving])
def test_galore_in_optax_projects_the_longer_side(lr: Any) -> None:
    """On singular vectors taken in float32, with signs that are LAPACK's: taken anew, they are other ones."""
    theirs = walk(lambda lr: optax.contrib.galore(lr, rank=2, scale=0.25), lr)
    assert apart(galore(start(), stream(), lr, 2, side="longer"), theirs, start()) < 1e-5
    assert apart(galore(start(), stream(), lr, 2), theirs, start()) > 1e-2
    again = walk(lambda lr: optax.contrib.galore(lr, rank=2, update_proj_gap=7, scale=0.25), lr)
    assert apart(galore(start(), stream(), lr, 2, 7, side="longer"), again, start()) > 1e-2
