"""What is composed means on `thalweg.torch` what it means on the pure optimizer: numbers of the model, accumulation."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
from support import everyday, through_a_file

import thalweg as tw
import thalweg.numpy as tn

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.models import GROUPS, WHO, parameters, pure, run  # noqa: E402

MODEL_WIDE: dict[str, Any] = {
    name: tw.rules[name]
    for name in (
        "adams",
        "avagrad",
        "prodigy",
        "dadapt_adam",
        "dadapt_sgd",
        "dog",
        "dowg",
        "eve",
        "momo",
        "momo_adam",
        "mechanic",
        "cocob",
        "swats",
        "adgd",
        "dadapt_lion",
        "dadapt_adan",
        "dadapt_adagrad",
        "adagrad_norm",
    )
    if name in tw.rules
} | {
    "clip": lambda: tw.chain(tw.clip(0.5), tw.adam()),
    "by parameter": lambda: tw.choose((tw.is_matrix, tw.momentum()), otherwise=tw.prodigy()),
    "two of one kind": lambda: tw.choose((tw.is_matrix, tw.dadapt_adam()), otherwise=tw.prodigy()),
    "two eves": lambda: tw.choose((tw.is_matrix, tw.eve()), otherwise=tw.eve()),
    "clipped prodigy": lambda: tw.chain(tw.clip(1.0), tw.prodigy()),
}
EVERYDAY = ("the first rests", "in turn")


@pytest.mark.parametrize(
    ("who", "groups"),
    [
        pytest.param(who, groups, marks=[] if groups == "two groups" and who in EVERYDAY else pytest.mark.slow)
        for who in WHO
        for groups in GROUPS
    ],
)
@pytest.mark.parametrize("name", everyday(MODEL_WIDE))
def test_one_number_for_the_model(name: str, who: str, groups: str) -> None:
    """And to the last bit where training was stopped half-way."""
    params, again = parameters(), parameters()
    make = MODEL_WIDE[name]
    options = {"lr": 0.1} if make().lr is None else {}
    ours = tt.Optimizer(GROUPS[groups](params), make(), **options)
    run(ours, params, range(12), WHO[who])
    for p, expected in zip(params, pure(make(), WHO[who], 12, **options).values(), strict=True):
        torch.testing.assert_close(p.detach(), expected, rtol=1e-12, atol=1e-13)
    half = tt.Optimizer(GROUPS[groups](again), make(), **options)
    run(half, again, range(7), WHO[who])
    kept = through_a_file(half.state_dict())
    half = tt.Optimizer(GROUPS[groups](again), make(), **options)
    half.load_state_dict(kept)
    run(half, again, range(7, 12), WHO[who])
    assert all(torch.equal(p, q) for p, q in zip(params, again, strict=True))


@pytest.mark.parametrize("groups", ["one group", "two groups"])
@pytest.mark.parametrize(
    "make",
    [tw.sgd, tw.adam, tw.prodigy, lambda: tw.chain(tw.clip(0.1), tw.adam(), tw.average(0.9))],
    ids=["sgd", "adam", "prodigy", "chain"],
)
def test_accumulation_equals_the_pure_optimizers_and_resumes_half_way(make: Any, groups: str) -> None:
    params, rule = parameters(), tw.every(4, make())
    options = {"lr": 0.1} if rule.lr is None else {}
    ours = tt.Optimizer(GROUPS[groups](params), rule, **options)
    run(ours, params, range(6), WHO["all"])
    kept = through_a_file(ours.state_dict())
    ours = tt.Optimizer(GROUPS[groups](params), rule, **options)
    ours.load_state_dict(kept)
    run(ours, params, range(6, 14), WHO["all"])
    for p, expected in zip(params, pure(rule, WHO["all"], 14, **options).values(), strict=True):
        torch.testing.assert_close(p.detach(), expected, rtol=1e-12, atol=1e-13)


def test_accumulation_needs_each_gradient_but_those_of_frozen_parameters() -> None:
    params = parameters()
    ours = tt.Optimizer(params, tw.every(2, tw.sgd()), lr=0.1)
    with pytest.raises(ValueError, match="needs each gradient in each call; '1' has none"):
        run(ours, params, range(1), lambda t, i: i != 1)
    assert not ours.state
    params[1].requires_grad_(False)
    run(ours, params, range(2), lambda t, i: i != 1)
    assert torch.equal(params[1], parameters()[1])
    assert not torch.equal(params[0], parameters()[0])


def test_schedulers_reach_the_branches_with_a_rate_of_their_own() -> None:
    weight, bias = torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))
    rule = tw.choose((tw.is_matrix, tw.sgd().at(lr=0.02)), otherwise=tw.sgd())
    ours = tt.Optimizer([{"params": [weight, bias]}], rule, lr=0.5)
    schedule = torch.optim.lr_scheduler.LambdaLR(ours, lambda t: (1.0, 0.5, 0.0)[t])
    moved = []
    for t in range(3):
        if t == 2:  # a checkpoint knows what the rates began with
            kept = through_a_file(ours.state_dict())
            ours = tt.Optimizer([{"params": [weight, bias]}], rule, lr=7.0)
            ours.load_state_dict(kept)
        before = weight.detach().clone(), bias.detach().clone()
        weight.grad, bias.grad = torch.ones(2, 2), torch.ones(2)
        ours.step()
        moved.append(((before[0] - weight.detach())[0, 0].item(), (before[1] - bias.detach())[0].item()))
        schedule.step() if t < 2 else None
    assert moved == [pytest.approx(pair, abs=1e-6) for pair in ((0.02, 0.5), (0.01, 0.25), (0.0, 0.0))]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ScheduleFreeLion", "chain(lion(), schedule_free())"),
        ("LookaheadAdam", "chain(adam(), lookahead())"),
        ("EMA", "chain(adam(), average(0.999))"),
        ("RangerQH", "chain(qhadam(), lookahead(k=6))"),
        ("Adam8bit", "state_dtype='int8'"),
        ("Adan2", "did you mean 'Adan'"),
    ],
)
def test_names_that_are_no_optimizers_are_told_what_to_write(name: str, told: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(told)):
        getattr(tt, name)


@pytest.mark.parametrize(
    ("ours", "stage"),
    [
        (lambda p: tt.Lookahead(p, tw.adam(), lr=0.1, k=2), tw.chain(tw.adam(), tw.lookahead(k=2))),
        (lambda p: tt.SWA(p, tw.momentum, 0.1, start=2), tw.chain(tw.momentum(), tw.swa(start=2))),
        (lambda p: tt.SAM(p, tw.adam(beta1=0.5), lr=0.1, rho=0.2), tw.chain(tw.sam(rho=0.2), tw.adam(beta1=0.5))),
        (lambda p: tt.gsam([{"params": p}], tw.sgd(), lr=0.1), tw.chain(tw.gsam(), tw.sgd())),
        (lambda p: tt.ScheduleFree(p, tw.adamw(), lr=0.1), tw.chain(tw.adamw(), tw.schedule_free())),
    ],
    ids=["Lookahead", "SWA", "SAM", "GSAM", "ScheduleFree"],
)
def test_a_stage_around_or_behind_a_rule_has_a_class(ours: Any, stage: Any) -> None:
    ends = []
    for make in (ours, lambda p: tt.Optimizer(p, stage, lr=0.1)):
        p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
        optimizer = pickle.loads(pickle.dumps(make([p])))
        (p,) = optimizer.param_groups[0]["params"]

        def closure(p: Any = p, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = (p**2).sum()
            loss.backward()
            return loss

        for _ in range(5):
            optimizer.step(closure)
        optimizer.eval()
        ends.append(p.detach())
    assert torch.equal(*ends)


@pytest.mark.parametrize("rule", [None, torch.optim.SGD, "adam", 0.1])
def test_such_a_class_takes_a_rule(rule: Any) -> None:
    with pytest.raises(TypeError, match=r"Lookahead takes parameters and a rule, Lookahead\(model.parameters\(\), sgd\(\)"):
        tt.Lookahead([torch.nn.Parameter(torch.ones(2))], rule)


@pytest.mark.parametrize("given", [tw.chain(tw.adam()), tw.adam(), "adam"], ids=["chain", "stage", "text"])
def test_of_takes_rules(given: Any) -> None:
    with pytest.raises(TypeError, match="of takes a rule or recipe such as adam"):
        tt.of(given)


def test_repr_has_all_that_is_composed() -> None:
    chosen = tw.every(2, tw.choose((tw.is_matrix, tw.sgd().at(lr=0.02)), otherwise=tw.adam(beta1=0.8)))
    shown = repr(tt.Optimizer([torch.nn.Parameter(torch.ones(2))], chosen, lr=0.1))
    assert all(word in shown for word in ("every(2", "is_matrix", "at(lr=0.02)", "adam(beta1=0.8)")), shown


@pytest.mark.parametrize("given", ["model", "named", "parameters"])
def test_muon_with_adamw_routes_a_model(given: str) -> None:
    """The matrix in the middle has Muon; the embedding, the head and the bias have AdamW, as far as there are names."""
    ends = []
    for whole in (True, False):
        torch.manual_seed(0)
        model = torch.nn.Sequential()
        for name, layer in (("embed", torch.nn.Linear(3, 4)), ("middle", torch.nn.Linear(4, 4)), ("head", torch.nn.Linear(4, 2))):
            model.add_module(name, layer.double())
        if whole:
            optimizers = [
                tt.MuonWithAdamW({"model": model, "named": model.named_parameters(), "parameters": model.parameters()}[given])
            ]
        else:
            weights = [model.embed.weight, model.head.weight]
            muons = [model.middle.weight, *(weights if given == "parameters" else [])]
            rest = [p for p in model.parameters() if all(p is not q for q in muons)]
            optimizers = [
                tt.Optimizer(muons, tw.muon(), lr=0.02), tt.Optimizer(rest, tw.adam(0.9, 0.95, 1e-10), lr=3e-4)
            ]  # fmt: skip
        for _ in range(3):
            model.zero_grad()
            model(torch.arange(6.0, dtype=torch.float64).reshape(2, 3)).square().mean().backward()
            for optimizer in optimizers:
                optimizer.step()
        ends.append(list(model.parameters()))
    for ours, apart in zip(*ends, strict=True):
        torch.testing.assert_close(ours, apart, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MuonAdamW", "MuonWithAdamW"), ("SingleDeviceMuonWithAuxAdam", "MuonWithAdamW"), ("muon_with_adamw", "MuonWithAdamW"),
        ("AdamWScheduleFree", "ScheduleFreeAdamW"), ("schedulefree_adamw", "ScheduleFreeAdamW"), ("RAdamScheduleFree", "ScheduleFreeRAdam"),
    ],
)  # fmt: skip
def test_names_of_other_libraries_are_found(name: str, meant: str) -> None:
    assert getattr(tt, name) is getattr(tt, meant)
    assert getattr(tn, name) is getattr(tn, meant)


def test_a_name_that_is_written_otherwise_is_told() -> None:
    for name, meant in (
        ("schedulefree_adamw", "schedule_free_adamw"),
        ("MuonAdamW", "muon_with_adamw"),
        ("schedulefree", "schedule_free"),
    ):
        with pytest.raises(AttributeError, match=f"did you mean '{meant}'"):
            getattr(tw, name)
