"""optax's functions in which a tensor's shape says what becomes of it."""

from __future__ import annotations

import math

from thalweg.arrange import Axes, arranged
from thalweg.compose import chain, choose
from thalweg.dialects.optax_parts import decayed
from thalweg.dialects.row import Masks
from thalweg.methods.adafactor import adafactor_matrix, adafactor_vector
from thalweg.methods.momentum import momentum
from thalweg.stage import Leaf, Stage
from thalweg.stages.decay import independent_decay


def adafactor(given: Masks) -> Stage:
    least, d = given.fixed("min_dim_size_to_factor"), "clipping_threshold"
    forms = {
        "beta2_decay": -given.live("decay_rate"), "eps1": given.live("eps"), "relative_step": False,
        "d": math.inf if given.fixed(d) is None else given.live(d), "parameter_scale": given.fixed("multiply_by_parameter_scale"),
    }  # fmt: skip

    def in_order(leaf: Leaf) -> list[int]:
        return sorted(range(len(leaf.shape)), key=lambda axis: leaf.shape[axis])

    def large(leaf: Leaf) -> bool:
        return len(leaf.shape) > 1 and leaf.shape[in_order(leaf)[-2]] >= least

    def longest_last(leaf: Leaf) -> Axes:
        longest = sorted(in_order(leaf)[-2:])
        return tuple((axis,) for axis in (*(a for a in range(len(leaf.shape)) if a not in longest), *longest))

    core = choose((large, arranged(longest_last, adafactor_matrix(**forms))), otherwise=adafactor_vector(**forms))
    mu = given.or_off("momentum")
    average = () if given.fixed("momentum") is None else (momentum(mu, mu),)
    shrink = decayed(given, "weight_decay_rate", "weight_decay_mask", independent_decay)
    return chain(core if given.fixed("factored") else adafactor_vector(**forms), *average, shrink)
