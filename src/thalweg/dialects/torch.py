"""torch.optim's classes as our rules."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.row import Arguments, Row, Typed
from thalweg.dialects.variants import corrected_amsgrad, late_asgd, undamped_momentum, undamped_nesterov
from thalweg.methods.adaptive.adadelta import adadelta
from thalweg.methods.adaptive.adagrad import adagrad
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.momentum import momentum, nesterov
from thalweg.methods.descent.rprop import rprop
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.matrices.adafactor import adafactor
from thalweg.methods.matrices.muon import muon
from thalweg.methods.moments.adam import adam, adamax, nadam, radam
from thalweg.ops import at_least, off, outside
from thalweg.stages.ascend import ascend
from thalweg.stages.decay import decay


def _with_decay(given: Arguments, *core: Any, decoupled: bool = False) -> Stage:
    """torch negates the gradient first, then adds a coupled decay; a decoupled one comes last."""
    first = [ascend()] if given.static("maximize") else []
    shrink = decay(given.dynamic_or_zero("weight_decay"))
    return chain(*first, *core, shrink) if decoupled else chain(*first, shrink, *core)


def _sgd(given: Arguments) -> Stage:
    mu = given.dynamic_or_zero("momentum")
    if off(mu):
        return _with_decay(given, sgd())
    if given.static("nesterov"):
        damping = given.dynamic_or_zero("dampening")
        return _with_decay(given, nesterov(mu) if off(damping) else undamped_nesterov(mu, damping))
    damping = given.dynamic_or_zero("dampening")
    return _with_decay(given, momentum(mu) if off(damping) else undamped_momentum(mu, damping))


def _adam(given: Arguments) -> Stage:
    betas = given.dynamic("betas", 0), given.dynamic("betas", 1)
    core = adam(*betas, given.dynamic("eps"))
    if given.static("amsgrad"):
        core = corrected_amsgrad(*betas, given.dynamic("eps"))
    return _with_decay(given, core, decoupled=given.static("decoupled_weight_decay"))


def _nadam(given: Arguments) -> Stage:
    core = nadam(
        given.dynamic("betas", 0),
        given.dynamic("betas", 1),
        given.dynamic("eps"),
        given.dynamic("momentum_decay"),
        average="constant",
        nu_factor=False,
    )
    return _with_decay(given, core, decoupled=given.static("decoupled_weight_decay"))


def _radam(given: Arguments) -> Stage:
    core = radam(given.dynamic("betas", 0), given.dynamic("betas", 1), outside(given.dynamic("eps"), raw=True), 5.0)
    return _with_decay(given, core, decoupled=given.static("decoupled_weight_decay"))


def _rprop(given: Arguments) -> Stage:
    core = rprop(
        given.dynamic("etas", 0), given.dynamic("etas", 1), given.dynamic("step_sizes", 0), given.dynamic("step_sizes", 1)
    )
    return chain(*([ascend()] if given.static("maximize") else []), core)


def _asgd(given: Arguments) -> Stage:
    return _with_decay(given, late_asgd(given.dynamic_or_zero("lambd"), given.dynamic("alpha"), given.dynamic("t0")))


def _adafactor(given: Typed) -> Stage:
    eps1 = given.dynamic("eps", 0) if given.static("eps")[0] is not None else given.by_dtype(EPSILON)
    core = adafactor(
        given.dynamic("beta2_decay"),
        at_least(eps1),
        given.dynamic("eps", 1),
        given.dynamic("d"),
        given.dynamic_or_zero("weight_decay"),
    )
    return chain(*([ascend()] if given.static("maximize") else []), core)


def _muon(given: Arguments) -> Stage:
    core = muon(
        given.dynamic("momentum"),
        given.static("nesterov"),
        "average",
        given.static("ns_steps"),
        *(given.dynamic("ns_coefficients", part) for part in range(3)),
        at_least(given.dynamic("eps")),
        "bfloat16",
        given.static("adjust_lr_fn") or "original",
    )
    return chain(core, decay(given.dynamic_or_zero("weight_decay")))


def _sparse_adam(given: Arguments) -> Stage:
    """Update only the rows of a sparse gradient."""
    core = adam(given.dynamic("betas", 0), given.dynamic("betas", 1), outside(given.dynamic("eps"), raw=True))
    return chain(*([ascend()] if given.static("maximize") else []), core)


def _adamax(given: Arguments) -> Stage:
    return _with_decay(given, adamax(given.dynamic("betas", 0), given.dynamic("betas", 1), given.dynamic("eps")))


def _rmsprop(given: Arguments) -> Stage:
    core = [rmsprop(given.dynamic("alpha"), given.dynamic("eps"), given.static("centered"))]
    mu = given.dynamic_or_zero("momentum")
    return _with_decay(given, *core, *([] if off(mu) else [momentum(mu)]))


def _adagrad(given: Arguments) -> Stage:
    return _with_decay(given, adagrad(given.dynamic("eps")))


def _now(value: Any, t: Any) -> Any:
    return value(t) if callable(value) else value


def _adagrad_rate(given: Arguments) -> Any:
    lr, slowing = given.dynamic("lr"), given.dynamic("lr_decay")
    return lambda t: _now(lr, t) / (1 + (t - 1) * _now(slowing, t))


def _adadelta(given: Arguments) -> Stage:
    return _with_decay(given, adadelta(given.dynamic("rho"), given.dynamic("eps")))


EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""The spacing of each dtype's numbers at 1."""
_MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"}
_ADAM = Row(_adam, {f"{stage}.{slot}": name for stage in ("adam", "corrected_amsgrad") for slot, name in _MOMENTS.items()})

