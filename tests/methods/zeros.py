"""Each rule and stage with each of its hyper-parameters that may be 0."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pytest
from support import EVERYDAY, of_matrices

import thalweg as tw
from thalweg.core.compose import refuses_vectors
from thalweg.form.hyper import Hyper
from thalweg.ops import Epsilon

STEPS = 12
ALL = {**tw.rules, **tw.stages_by_name}


def may_be_zero(hyper: Hyper) -> bool:
    return not hyper.static and (hyper.range is None or 0.0 in hyper.range)


def zeros() -> list[tuple[str, str]]:
    """Each rule and stage with each hyper-parameter that may be 0, an epsilon's number among them."""
    return [(name, h.name) for name, method in ALL.items() for h in method.hyper.values() if any(map(may_be_zero, first_part(h)))]


def first_part(hyper: Hyper) -> list[Hyper]:
    return [hyper.parts[hyper.name]]


ZEROS = [f"{name} {hyper}" for name, hyper in zeros()] + ["adasecant gamma_clip", "adasecant delta_clip"]
OTHER = {"T": 5.0, "t0": 3.0}
OF_ROWS = ("tangent", "adapnm_to_norm_one")
"""Stages whose memory tells nothing of it, and which yet take nothing but matrices."""


COMPILED = (
    *("momentum", "adam", "lamb", "prodigy", "santa_sss"),
    *("decay", "average", "schedule_free", "trust_ratio", "adafactor_vector", "mechanic"),
)
"""Rules and stages whose kernels are compiled every day: element-wise, with norms, rows and columns, the whole model, noise."""


def rare(of: Collection[str]) -> set[str]:
    """The rules that are none of these."""
    return set(tw.rules) - set(of)


def fused_or_not(cases: Collection[str], of: Collection[str] = EVERYDAY) -> list[Any]:
    """Each case without kernels and with them: as `support.everyday`, and of kernels only those of `COMPILED` every day."""
    return [
        pytest.param(case, fused, marks=pytest.mark.slow if name in rare(of) or (fused and name not in COMPILED) else ())
        for fused in (True, False)
        for case in cases
        for name in case.split()[:1]
    ]


def one_of_each_kind(cases: Collection[str], of: Collection[str]) -> list[Any]:
    """Every day the first case of each of these rules and of each stage of `COMPILED`, the others with `-m slow`."""
    every_day = {case.split()[0]: case for case in reversed([*cases]) if case.split()[0] in {*of, *COMPILED} - rare(of)}
    return [pytest.param(case, marks=pytest.mark.slow if case not in every_day.values() else ()) for case in cases]


def configured(case: str, zero: Any, of_matrices: Any = of_matrices) -> Any:
    """The rule of a case with this in the place of the 0; a stage follows or goes before a plain descent."""
    name, hyper = case.split()
    usual = ALL[name].hyper[hyper].default
    stage = ALL[name](**{hyper: Epsilon(zero, usual.place, usual.root) if isinstance(usual, Epsilon) else zero})
    if refuses_vectors(stage) or name in OF_ROWS:
        stage = of_matrices(stage)
    if name in tw.stages_by_name:
        stage = tw.chain(stage, tw.sgd()) if stage.place == 0 else tw.chain(tw.sgd(), stage)
    return stage


HANDED = [case for case in ZEROS if not tw.Optimizer(configured(case, 0.0)).asks_gradients]


def other(case: str) -> float:
    """A value of the hyper-parameter that is not 0."""
    name, hyper = case.split()
    usual = ALL[name].hyper[hyper].default
    usual = usual.number if isinstance(usual, Epsilon) else usual
    return float(OTHER.get(hyper, usual or 0.5))


def agree(found: Any, wanted: Any, part: Any = ...) -> None:
    for a, b in zip(found, wanted, strict=True):
        for key in b if isinstance(b, dict) else range(len(b)):
            np.testing.assert_allclose(a[key][part], b[key], rtol=1e-12, atol=1e-14)
