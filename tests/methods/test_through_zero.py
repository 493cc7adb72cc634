"""A hyper-parameter that is 0 for some steps, and another number before and after: memory is kept up meanwhile."""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np
import pytest
from support import everyday, stepped, stream

import thalweg as tw
import thalweg.numpy as tn
from methods.zeros import ALL, HANDED, ZEROS, agree, configured, fused_or_not, other
from thalweg.form import schedules

CASES = [case for case in ZEROS if not ALL[case.split()[0]].hyper[case.split()[1]].static]
OF_HANDED = [case for case in CASES if case in HANDED]

SOME = ("momentum", "lamb", "prodigy")
"""Where a kernel is compiled: element-wise, with norms, of the whole model."""


def values(case: str) -> list[float]:
    x = other(case)
    return [x, x, 0.0, 0.0, x, x]


def as_it_is(stage: Any) -> Any:
    return stage


def matrices() -> tuple[list[Any], list[list[Any]], list[float]]:
    params, gradients, losses = stream(steps=6)
    return [params["w"], 2 * params["w"]], [[g["w"], g["w"] ** 2 + g["w"]] for g in gradients], losses.tolist()


def asked(optimizer: Any, g: list[Any], loss: float) -> dict[str, Any]:
    given = {"loss": loss} if "loss" in optimizer.asks else {}
    return given | ({"curvature": [x * x - 0.01 for x in g]} if "curvature" in optimizer.asks else {})


@pytest.mark.parametrize("case", everyday(CASES))
def test_of_two_optimizers_on_one_state(case: str) -> None:
    params, gradients, losses = stream(steps=6)
    scheduled = tw.Optimizer(configured(case, lambda t: values(case)[t - 1]))
    here, there = params, params
    state, wanted = tw.Optimizer(configured(case, values(case)[0])).init(params), scheduled.init(params)
    for g, loss, value in zip(gradients, losses, values(case), strict=True):
        here, state = stepped(tw.Optimizer(configured(case, value)), here, g, state, loss=loss)
        there, wanted = stepped(scheduled, there, g, wanted, loss=loss)
        agree([here], [there])


@pytest.mark.parametrize(("case", "fused"), fused_or_not(OF_HANDED, of=SOME[2:]))
def test_in_numpys_groups(case: str, fused: bool) -> None:
    name, hyper = case.split()
    here, gradients, losses = matrices()
    pure = tw.Optimizer(configured(case, lambda t: values(case)[t - 1], of_matrices=as_it_is))
    arrays, here = [p.copy() for p in here], [here]  # a list of one group, of which names and so draws depend
    state = pure.init(here)
    stage = configured(case, other(case), of_matrices=as_it_is)
    made = tn.of(ALL[name]) if name in tw.rules else functools.partial(tn.Optimizer, rule=stage)
    optimizer = made([{"params": arrays, hyper: other(case)}], fused=fused)
    for g, loss, value in zip(gradients, losses, values(case), strict=True):
        optimizer.param_groups[0][hyper] = value
        given = {word: x if word == "loss" else [x] for word, x in asked(pure, g, loss).items()}
        optimizer.step([g], **given)
        here, state = pure.step(here, [g], state, **given)
        agree([arrays], here)


@pytest.mark.parametrize("case", everyday(OF_HANDED, of=SOME[1:]))
def test_in_torchs_groups(case: str) -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    name, hyper = case.split()
    here, gradients, losses = matrices()
    stage = configured(case, other(case), of_matrices=as_it_is)
    if "curvature" in tw.Optimizer(stage).asks:
        pytest.skip("torch's gradients are no graph here")
    ends = []
    for scheduled in (True, False):
        tensors = [torch.nn.Parameter(torch.tensor(p)) for p in here]
        made = tt.of(ALL[name]) if name in tw.rules else functools.partial(tt.Optimizer, rule=stage)
        first = (lambda t: values(case)[t - 1]) if scheduled else other(case)
        optimizer = made([{"params": tensors, hyper: first}])
        for g, loss, value in zip(gradients, losses, values(case), strict=True):
            for p, own in zip(tensors, g, strict=True):
                p.grad = torch.tensor(own)
            if not scheduled:
                optimizer.param_groups[0][hyper] = value
            optimizer.step(lambda loss=loss: loss)
        ends.append([p.detach().numpy() for p in tensors])
    agree([ends[1]], [ends[0]])


def test_what_begins_at_zero_has_no_memory_to_go_on_from() -> None:
    p, g = {"w": np.ones(3)}, {"w": np.arange(3.0)}
    told = r"'m' of adam.*a plain 0 for beta1 leaves it out.*begin with beta1=schedules.constant\(0.0\)"
    zero, some = tw.Optimizer(tw.adam(beta1=0.0), lr=0.1), tw.Optimizer(tw.adam(beta1=0.9), lr=0.1)
    moved, state = zero.step(p, g, zero.init(p))
    with pytest.raises(ValueError, match=told):
        some.step(moved, g, state)
    for fused in (True, False):
        here = {"w": np.ones(3)}
        optimizer = tn.Adam(here, lr=0.1, beta1=0.0, fused=fused)
        optimizer.param_groups[0]["beta1"] = 0.9
        optimizer.param_groups[0]["beta1"] = 0.0
        optimizer.step(g)
        before = here["w"].copy()
        optimizer.param_groups[0]["beta1"] = 0.9
        for _ in range(2):  # the second finds it too
            with pytest.raises(ValueError, match=told):
                optimizer.step(g)
        np.testing.assert_array_equal(here["w"], before)
        optimizer.param_groups[0]["beta1"] = 0.0
        optimizer.step(g)
        assert optimizer.state["t"] == {"w": 2}
        began = tn.Adam({"w": np.ones(3)}, lr=0.1, beta1=schedules.constant(0.0), fused=fused)
        began.step(g)
        began.param_groups[0]["beta1"] = 0.9
        began.step(g)


def test_in_torch_it_is_told_before_anything_moves() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    p = torch.nn.Parameter(torch.ones(3))
    optimizer = tt.Adan([p], lr=0.1, beta1=0.0)
    p.grad = torch.arange(3.0)
    optimizer.step()
    optimizer.param_groups[0]["beta1"] = 0.5
    before, kept = p.detach().clone(), optimizer.state[p].keys()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"'m' of adan.*a plain 0 for beta1 leaves it out"):
            optimizer.step()
    assert torch.equal(p, before)
    assert optimizer.state[p].keys() == kept


def test_a_checkpoint_from_while_it_is_zero_goes_on() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    def made() -> Any:
        p = torch.nn.Parameter(torch.ones(3))
        p.grad = torch.arange(3.0)
        return p, tt.Adan([p], lr=0.1, beta1=0.9)

    p, optimizer = made()
    optimizer.step()
    optimizer.param_groups[0]["beta1"] = 0.0
    optimizer.step()
    saved, q, other = copy.deepcopy(optimizer.state_dict()), *made()
    with torch.no_grad():
        q.copy_(p)
    other.load_state_dict(saved)
    for each in (optimizer, other):
        each.step()
        each.param_groups[0]["beta1"] = 0.9
        each.step()
    assert torch.equal(p, q)