TORCH: dict[str, Row] = {
    "SGD": Row(
        _sgd,
        dict.fromkeys(("momentum.v", "undamped_momentum.v", "nesterov.v", "undamped_nesterov.v"), "momentum_buffer"),
        counts=False,
    ),
    "Adam": _ADAM,
    "AdamW": _ADAM,
    "NAdam": Row(_nadam, {"nadam.m": "exp_avg", "nadam.n": "exp_avg_sq", "nadam.product": "mu_product"}, scalars="float32"),
    "RAdam": Row(_radam, {"radam.m": "exp_avg", "radam.v": "exp_avg_sq"}),
    "Rprop": Row(_rprop, {"rprop.prev": "prev", "rprop.size": "step_size"}),
    "ASGD": Row(
        _asgd,
        {"late_fading_rate.eta": "eta", "late_polyak_average.x": "ax", "late_polyak_average.mu": "mu"},
        starts={"late_fading_rate.eta": lambda given: _now(given.dynamic("lr"), 1)},
        scalars="float32",
    ),
    "Adamax": Row(_adamax, {"adamax.m": "exp_avg", "adamax.u": "exp_inf"}),
    "RMSprop": Row(_rmsprop, {"rmsprop.v": "square_avg", "rmsprop.m": "grad_avg", "momentum.v": "momentum_buffer"}),
    "Adagrad": Row(
        _adagrad,
        {"adagrad.G": "sum"},
        _adagrad_rate,
        starts={"adagrad.G": lambda given: given.static("initial_accumulator_value")},
    ),
    "Adadelta": Row(_adadelta, {"adadelta.v": "square_avg", "adadelta.u": "acc_delta"}),
    "Adafactor": Row(
        _adafactor,
        {"adafactor_matrix.R": "row_var", "adafactor_matrix.C": "col_var", "adafactor_vector.V": "variance"},
        stored=False,
    ),
    "Muon": Row(_muon, {"muon.B": "momentum_buffer"}, counts=False, kernel=False),
    "SparseAdam": Row(_sparse_adam, {"adam.m": "exp_avg", "adam.v": "exp_avg_sq"}, kernel=False),
}
"""torch.optim's classes by name. NAdam's product of momenta, and ASGD's rate and weight, are rounded to float32, as torch
stores them; in float64 the exact rule differs by 1e-8.
"""
