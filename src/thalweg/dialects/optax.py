"""optax's functions as our rules."""

from __future__ import annotations

import warnings
from typing import Any

from thalweg.core.compose import only
from thalweg.core.stage import Stage, chain
from thalweg.dialects.optax_matrices import adafactor
from thalweg.dialects.optax_parts import adam_or_nadam, decayed, epsilon, named, rate_of
from thalweg.dialects.row import Masks, Row
from thalweg.dialects.variants import amsgrad_of_corrected, corrected_adan, corrected_yogi, steady_amsgrad
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.adagrad import adagrad
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.optimistic import optimistic_gd
from thalweg.methods.descent.polyak import polyak_sgd
from thalweg.methods.descent.rprop import rprop
from thalweg.methods.descent.sgd import noisy_sgd, sgd
from thalweg.methods.descent.signs import lion, signsgd, signum
from thalweg.methods.layers.layerwise import fromage, layer_normalized
from thalweg.methods.matrices.sm3 import sm3
from thalweg.methods.moments.adabelief import adabelief
from thalweg.methods.moments.adam import adam, adamax, radam
from thalweg.ops import inside, outside
from thalweg.stages.decay import decay
from thalweg.stages.learning_rate import learning_rate
from thalweg.stages.trust_ratio import trust_ratio


def _ball(given: Masks) -> Stage:
    ahead: bool = given.static("nesterov")
    return chain(nesterov(given.dynamic("momentum")) if ahead else momentum(given.dynamic("momentum")))


def _sgd(given: Masks) -> Stage:
    return chain(sgd() if given.static("momentum") is None else _ball(given))


def _adamw(given: Masks) -> Stage:
    return chain(adam_or_nadam(given), decayed(given))


def _adamax(given: Masks) -> Stage:
    return chain(adamax(given.dynamic("b1"), given.dynamic("b2"), given.dynamic("eps")))


def _adamaxw(given: Masks) -> Stage:
    return chain(_adamax(given), decayed(given))


def _radam(given: Masks) -> Stage:
    return chain(radam(given.dynamic("b1"), given.dynamic("b2"), epsilon(given), given.dynamic("threshold")))


def _amsgrad(given: Masks) -> Stage:
    core = amsgrad_of_corrected if given.static("bias_correction_mu") else steady_amsgrad
    return chain(core(given.dynamic("b1"), given.dynamic("b2"), epsilon(given)))


def _adabelief(given: Masks) -> Stage:
    return chain(adabelief(given.dynamic("b1"), given.dynamic("b2"), epsilon(given)))


def _adan(given: Masks) -> Stage:
    betas = given.dynamic("b1"), given.dynamic("b2"), given.dynamic("b3")
    return chain(corrected_adan(*betas, epsilon(given)), decayed(given))


def _yogi(given: Masks) -> Stage:
    return chain(corrected_yogi(given.dynamic("b1"), given.dynamic("b2"), given.dynamic("eps")))


def _rmsprop(given: Masks) -> Stage:
    average, eps = given.dynamic("decay"), (inside if given.static("eps_in_sqrt") else outside)(given.dynamic("eps"))
    if given.static("bias_correction"):
        core = adam(0.0, average, eps)
    else:
        core = rmsprop(average, eps, given.static("centered"))
    return chain(core) if given.static("momentum") is None else chain(core, learning_rate(), _ball(given))


def _adagrad(given: Masks) -> Stage:
    return chain(adagrad(inside(given.dynamic("eps"))))


def _adadelta(given: Masks) -> Stage:
    return chain(decayed(given, mask="weight_decay_mask"), adadelta(given.dynamic("rho"), given.dynamic("eps")))


def _lion(given: Masks) -> Stage:
    return chain(lion(given.dynamic("b1"), given.dynamic("b2")), decayed(given))


def _signum(given: Masks) -> Stage:
    return chain(signum(given.dynamic("beta")))


def _lars(given: Masks) -> Stage:
    ratio = trust_ratio(coefficient=given.dynamic("trust_coefficient"), eps=given.dynamic_or_zero("eps"))
    scaled = given.leaves("trust_ratio_mask")
    shrink = decayed(given, mask="weight_decay_mask")
    return chain(shrink, ratio if scaled is None else only(scaled, ratio), learning_rate(), _ball(given))


def _lamb(given: Masks) -> Stage:
    core = adam(given.dynamic("b1"), given.dynamic("b2"), epsilon(given))
    return chain(core, decayed(given), trust_ratio())


def _novograd(given: Masks) -> Stage:
    normalized = layer_normalized(given.dynamic("b2"), epsilon(given))
    return chain(normalized, decay(given.dynamic_or_zero("weight_decay")), momentum(given.dynamic("b1")))


def _fromage(given: Masks) -> Stage:
    return chain(fromage(given.dynamic_or_zero("min_norm")))


def _optimistic_gd(given: Masks) -> Stage:
    return chain(optimistic_gd(given.dynamic("alpha"), given.dynamic("beta")))


def _optimistic_adam(given: Masks) -> Stage:
    return chain(adam_or_nadam(given), _optimistic_gd(given))


def _optimistic_adam_1(given: Masks) -> Stage:
    """Return the form of its first version, with the rate on the gradient's part only: an update at rate 1."""
    warnings.warn("optax has retired `optimistic_adam`: use `optimistic_adam_v2` instead", DeprecationWarning, stacklevel=3)
    lr = given.dynamic("learning_rate")
    return chain(adam_or_nadam(given), optimistic_gd(lr, lr if given.static("optimism") is None else given.dynamic("optimism")))


