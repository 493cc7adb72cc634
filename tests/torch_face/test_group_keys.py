"""What a parameter group may say of a composition: its stages' hyper-parameters, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402


def two(**options: Any) -> tuple[Any, Any, list[dict[str, Any]]]:
    a, b = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    return a, b, [{"params": [a], **options}, {"params": [b]}]


@pytest.mark.parametrize(
    "rule",
    [lambda: tw.chain(tw.clip(10.0), tw.sgd(), tw.decay(0.1)), lambda: tw.chain(tw.sgd(), tw.decay(0.1))],
    ids=["of the whole model", "by kernels"],
)
def test_a_groups_hyper_parameter_is_the_stages(rule: Any) -> None:
    a, b, groups = two(weight_decay=0.5)
    ours = tt.Optimizer(groups, rule(), lr=1.0)
    for x, y in ((0.5, 0.9), (0.25, 0.81)):
        a.grad, b.grad = torch.zeros(2), torch.zeros(2)
        ours.step()
        torch.testing.assert_close(torch.stack([a[0], b[0]]), torch.tensor([x, y]))
    ours.param_groups[0]["weight_decay"] = ours.param_groups[1]["weight_decay"] = 0.0  # a scheduler's
    ours.step()
    torch.testing.assert_close(torch.stack([a[0], b[0]]), torch.tensor([0.25, 0.81]))
    ours.add_param_group({"params": [c := torch.nn.Parameter(torch.ones(2))], "weight_decay": 0.5})
    c.grad = torch.zeros(2)
    ours.step()
    assert c[0] == 0.5


def test_a_scheduler_may_set_any_of_them_between_steps() -> None:
    for word, value, rule in (("beta1", 0.5, tw.adam(beta1=0.5)), ("eps_place", "inside", tw.adam(eps=tw.inside(1e-8)))):
        a, b, groups = two()
        ours, other = tt.Optimizer(groups[:1], tw.adam(), lr=0.1), tt.Optimizer(groups[1:], rule, lr=0.1)
        for t in range(3):
            a.grad, b.grad = torch.full((2,), t + 1.0), torch.full((2,), t + 1.0)
            if t == 0:
                ours.param_groups[0][word] = value
            ours.step()
            other.step()
        assert torch.equal(a, b)


def test_what_a_group_may_not_say() -> None:
    for key, message in (("weight_decai", "weight_decay"), ("momentum", "no hyper-parameter 'momentum'"), ("beta_1", "beta1")):
        with pytest.raises(TypeError, match=message):
            tt.Optimizer(two(**{key: 0.5})[2], tw.chain(tw.adam(), tw.decay()), lr=0.1)
    with pytest.raises(ValueError, match="decay or decay"):
        tt.Optimizer(two(weight_decay=0.5)[2], tw.chain(tw.decay(0.1), tw.adam(), tw.decay(0.1)), lr=0.1)
    with pytest.raises(ValueError, match="ascend"):
        tt.Optimizer(two(maximize=True)[2], tw.adam(), lr=0.1)
    with pytest.raises(ValueError, match="weight_decay"):
        tt.Optimizer(two(weight_decay=-1.0)[2], tw.chain(tw.adam(), tw.decay()), lr=0.1)
    tt.Optimizer(two(initial_lr=0.1, max_lr=1.0, swa_lr=0.1, name="x", lr_scale=1.0, fused=None, weight_decay=0)[2], tw.adam())


@pytest.mark.parametrize(
    "where", [dict.fromkeys("a"), {"weight_decay": -1.0}, {"weight_decai": 0.0}, {"rounding": "upwards"}], ids=str
)
def test_a_refused_group_leaves_no_trace(where: dict[str, Any]) -> None:
    _, _, groups = two()
    ours = tt.Optimizer(groups[:1], tw.chain(tw.adam(), tw.decay()), lr=0.1)
    said = {"params": [torch.nn.Parameter(torch.ones(2))], **where}
    before = dict(said)
    with pytest.raises((TypeError, ValueError)):
        ours.add_param_group(said)
    assert said == before
    assert len(ours.param_groups) == 1


def test_a_rule_for_matrices_refuses_a_vector_when_made() -> None:
    for name in ("galore", "muon"):
        with pytest.raises(ValueError, match=r"needs a matrix.*choose"):
            tt.Optimizer([torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))], tw.rules[name]())
    ours = tt.Optimizer([torch.nn.Parameter(torch.ones(2, 2))], tw.muon())
    with pytest.raises(ValueError, match="needs a matrix"):
        ours.add_param_group({"params": [torch.nn.Parameter(torch.ones(2))]})
    assert len(ours.param_groups) == 1


def test_a_key_written_into_a_group_later_is_looked_at_too() -> None:
    p = torch.nn.Parameter(torch.ones(2))
    ours = tt.Optimizer([p], tw.chain(tw.adam(), tw.decay()), lr=0.1)
    for key, refused in (("initial_lr", False), ("weight_decay", False), ("weight_decai", True)):
        ours.param_groups[0][key] = 0.1
        p.grad = torch.ones(2)
        if refused:
            with pytest.raises(TypeError, match=r"no hyper-parameter 'weight_decai'.*did you mean 'weight_decay'"):
                ours.step()
        else:
            ours.step()
