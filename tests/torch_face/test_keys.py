"""States of torch's parameters under other keys, and other parameters in their places: the state of a parameter is what lies under it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.test_between_steps import gradients_in, parameters, rekeyed, slots_reordered  # noqa: E402


@pytest.mark.parametrize("name", ["Lion", "AdaBound", "LAMB", "Prodigy", "DoG"])
@pytest.mark.parametrize("options", [{}, {"rounding": "kahan", "state_dtype": "bfloat16"}], ids=["plain", "kept"])
def test_a_state_under_another_key_is_that_parameters_state(name: str, options: dict[str, Any]) -> None:
    """The same as where the two states' contents change places, which has always been seen."""

    def contents(p: list[Any], o: Any) -> None:
        o.state[p[1]], o.state[p[4]] = dict(o.state[p[4]]), dict(o.state[p[1]])

    def run(change: Any) -> list[Any]:
        params = parameters(torch.bfloat16 if options else torch.float32)
        optimizer = getattr(tt, name)(params, lr=0.1, **options)
        for t in range(6):
            gradients_in(params, t)
            if t == 3:
                change(params, optimizer)
            optimizer.step()
        return params

    if options and name not in ("Lion", "AdaBound"):
        pytest.skip("it has no such storage")
    assert all(torch.equal(p, q) for p, q in zip(run(rekeyed), run(contents), strict=True))
    assert not all(torch.equal(p, q) for p, q in zip(run(rekeyed), run(slots_reordered), strict=True))


@pytest.mark.parametrize("make", [tt.Adam, tt.AdaBelief, tt.LAMB, tt.Prodigy, lambda p: tt.Adam(p, state_dtype="bfloat16")])
def test_states_of_two_shapes_that_change_keys_are_refused(make: Any) -> None:
    params = [torch.nn.Parameter(torch.ones(n)) for n in (2, 3)]
    optimizer = make(params)
    for t in range(4):
        gradients_in(params, t)
        optimizer.step()
    states, before = list(optimizer.state.values()), [p.detach().clone() for p in params]
    optimizer.state.clear()
    optimizer.state.update(zip(reversed(params), states, strict=True))
    with pytest.raises(RuntimeError, match="shape"):
        optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(params, before, strict=True))


@pytest.mark.parametrize(
    "make",
    [
        tt.Adam,
        tt.AdaBelief,
        tt.LAMB,
        tt.Prodigy,
        tt.NoisySGD,
        lambda p: tt.Optimizer(p, tw.chain(tw.clip(1.0), tw.adam()), lr=0.1),
    ],
)
def test_a_parameter_in_anothers_place_with_its_state_goes_on_as_it_would_have(make: Any) -> None:
    def run(replaces: bool) -> list[Any]:
        params = parameters()
        optimizer = make(params)
        for t in range(6):
            if replaces and t in (2, 4):
                old, params[1] = params[1], torch.nn.Parameter(params[1].detach().clone())
                optimizer.param_groups[0]["params"][1] = params[1]
                optimizer.state[params[1]] = optimizer.state.pop(old)
            if replaces and t == 4:
                optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
            gradients_in(params, t)
            optimizer.step()
        return params

    assert all(torch.equal(p, q) for p, q in zip(run(True), run(False), strict=True))