def _polyak_sgd(given: Masks) -> Stage:
    scaling, eps = given.dynamic("scaling"), given.dynamic_or_zero("eps")
    beside = (lambda t: eps / scaling(t)) if callable(scaling) else eps / scaling
    return chain(polyak_sgd(scaling, given.dynamic("f_min"), given.static("variant") == "sps+", beside))


def _polyak_rate(given: Masks) -> Any:
    """Its limit applies to the factor of the scaled gradient."""
    limit, scaling = given.dynamic("max_learning_rate"), given.dynamic("scaling")
    return (lambda t: limit * scaling(t)) if callable(scaling) else limit * scaling


def _rprop(given: Masks) -> Stage:
    etas = given.dynamic("eta_minus"), given.dynamic("eta_plus")
    return chain(rprop(*etas, given.dynamic("min_step_size"), given.dynamic("max_step_size")))


def _sm3(given: Masks) -> Stage:
    average = given.dynamic("momentum")
    return chain(sm3(eps=1e-8), momentum(average, dampening=average))


_LARGEST = {"m": "mu", "v": "nu", "v_max": "nu_max"}
_TRACE = {**named("momentum", v="trace"), **named("nesterov", v="trace")}
_ADAM = {**named("adam"), **named("nadam", m="mu", n="nu")}
_OPTIMISTIC = {**_ADAM, **named("optimistic_gd", previous="previous_gradient")}
_IN_MU = dict.fromkeys(("adam.m", "nadam.m", "amsgrad_of_corrected.m", "steady_amsgrad.m", "lion.m"), "mu_dtype")

OPTAX: dict[str, Row] = {
    "sgd": Row(_sgd, _TRACE, rate_of, dtypes=dict.fromkeys(_TRACE, "accumulator_dtype")),
    "adam": Row(adam_or_nadam, _ADAM, rate_of, dtypes=_IN_MU),
    "adamw": Row(_adamw, _ADAM, rate_of, dtypes=_IN_MU),
    "nadam": Row(adam_or_nadam, _ADAM, rate_of, dtypes=_IN_MU),
    "nadamw": Row(_adamw, _ADAM, rate_of, dtypes=_IN_MU),
    "adamax": Row(_adamax, named("adamax", m="mu", u="nu"), rate_of),
    "adamaxw": Row(_adamaxw, named("adamax", m="mu", u="nu"), rate_of),
    "radam": Row(_radam, named("radam"), rate_of, only=("nesterov",)),
    "amsgrad": Row(
        _amsgrad, {**named("amsgrad_of_corrected", **_LARGEST), **named("steady_amsgrad", **_LARGEST)}, rate_of,
        dtypes=_IN_MU, fits=lambda given: given.static("bias_correction_mu") == given.static("bias_correction_nu"),
    ),
    "adabelief": Row(_adabelief, named("adabelief", m="mu", s="nu"), rate_of, only=("nesterov",)),
    "adan": Row(_adan, named("corrected_adan", prev="g"), rate_of),
    "yogi": Row(_yogi, named("corrected_yogi"), rate_of, starts={"corrected_yogi.v": lambda given: 1e-6}),
    "rmsprop": Row(
        _rmsprop,
        {**named("rmsprop", v="nu", m="mu"), **named("adam"), **_TRACE},
        rate_of,
        starts=dict.fromkeys(("rmsprop.v", "adam.v"), lambda given: given.static("initial_scale")),
        fits=lambda given: not (given.static("bias_correction") and given.static("centered")),
    ),
    "adagrad": Row(
        _adagrad, named("adagrad", G="sum_of_squares"), rate_of,
        starts={"adagrad.G": lambda given: given.static("initial_accumulator_value")},
    ),
    "adadelta": Row(_adadelta, named("adadelta", v="e_g", u="e_x"), rate_of),
    "adafactor": Row(
        adafactor, {**named("adafactor_vector", V="v"), **named("momentum", v="ema")}, rate_of,
        dtypes={"momentum.v": "dtype_momentum"},
    ),
    "lion": Row(_lion, named("lion", m="mu"), rate_of, dtypes=_IN_MU),
    "sign_sgd": Row(lambda given: chain(signsgd()), rate=rate_of),
    "signum": Row(_signum, named("signum", m="ema"), rate_of, dtypes={"signum.m": "accumulator_dtype"}),
    "lars": Row(_lars, _TRACE, rate_of),
    "lamb": Row(_lamb, named("adam"), rate_of),
    "novograd": Row(_novograd, {**named("layer_normalized", n="nu"), **named("momentum", v="mu")}, rate_of),
    "fromage": Row(_fromage, rate=rate_of),
    "optimistic_gradient_descent": Row(_optimistic_gd, named("optimistic_gd", previous="previous_gradient"), rate_of),
    "noisy_sgd": Row(
        lambda given: chain(noisy_sgd(given.dynamic("eta"), given.dynamic("gamma"))), rate=rate_of, only=("seed",), draws="key"
    ),
    "optimistic_adam": Row(
        _optimistic_adam_1, _OPTIMISTIC, lambda given: 1.0, dtypes=_IN_MU,
        fits=lambda given: not callable(given.static("learning_rate")),
    ),
    "optimistic_adam_v2": Row(_optimistic_adam, _OPTIMISTIC, rate_of, dtypes=_IN_MU),
    "polyak_sgd": Row(
        _polyak_sgd, rate=_polyak_rate, fits=lambda given: given.static("variant") in ("sps", "sps+"),
    ),
    "sm3": Row(_sm3, named("momentum", v="nu"), rate_of),
    "rprop": Row(_rprop, named("rprop", size="step_sizes"), rate_of),
}  # fmt: skip
"""optax's functions by name."""
