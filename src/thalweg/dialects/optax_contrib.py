"""optax.contrib's functions as our rules, for `thalweg.jax.contrib.X`."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.optax_matrices import muon, muon_fits
from thalweg.dialects.optax_parts import decayed, epsilon, named, rate_of, times
from thalweg.dialects.row import Masks, Row
from thalweg.methods.adaptive.acprop import acprop
from thalweg.methods.adaptive.madgrad import madgrad
from thalweg.methods.curvature.sophia import sophia
from thalweg.methods.descent.sgd import sgd
from thalweg.methods.moments.adam import adam
from thalweg.methods.moments.ademamix import ademamix, simplified_ademamix
from thalweg.methods.moments.adopt import adopt
from thalweg.methods.rate_free.cocob import cocob
from thalweg.methods.rate_free.dog import dog, dowg
from thalweg.methods.rate_free.momo import momo, momo_adam
from thalweg.methods.rate_free.prodigy import dadapt_adam, prodigy
from thalweg.ops import minimum, off
from thalweg.stages.after import schedule_free
from thalweg.stages.decay import decay
from thalweg.stages.learning_rate import learning_rate
from thalweg.values.trees import Vector


def _acprop(given: Masks) -> Stage:
    core = acprop(given.dynamic("b1"), given.dynamic("b2"), epsilon(given))
    return chain(core, decayed(given))


def _ademamix(given: Masks) -> Stage:
    averages = given.dynamic("b1"), given.dynamic("b2"), given.dynamic("b3"), given.dynamic("alpha")
    return chain(ademamix(*averages, epsilon(given)), decayed(given))


def _simplified_ademamix(given: Masks) -> Stage:
    betas, alpha = (given.dynamic("b1"), given.dynamic("b2")), given.dynamic("alpha")
    return chain(simplified_ademamix(*betas, alpha, epsilon(given)), decayed(given))


def _adopt(given: Masks) -> Stage:
    betas, limit = (given.dynamic("b1"), given.dynamic("b2")), given.dynamic("clip_value_fn")
    return chain(adopt(*betas, given.dynamic("eps"), given.static("use_clipping"), limit))


def _madgrad(given: Masks) -> Stage:
    return chain(decay(given.dynamic_or_zero("weight_decay")), madgrad(given.dynamic("momentum"), given.dynamic("eps")))


def _madgrad_rate(given: Masks) -> Any:
    lr, eps = rate_of(given), given.dynamic("eps")
    return (lambda t: lr(t) + eps) if callable(lr) else lr + eps


def _schedule_free_sgd(given: Masks) -> Stage:
    return chain(decay(given.dynamic_or_zero("weight_decay")), sgd(), _averaged(given))


def _schedule_free_adamw(given: Masks) -> Stage:
    return chain(
        adam(0.0, given.dynamic("b2"), given.dynamic("eps")), decay(given.dynamic_or_zero("weight_decay")), _averaged(given)
    )


def _averaged(given: Masks) -> Stage:
    """Average the iterates. At a constant rate all have equal weights, so that no memory of the rates is needed."""
    stays = isinstance(given.static("learning_rate"), int | float) and given.static("warmup_steps") is None
    made: Stage = schedule_free(given.dynamic("b1"), 0.0 if stays else given.dynamic("weight_lr_power"))
    return made


def _warmed_up(given: Masks) -> Any:
    """Its warm-up starts at 0."""
    lr, steps = rate_of(given), given.static("warmup_steps")
    return lr if steps is None else lambda t: lr * minimum(1.0, (t - 1) / steps)


def _warms_up(given: Masks) -> bool:
    """A warm-up of 0 steps would make the rate 0."""
    return given.static("warmup_steps") is None or given.static("warmup_steps") > 0


def _cocob(given: Masks) -> Stage:
    return chain(decayed(given), learning_rate(), cocob(given.dynamic("alpha"), given.dynamic("eps")))


def _dadapt_adamw(given: Masks) -> Stage:
    betas, shrink = (given.dynamic("betas", 0), given.dynamic("betas", 1)), given.dynamic_or_zero("weight_decay")
    core = dadapt_adam(*betas, given.dynamic("eps"), given.dynamic("estim_lr0"), shrink, bias_correction=True, metric="old")
    return chain(core)


def _prodigy(given: Masks) -> Stage:
    betas, shrink = (given.dynamic("betas", 0), given.dynamic("betas", 1)), given.dynamic_or_zero("weight_decay")
    starts, guarded = (given.dynamic("estim_lr0"), given.dynamic("estim_lr_coef")), given.static("safeguard_warmup")
    return chain(prodigy(*betas, given.dynamic("eps"), *starts, shrink, True, guarded, "next d", given.dynamic_or_zero("beta3")))


def _prodigy_fits(given: Masks) -> bool:
    """For our rule, beta3 = 0 means its own default, so that it takes no number that may be 0."""
    beta3 = given.static("beta3")
    return beta3 is None or (isinstance(beta3, int | float) and not off(beta3))


def _sophia(given: Masks) -> Stage:
    """Clipping at c equals c times clipping at 1 of the c-th part."""
    betas, c, k = (given.dynamic("b1"), given.dynamic("b2")), given.static("clip_threshold"), given.static("update_interval")
    core = sophia(*betas, c * given.static("gamma"), c * given.static("eps"), k)
    return chain(core, decayed(given, mask="weight_decay_mask", share=1 / c))


def _sophia_fits(given: Masks) -> bool:
    """Our rule has a fixed interval of curvature estimates, and always clips."""
    return isinstance(given.static("update_interval"), int) and given.static("clip_threshold") is not None


def _dog(given: Masks) -> Stage:
    return chain(decayed(given), dog(given.dynamic("init_step", 1), given.dynamic("eps"), relative=False))


def _first_distance(given: Masks) -> Any:
    """Compute the share of the parameters once, here; the rule with relative=True computes it at each step."""
    kind, step = given.static("init_step")
    return step if kind == "distance" else lambda params: step * (1 + Vector(params).norm_of_all())


def _dog_fits(given: Masks) -> bool:
    return given.static("init_step")[0] in ("heuristic", "distance")


def _dowg(given: Masks) -> Stage:
    first = given.dynamic("eps" if given.static("init_estim_sq_dist") is None else "init_estim_sq_dist")
    return chain(decayed(given), dowg(first**0.5, given.dynamic("eps")))


def _momo(given: Masks) -> Stage:
    bound, shrink = given.dynamic("lower_bound"), given.dynamic_or_zero("weight_decay")
    return chain(momo(given.dynamic("beta"), bound, shrink, estimate=given.static("adapt_lower_bound")))


def _momo_adam(given: Masks) -> Stage:
    averages, bound, shrink = (
        (given.dynamic("b1"), given.dynamic("b2")),
        given.dynamic("lower_bound"),
        given.dynamic_or_zero("weight_decay"),
    )
    return chain(momo_adam(*averages, given.dynamic("eps"), bound, shrink, estimate=given.static("adapt_lower_bound")))


CONTRIB: dict[str, Row] = {
    "acprop": Row(_acprop, named("acprop", m="mu", s="nu"), rate_of),
    "ademamix": Row(_ademamix, named("ademamix", v="nu"), rate_of, only=("mu_dtype",)),
    "adopt": Row(_adopt, named("adopt"), rate_of, dtypes={"adopt.m": "mu_dtype"}, only=("nesterov",)),
    "cocob": Row(_cocob, rate=rate_of),
    "dadapt_adamw": Row(_dadapt_adamw, rate=rate_of),
    "dog": Row(_dog, rate=rate_of, starts={"dog.r": _first_distance}, fits=_dog_fits),
    "dowg": Row(_dowg, rate=rate_of),
    "madgrad": Row(_madgrad, named("madgrad", nu="grad_sum_sq"), _madgrad_rate),
    "momo": Row(_momo, rate=rate_of),
    "momo_adam": Row(_momo_adam, rate=rate_of),
    "muon": Row(
        muon, rate=rate_of, dtypes=dict.fromkeys(("muon.B", "adam.m", "nadam.m"), "mu_dtype"), fits=muon_fits,
    ),
    "prodigy": Row(_prodigy, rate=rate_of, fits=_prodigy_fits),
    "schedule_free_adamw": Row(_schedule_free_adamw, rate=_warmed_up, only=("state_dtype",), fits=_warms_up),
    "schedule_free_sgd": Row(_schedule_free_sgd, rate=_warmed_up, only=("state_dtype",), fits=_warms_up),
    "sophia": Row(
        _sophia, named("sophia", m="mu", h="nu"), lambda given: times(rate_of(given), given.static("clip_threshold")),
        dtypes={"sophia.m": "mu_dtype"}, looks="hessian_diagonal_fn",
        only=("verbose", "print_win_rate_every_n_steps"), fits=_sophia_fits,
    ),
    "simplified_ademamix": Row(_simplified_ademamix, named("simplified_ademamix", m="m", v="n"), rate_of),
}  # fmt: skip
"""optax.contrib's functions by name."""
