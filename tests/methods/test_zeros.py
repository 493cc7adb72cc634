"""A 0 that comes from a schedule, a lane, a parameter group or a tracer computes what a plain 0 does."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from support import EVERYDAY, run, stepped, stream

import thalweg as tw
import thalweg.numpy as tn
from methods.zeros import ALL, HANDED, STEPS, ZEROS, agree, configured, fused_or_not, one_of_each_kind, other

SOME = ("momentum", "lamb", "prodigy")
"""Where a case is compiled or has a kernel: element-wise, with norms, of the whole model."""


def plain(case: str, value: float = 0.0) -> Any:
    params, gradients, losses = stream(steps=STEPS)
    return run(configured(case, value), params, gradients, losses=losses)[0]


@pytest.mark.parametrize("case", one_of_each_kind(ZEROS, EVERYDAY))
def test_a_schedule_of_zero_is_a_plain_zero(case: str) -> None:
    params, gradients, losses = stream(steps=STEPS)
    wanted = plain(case)
    for zero in (lambda t: 0.0, lambda t: np.float32(0.0), lambda t: np.zeros(())):
        agree(run(configured(case, zero), params, gradients, losses=losses)[0], wanted)


@pytest.mark.parametrize("case", one_of_each_kind(ZEROS, EVERYDAY))
def test_a_lane_of_zero_is_a_plain_zero(case: str) -> None:
    params, gradients, losses = stream(steps=STEPS)
    twice = [{key: np.stack([x, x]) for key, x in tree.items()} for tree in (params, *gradients)]
    path = run(configured(case, np.array([0.0, other(case)])), twice[0], twice[1:], losses=losses, lanes=2)[0]
    agree(path, plain(case), 0)
    agree(path, plain(case, other(case)), 1)


@pytest.mark.parametrize(("case", "fused"), fused_or_not(HANDED))
def test_a_group_of_zero_is_a_plain_zero(case: str, fused: bool) -> None:
    """One group has a plain 0, the other a schedule of it."""
    name, hyper = case.split()
    params, gradients, losses = stream(steps=STEPS)
    here, gradients = [params["w"], 2 * params["w"]], [[g["w"], g["w"] ** 2 + g["w"]] for g in gradients]
    pure = tw.Optimizer(configured(case, 0.0, of_matrices=lambda stage: stage))
    arrays, state = [p.copy() for p in here], pure.init(here)
    groups = [{"params": arrays[0], hyper: 0.0}, {"params": arrays[1], hyper: lambda t: 0.0}]
    if ALL[name].hyper[hyper].static:
        pytest.skip("it is the same for all groups")
    made = tn.of(ALL[name]) if name in tw.rules else functools.partial(tn.Optimizer, rule=configured(case, other(case)))
    optimizer = made(groups, fused=fused)
    for g, loss in zip(gradients, losses, strict=True):
        given = {"loss": loss} if "loss" in pure.asks else {}
        given |= {"curvature": [x * x - 0.01 for x in g]} if "curvature" in pure.asks else {}
        optimizer.step(g, **given)
        here, state = pure.step(here, g, state, **given)
        agree([arrays], [here])


@pytest.mark.parametrize("case", one_of_each_kind(HANDED, of=SOME))
def test_a_traced_zero_is_a_plain_zero(case: str) -> None:
    jax = pytest.importorskip("jax")
    params, gradients, losses = stream(steps=3)

    def last(zero: Any) -> Any:
        optimizer = tw.Optimizer(configured(case, zero))
        here = jax.tree.map(jax.numpy.asarray, params)
        state = optimizer.init(here)
        for g, loss in zip(gradients, losses, strict=True):
            here, state = stepped(optimizer, here, jax.tree.map(jax.numpy.asarray, g), state, loss=loss)
        return here

    with jax.enable_x64(True):
        found, wanted = jax.jit(last)(0.0), jax.jit(lambda: last(0.0))()
    for key in params:
        np.testing.assert_allclose(found[key], wanted[key], rtol=1e-9, atol=1e-12)
