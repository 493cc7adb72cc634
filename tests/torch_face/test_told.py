"""What an optimizer cannot do with what it was handed is told, where it would pass over it in silence."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.models import Net  # noqa: E402


def test_a_key_taken_out_of_a_group_is_missed_and_another_in_its_place_is_looked_at() -> None:
    def made(rule: Any = None, **group: Any) -> tuple[Any, Any]:
        p = torch.nn.Parameter(torch.ones(2))
        groups = [{"params": [p], **group}]
        ours = tt.AdaBound(groups, lr=0.1) if rule is None else tt.Optimizer(groups, rule, lr=0.1)
        for _ in range(3):
            p.grad = torch.ones(2)
            ours.step()
        return p, ours

    for add, error, words in (
        (None, KeyError, "AdaBound: a parameter group lacks 'gamma'"),
        ("gama", TypeError, "did you mean 'gamma'"),
    ):
        p, ours = made()
        before = p.detach().clone()
        del ours.param_groups[0]["gamma"]
        if add:
            ours.param_groups[0][add] = 0.5
        with pytest.raises(error, match=words):
            ours.step()
        assert torch.equal(p, before)
    chain = tw.chain(tw.clip(), tw.adam())
    (p, ours), (q, plain) = made(chain, max_norm=0.5), made(chain, max_norm=0.5)
    del ours.param_groups[0]["max_norm"]
    ours.param_groups[0]["beta1"] = 0.5
    plain.param_groups[0].update(max_norm=1.0, beta1=0.5)  # its stage's own
    for optimizer in (ours, plain):
        optimizer.step()
    assert torch.equal(p, q)


def test_flags_and_duplicates_that_would_do_nothing_are_refused() -> None:
    p = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match="AdaBound has no differentiable steps"):
        tt.AdaBound([{"params": [p], "differentiable": True}], lr=0.1)
    for make in (tt.AdaBound, lambda params: tt.Optimizer(params, tw.chain(tw.clip(), tw.adam()), lr=0.1)):
        with (
            pytest.warns(UserWarning, match="duplicate parameters"),  # torch's own word
            pytest.raises(ValueError, match="a parameter is there twice in a group"),
        ):
            make([p, p])
        ours = make([torch.nn.Parameter(torch.ones(2))])
        with pytest.warns(UserWarning, match="duplicate parameters"), pytest.raises(ValueError, match="twice"):
            ours.add_param_group({"params": [p, p]})
        assert len(ours.param_groups) == 1
        ours.param_groups[0]["differentiable"] = True
        p.grad = torch.ones(2)
        with pytest.raises(ValueError, match="no differentiable steps"):
            ours.step()


def test_a_condition_on_names_that_are_only_positions_is_told() -> None:
    def starts(leaf: Any) -> bool:
        return len(leaf.shape) > 1 and str(leaf.name).startswith("head")

    def reads(leaf: Any) -> bool:
        return tw.named("head")(leaf)

    def first(leaf: Any) -> bool:
        return bool(leaf.name == "0")

    net = Net()
    weights = [p for p in net.parameters() if p.ndim > 1]
    for condition in (starts, reads):
        with pytest.warns(
            UserWarning, match=rf"{condition.__name__} reads parameters' names.*'0' and so on.*named_parameters\(\)"
        ):
            tt.Optimizer(weights, tw.every(2, tw.choose((condition, tw.sgd()), otherwise=tw.adam())), lr=0.1)
        tt.Optimizer(net.named_parameters(), tw.choose((condition, tw.sgd()), otherwise=tw.adam()), lr=0.1)
    tt.Optimizer(weights, tw.choose((first, tw.sgd()), (tw.is_matrix, tw.momentum()), otherwise=tw.adam()), lr=0.1)


def test_parameters_written_between_eval_and_train_are_told() -> None:
    net = torch.nn.Linear(2, 1)
    for rule in (tw.chain(tw.sgd(), tw.average(0.5)), tw.chain(tw.sgd(), tw.schedule_free())):
        ours = tt.Optimizer(net.parameters(), rule, lr=0.1)
        for p in net.parameters():
            p.grad = torch.ones_like(p)
        ours.step()
        ours.step()
        kept, training = copy.deepcopy(net.state_dict()), copy.deepcopy(net.state_dict())
        ours.eval()
        kept["bias"] = net.bias.detach() + 1
        net.load_state_dict(kept)
        with pytest.warns(UserWarning, match=r"written between eval\(\) and train\(\)"):
            ours.train()
        assert torch.equal(net.bias, training["bias"])
        ours.eval()
        net.double()
        ours.train()
        net.float()


@pytest.mark.parametrize("given", [torch.ones(3), torch.ones(()), torch.ones(2, 1), 1.0, "x"], ids=str)
def test_a_curvature_of_another_shape_is_refused(given: Any) -> None:
    p = torch.nn.Parameter(torch.ones(2))
    ours = tt.Sophia([p], lr=0.1)
    p.grad, p.curvature = torch.ones(2), given
    with pytest.raises(ValueError, match=r"curvature is a tensor of its shape \(2,\), and not"):
        ours.step()
    assert torch.equal(p, torch.ones(2))


def test_torchs_scheduler_over_one_of_ours_is_told_that_it_is_no_number() -> None:
    ours = tt.AdaBound([torch.nn.Parameter(torch.ones(2))], lr=tw.schedules.cosine(0.1, 9))
    for make in (lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda t: 0.5), lambda o: torch.optim.lr_scheduler.LinearLR(o)):
        with pytest.raises(TypeError, match=r"cosine\(value=0.1.* is a schedule.*no number to compute with"):
            make(ours)


def test_a_lazy_module_is_told_to_run_first() -> None:
    with pytest.raises(
        ValueError, match=r"Prodigy: parameter 'weight' has no shape yet; first run a batch through the lazy model"
    ):
        tt.Prodigy(torch.nn.LazyLinear(3).named_parameters())
