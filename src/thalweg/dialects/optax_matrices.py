"""optax's functions whose algorithm depends on a tensor's shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.core.arrange import Axes, arranged
from thalweg.core.compose import choose
from thalweg.core.leaf import Leaf
from thalweg.core.stage import Stage, chain
from thalweg.dialects.optax_parts import adam_or_nadam, decayed
from thalweg.dialects.row import Masks
from thalweg.methods.descent.momentum import momentum
from thalweg.methods.matrices.adafactor import adafactor_matrix, adafactor_vector
from thalweg.methods.matrices.muon import muon as orthogonalized
from thalweg.ops import at_least
from thalweg.stages.decay import decay, independent_decay


def _in_order(leaf: Leaf) -> list[int]:
    return sorted(range(len(leaf.shape)), key=lambda axis: leaf.shape[axis])


@dataclass(frozen=True)
class _Large:
    """Whether a tensor's two longest axes have at least this length; a class, because closures cannot be pickled."""

    least: int
    __name__ = "large"

    def __call__(self, leaf: Leaf) -> bool:
        return len(leaf.shape) > 1 and leaf.shape[_in_order(leaf)[-2]] >= self.least


def _longest_last(leaf: Leaf) -> Axes:
    longest = sorted(_in_order(leaf)[-2:])
    return tuple((axis,) for axis in (*(a for a in range(len(leaf.shape)) if a not in longest), *longest))


def adafactor(given: Masks) -> Stage:
    least, d = given.static("min_dim_size_to_factor"), "clipping_threshold"
    forms = {
        "beta2_decay": -given.dynamic("decay_rate"), "eps1": given.dynamic("eps"), "relative_step": False,
        "d": math.inf if given.static(d) is None else given.dynamic(d),
        "parameter_scale": given.static("multiply_by_parameter_scale"),
        "offset": given.dynamic_or_zero("decay_offset"),
    }  # fmt: skip

    core = choose((_Large(least), arranged(_longest_last, adafactor_matrix(**forms))), otherwise=adafactor_vector(**forms))
    mu = given.dynamic_or_zero("momentum")
    average = () if given.static("momentum") is None else (momentum(mu, mu),)
    shrink = decayed(given, "weight_decay_rate", "weight_decay_mask", independent_decay)
    return chain(core if given.static("factored") else adafactor_vector(**forms), *average, shrink)


COEFFICIENTS: dict[str, Any] = {
    "standard": (3.4445, -4.7750, 2.0315),
    "dion": (
        (4.0848, -6.8946, 2.9270), (3.9505, -6.3029, 2.6377), (3.7418, -5.5913, 2.3037),
        (2.8769, -3.1427, 1.2046), (2.8366, -3.0525, 1.2012),
    ),
}  # fmt: skip
"""The named coefficients of its muon: the blog post's, and those of Dion's code (Ahn et al. 2025, arXiv 2504.05295)."""


def _coefficients(given: Masks) -> Any:
    told = given.static("ns_coeffs")
    return COEFFICIENTS[told] if isinstance(told, str) else told


def _of_each(coefficients: Any) -> bool:
    """Whether each iteration has its own three coefficients."""
    return np.ndim(coefficients[0]) > 0


def muon(given: Masks) -> Stage:
    """Its muon: for the tensors that it treats as matrices; Adam or Nadam for the rest."""
    numbers, core = given.told("muon_weight_dimension_numbers"), _core_of_muon(given)
    rest: Stage = chain(adam_or_nadam(given, "adam_"), decay(given.dynamic_or_zero("adam_weight_decay")))
    if given.static("adam_learning_rate") is not None:
        rest = rest.at(given.dynamic("adam_learning_rate"))
    shrink = decayed(given, mask="weight_decay_mask")
    if numbers is None:
        return choose((_has_two_axes, chain(core, shrink)), otherwise=rest)
    seen = arranged(lambda leaf: _rows_and_columns(len(leaf.shape), numbers(leaf)), core)
    return choose((lambda leaf: numbers(leaf) is not None, chain(seen, shrink)), otherwise=rest)


def _has_two_axes(leaf: Any) -> bool:
    return len(leaf.shape) == 2


def _rows_and_columns(axes: int, numbers: Any) -> Axes:
    """Return the groups of axes: all others singly, then the reduced axes, then the output axes, as its numbers name them."""
    both = [x if hasattr(x, "__len__") else (x,) for x in (numbers.reduction_axis, numbers.output_axis)]
    groups = [tuple(axis % axes for axis in group) for group in both]
    return (*((axis,) for axis in range(axes) if axis not in groups[0] + groups[1]), *groups)


def _core_of_muon(given: Masks) -> Stage:
    told, rms, kind = _coefficients(given), given.static("consistent_rms"), given.static("preconditioning")
    forms: dict[str, Any] = {"coefficients": told} if _of_each(told) else dict(zip("abc", told, strict=True))
    forms |= {"scale": "transposed"} if rms is None else {"scale": "match_rms_adamw", "rms": given.dynamic("consistent_rms")}
    if kind in ("aol", "schatten"):  # 1e-8 under the root, whatever its eps
        forms |= {"eps": at_least(1e-4)}
    else:
        forms |= {"eps": given.dynamic("eps")}
    options = {"momentum": "corrected", "dual_norm": given.static("adaptive"), "preconditioning": kind}
    core: Stage = orthogonalized(
        given.dynamic("beta"), given.static("nesterov"), ns_steps=given.static("ns_steps"), **options, **forms
    )
    return core


def muon_fits(given: Masks) -> bool:
    """Whether our rule supports the arguments; optax's own function handles, or rejects, all others."""
    told = given.static("ns_coeffs")
    if not isinstance(given.static("ns_steps"), int) or (isinstance(told, str) and told not in COEFFICIENTS):
        return False
    known = given.static("preconditioning") in ("frobenius", "spectral", "aol", "schatten")
    return known and (not _of_each(_coefficients(given)) or len(_coefficients(given)) <= given.static("ns_steps"))
