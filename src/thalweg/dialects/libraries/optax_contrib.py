"""optax.contrib, for the table of optax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg.core.function_stage import FunctionStage
from thalweg.core.stage import Stage, chain
from thalweg.dialects.method import Build, Method, given
from thalweg.dialects.optax_contrib import CONTRIB
from thalweg.dialects.row import Row
from thalweg.dialects.variants import late_acprop
from thalweg.methods.adaptive.acprop import acprop
from thalweg.methods.adaptive.madgrad import madgrad
from thalweg.methods.averaged.schedule_free import schedule_free_adamw, schedule_free_sgd
from thalweg.methods.matrices.muon import muon
from thalweg.methods.moments.ademamix import ademamix, simplified_ademamix
from thalweg.methods.moments.adopt import adopt
from thalweg.methods.rate_free.cocob import cocob
from thalweg.methods.rate_free.dog import dowg
from thalweg.methods.rate_free.prodigy import dadapt_adam, prodigy
from thalweg.ops import outside

LR = {"learning_rate": None}
AT = {"learning_rate": 1e-2}
DECAY = {"weight_decay": 0.0, "mask": None}
B = {"b1": 0.9, "b2": 0.999}


def of(row: Row) -> Build:
    """Return what builds a row's stages, with the library's first values in their memory. ValueError if the row does not fit."""

    def build(o: Any) -> Stage:
        if row.fits is not None and not row.fits(o):
            raise ValueError("there is no rule here for these arguments together")
        first: dict[str, dict[str, float]] = {}
        for place, value in row.starts.items():
            stage, _, slot = place.partition(".")
            first.setdefault(stage, {})[slot] = value(o)
        parts = chain(row.stages(o)).stages
        return chain(*(x.starting(**first[x.name]) if isinstance(x, FunctionStage) and x.name in first else x for x in parts))

    return build


def asked(row: Row) -> Callable[[Any], Any]:
    """Return a row's learning rate; None where the caller must give one and has not."""
    return lambda o: None if o.learning_rate is None else row.rate(o)


def _contrib(name: str, defaults: dict[str, Any], paper: Build, differs: str = "", *settings: Any, **more: Any) -> Method:
    row = CONTRIB[name]
    more = {"theirs": of(row), "rate": asked(row), **more}
    file = f"optax/contrib/_{name.removesuffix('_adamw').removesuffix('_sgd')}.py"
    return Method(f"contrib.{name}", file, defaults, paper, differs, settings=settings or (given(**AT),), **more)


METHODS = (
    _contrib("acprop", {**LR, "b1": 0.9, "b2": 0.999, "eps": 1e-16, "eps_root": 1e-16, **DECAY}, lambda o: acprop(o.b1, o.b2, o.eps),
             "the deviation is from the mean of one step before", theirs=lambda o: late_acprop(o.b1, o.b2, outside(o.eps, root=o.eps_root))),
    _contrib("ademamix", {**LR, **B, "b3": 0.9999, "alpha": 5.0, "eps": 1e-8, "eps_root": 0.0, **DECAY},
             lambda o: ademamix(o.b1, o.b2, o.b3, o.alpha, o.eps)),
    _contrib("simplified_ademamix", {**LR, "b1": 0.99, "b2": 0.95, "alpha": 0.0, "eps": 1e-8, "eps_root": 0.0, **DECAY},
             lambda o: simplified_ademamix(o.b1, o.b2, o.alpha, o.eps)),
    _contrib("adopt", {**LR, "b1": 0.9, "b2": 0.9999, "eps": 1e-6, "use_clipping": True, "clip_value_fn": lambda t: (t - 1) ** 0.25},
             lambda o: adopt(o.b1, o.b2, o.eps, o.use_clipping)),
    _contrib("madgrad", {**LR, "momentum": 0.9, "eps": 1e-6, "weight_decay": 0.0}, lambda o: madgrad(o.momentum, o.eps),
             "epsilon is added to the learning rate too, as in the authors' code", remains="the weight lr sqrt(t) is computed in float32"),
    _contrib("prodigy", {"learning_rate": 1.0, "betas": (0.9, 0.999), "beta3": None, "eps": 1e-8, "estim_lr0": 1e-6,
                         "estim_lr_coef": 1.0, "weight_decay": 0.0, "safeguard_warmup": False},
             lambda o: prodigy(*o.betas, o.eps),
             "the rate and its estimates have Adam's bias corrections, and eps is multiplied by the d of the next step", given()),
    _contrib("dadapt_adamw", {"learning_rate": 1.0, "betas": (0.9, 0.999), "eps": 1e-8, "estim_lr0": 1e-6, "weight_decay": 0.0},
             lambda o: dadapt_adam(*o.betas, o.eps),
             "the rate has Adam's bias corrections, and the estimate is divided by the second moment of the step before", given()),
    _contrib("cocob", {"learning_rate": 1.0, "alpha": 100, "eps": 1e-8, **DECAY}, lambda o: cocob(o.alpha, o.eps), "", given()),
    _contrib("dowg", {"learning_rate": 1.0, "init_estim_sq_dist": None, "eps": 1e-4, "weight_decay": None, "mask": None}, lambda o: dowg(), "eps is added to the root, as in the authors' code", given()),
    _contrib("muon", {**LR, "ns_coeffs": (3.4445, -4.7750, 2.0315), "ns_steps": 5, "beta": 0.95, "eps": 1e-8,
                      "weight_decay": 0.0, "weight_decay_mask": None, "nesterov": True, "adaptive": False,
                      "preconditioning": "frobenius", "adam_b1": 0.9, "adam_b2": 0.999, "adam_eps_root": 0.0,
                      "adam_weight_decay": 0.0, "adam_learning_rate": None, "muon_weight_dimension_numbers": None,
                      "consistent_rms": None},
             lambda o: muon(o.beta, o.nesterov, ns_steps=o.ns_steps, eps=o.eps),
             "the momentum is an average with Nadam's corrections, and the scale is for matrices of (inputs, outputs)",
             matrices=True),
    _contrib("schedule_free_sgd", {"learning_rate": 1.0, "warmup_steps": None, "b1": 0.9, "weight_decay": None, "weight_lr_power": 2.0},
             lambda o: schedule_free_sgd(o.b1, o.weight_lr_power)),
    _contrib("schedule_free_adamw", {"learning_rate": 0.0025, "warmup_steps": None, **B, "eps": 1e-8, "weight_decay": 0.0,
                                     "weight_lr_power": 2.0},
             lambda o: schedule_free_adamw(o.b1, o.b2, o.eps, o.weight_decay, o.weight_lr_power),
             "as the authors' later code: the second moment is corrected, and not the rate", given()),
)  # fmt: skip
