"""The parameters' names, which some rules ask for, are torch's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.models import Net  # noqa: E402

HELD = {"still": lambda: tw.choose((tw.named(r"^hidden\."), tw.sgd().at(lr=0.0)), otherwise=tw.sgd())}
HANDED = {
    "pairs": lambda net: net.named_parameters(),
    "groups of pairs": lambda net: [{"params": list(net.hidden.named_parameters("hidden"))}, {"params": list(net.head.named_parameters("head"))}],
    "a group's param_names": lambda net: [{"params": list(net.parameters()), "param_names": [name for name, _ in net.named_parameters()]}],
    "of a compiled model": lambda net: torch.nn.ModuleDict({"_orig_mod": net}).named_parameters(),
}  # fmt: skip


@pytest.mark.parametrize("how", HANDED)
def test_names_are_torchs(how: str) -> None:
    net = Net()
    before = copy.deepcopy(net)
    ours = tt.Optimizer(HANDED[how](net), HELD["still"](), lr=1.0)
    for _ in range(2):
        net(torch.ones(1, 2)).sum().backward()
        ours.step()
    assert torch.equal(before.hidden.weight, net.hidden.weight)
    assert not torch.equal(before.head.weight, net.head.weight)


def test_draws_are_the_pure_optimizers_by_name() -> None:
    net = Net().double()
    q = {name: p.detach().clone() for name, p in net.named_parameters()}
    rule = tw.noisy_sgd
    optimizer = tw.Optimizer(rule(), seed=3)
    ours, state = tt.of(rule)(net.named_parameters(), seed=3), optimizer.init(q)
    for _ in range(3):
        for p in net.parameters():
            p.grad = torch.ones_like(p)
        ours.step()
        q, state = optimizer.step(q, {name: torch.ones_like(p) for name, p in q.items()}, state)
    for name, p in net.named_parameters():
        torch.testing.assert_close(p.detach(), q[name], rtol=1e-12, atol=1e-14)


def test_a_rule_that_asks_for_names_is_told_where_there_are_none() -> None:
    for rule in (HELD["still"](), tw.every(2, tw.chain(tw.clip(), tw.only(tw.named("x"), tw.decay())))):
        with pytest.raises(ValueError, match=r"names.*named_parameters\(\)"):
            tt.Optimizer(Net().parameters(), rule, lr=1.0)


@pytest.mark.filterwarnings("ignore:.*reads parameters' names")
@pytest.mark.parametrize("mine", [["body", "head"], None], ids=["named", "unnamed"])
@pytest.mark.parametrize(
    "theirs", [["head", "body"], ["module.body", "module.head"], None], ids=["permuted", "wrapped", "unnamed"]
)
@pytest.mark.parametrize("groups", ["one group", "two groups"])
def test_a_checkpoint_changes_no_names(mine: list[str] | None, theirs: list[str] | None, groups: str) -> None:
    """Neither the branch that a parameter takes nor its draws, and not what the group says."""

    def made(names: list[str] | None) -> tuple[list[Any], Any]:
        params = [torch.nn.Parameter(torch.ones(3)) for _ in range(2)]
        handed = params if names is None else list(zip(names, params, strict=True))
        own = [{"params": handed[:1]}, {"params": handed[1:]}] if groups == "two groups" else handed
        still = tw.choose((_is_head, tw.noisy_sgd().at(lr=0.0)), otherwise=tw.noisy_sgd())
        return params, tt.Optimizer(own, still, lr=1.0, seed=1)

    def step(params: list[Any], optimizer: Any) -> list[Any]:
        for p in params:
            p.grad = torch.zeros(3)
        optimizer.step()
        return [p.detach().clone() for p in params]

    again, as_before = made(mine), made(mine)
    other = made(theirs)
    step(*other)
    said = [{k: v for k, v in group.items() if k == "param_names"} for group in again[1].param_groups]
    again[1].load_state_dict(copy.deepcopy(other[1].state_dict()))
    same_groups = {"param_groups": as_before[1].state_dict()["param_groups"]}
    as_before[1].load_state_dict(copy.deepcopy({**other[1].state_dict(), **same_groups}))
    assert all(torch.equal(p, q) for p, q in zip(step(*again), step(*as_before), strict=True))
    assert bool((again[0][1] == 1).all()) == (mine is not None)
    assert [{k: v for k, v in group.items() if k == "param_names"} for group in again[1].param_groups] == said


def _is_head(leaf: Any) -> bool:
    return str(leaf.name) == "head"
