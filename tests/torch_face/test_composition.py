"""What is composed means on `thalweg.torch` what it means on the pure optimizer: numbers of the model, names, groups, points."""

from __future__ import annotations

import copy
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import everyday, through_a_file

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

SHAPES = [(3,), (4, 3), (), (2, 5)]


def parameters() -> list[Any]:
    draw = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(s, generator=draw, dtype=torch.float64)) for s in SHAPES]


def gradients(t: int, who: Any) -> list[Any]:
    """Of each parameter but those that have none this time."""
    draw = torch.Generator().manual_seed(t + 1)
    made = [torch.randn(s, generator=draw, dtype=torch.float64) for s in SHAPES]
    return [g if who(t, i) else None for i, g in enumerate(made)]


WHO: dict[str, Any] = {
    "all": lambda t, i: True,
    "the first rests": lambda t, i: i != 0 or t % 3 == 0,
    "the last rests": lambda t, i: i != 3 or t < 4,
    "in turn": lambda t, i: (t + i) % 4 != 0,
    "the first frozen at first": lambda t, i: i != 0 or t > 5,
    "one at a time": lambda t, i: t % 4 == i,
}
GROUPS: dict[str, Any] = {
    "one group": lambda params: params,
    "a group each": lambda params: [{"params": [p]} for p in params],
    "two groups": lambda params: [{"params": params[:1]}, {"params": params[1:]}],
}
MODEL_WIDE: dict[str, Any] = {
    name: tw.rules[name]
    for name in ("prodigy", "dadapt_adam", "dadapt_sgd", "dog", "dowg", "eve", "momo", "momo_adam", "mechanic", "cocob")
    if name in tw.rules
} | {
    "clip": lambda: tw.chain(tw.clip(0.5), tw.adam()),
    "by parameter": lambda: tw.choose((tw.is_matrix, tw.momentum()), otherwise=tw.prodigy()),
    "two of one kind": lambda: tw.choose((tw.is_matrix, tw.dadapt_adam()), otherwise=tw.prodigy()),
    "two eves": lambda: tw.choose((tw.is_matrix, tw.eve()), otherwise=tw.eve()),
    "clipped prodigy": lambda: tw.chain(tw.clip(1.0), tw.prodigy()),
}


def run(ours: Any, params: list[Any], times: range, who: Any) -> None:
    for t in times:
        for p, g in zip(params, gradients(t, who), strict=True):
            p.grad = None if g is None else g.clone()
        ours.step(lambda t=t: 1.0 / (t + 1))


def pure(rule: Any, who: Any, steps: int, **options: Any) -> dict[str, Any]:
    optimizer = tw.Optimizer(rule, **options)
    q = {str(i): p.detach().clone() for i, p in enumerate(parameters())}
    state = optimizer.init(q)
    for t in range(steps):
        given = {str(i): g for i, g in enumerate(gradients(t, who))}
        q, state = optimizer.step(q, given, state, **({"loss": 1.0 / (t + 1)} if "loss" in optimizer.asks else {}))
    return q


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


# names


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.head = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)

    def forward(self, x: Any) -> Any:
        return self.head(self.hidden(x))


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
    rule = next(r for r in tw.rules.values() if "noise" in r.asks and "loss" not in r.asks)
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


# groups


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


# points of a method's own


AROUND = {
    "sam": lambda: tw.chain(tw.sam(0.05), tw.sgd()),
    "sam, momentum": lambda: tw.chain(tw.sam(0.05), tw.momentum()),
    "lbfgs": lambda: tw.lbfgs(),
}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("name", AROUND)
def test_a_closure_that_raises_leaves_all_as_it_was(name: str, error: type[BaseException]) -> None:
    p = torch.nn.Parameter(torch.tensor([1.0, 3.0]))
    ours = tt.Optimizer([p], AROUND[name](), lr=0.1)
    calls = [0]

    def closure() -> Any:
        calls[0] += 1
        if calls[0] == stop:
            raise error
        ours.zero_grad()
        loss = (p**4).sum()
        loss.backward()
        return loss

    stop = 0
    ours.step(closure)
    before, state = p.detach().clone(), copy.deepcopy(ours.state_dict())
    stop = calls[0] + 2
    with pytest.raises(error):
        ours.step(closure)
    assert torch.equal(p, before)
    after = ours.state_dict()
    assert after["state"].keys() == state["state"].keys()
    for key, value in state["state"].get(0, {}).items():
        assert torch.equal(torch.as_tensor(after["state"][0][key]), torch.as_tensor(value)), key


def test_sam_takes_groups_and_rests_what_has_no_gradient() -> None:
    a, b, c, d = (torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(4))
    d.requires_grad_(False)
    rule = tw.chain(tw.sam(0.05), tw.momentum())
    ours = tt.Optimizer([{"params": [c, a, d]}, {"params": [b], "lr": 0.01}], rule, lr=0.1)
    calls = []

    def closure() -> Any:
        calls.append(1)
        ours.zero_grad()
        loss = (a.square() + b.square()).sum()
        loss.backward()
        return loss

    q = {"a": torch.ones(2, dtype=torch.float64), "b": torch.ones(2, dtype=torch.float64)}
    optimizer = tw.Optimizer(rule, lr=tw.form.hyper.ByLeaf({"a": 0.1, "b": 0.01}))
    state = optimizer.init(q)
    for _ in range(3):
        ours.step(closure)
        q, state = optimizer.step(
            q, None, state, grad_fn=lambda x: (float(sum((v * v).sum() for v in x.values())), {k: 2 * v for k, v in x.items()})
        )
    assert len(calls) == 6
    torch.testing.assert_close(a.detach(), q["a"], rtol=1e-12, atol=0)
    torch.testing.assert_close(b.detach(), q["b"], rtol=1e-12, atol=0)
    assert torch.equal(c, torch.ones_like(c))
    assert torch.equal(d, torch.ones_like(d))
    assert not ours.state.get(c)
    assert not ours.state.get(d)
    with pytest.raises(ValueError, match="'rho'"):
        tt.Optimizer([{"params": [a], "rho": 0.1}, {"params": [b]}], rule, lr=0.1).step(closure)


# checkpoints


def test_the_seed_is_in_the_checkpoint() -> None:
    rule = next(r for r in tw.rules.values() if "noise" in r.asks and "loss" not in r.asks)
    params, again = parameters(), parameters()
    ours = tt.of(rule)(params, seed=5)
    run(ours, params, range(6), WHO["all"])
    half = tt.of(rule)(again, seed=5)
    run(half, again, range(3), WHO["all"])
    kept = through_a_file(half.state_dict())
    half = tt.of(rule)(again, seed=6)
    half.load_state_dict(kept)
    run(half, again, range(3, 6), WHO["all"])
    assert all(torch.equal(p, q) for p, q in zip(params, again, strict=True))


def test_a_schedule_is_no_data_and_stays() -> None:
    params = parameters()
    for make in (tt.AdaBound, lambda params, lr: tt.Optimizer(params, tw.adam(), lr=lr)):
        ours = make(params, lr=tw.schedules.cosine(0.1, 9))
        run(ours, params, range(2), WHO["all"])
        kept = through_a_file(ours.state_dict())
        twin = make(parameters(), lr=tw.schedules.cosine(0.1, 9))
        twin.load_state_dict(kept)
        assert twin.param_groups[0]["lr"] == tw.schedules.cosine(0.1, 9)
        with pytest.raises(ValueError, match="schedule"):
            make(parameters(), lr=0.1).load_state_dict(kept)
        torch.save(ours.state_dict(), io.BytesIO())


def stepped(make: Any) -> Any:
    ours = make(parameters())
    for _ in range(2):
        for p in ours.param_groups[0]["params"]:
            p.grad = torch.ones_like(p)
        ours.step()
    return ours


STRANGERS: dict[str, Any] = {
    "torch's SGD": (lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9), tt.AdaBound, "AdaBound.*SGD.*'beta1'"),
    "torch's Adam": (torch.optim.Adam, tt.AdaBound, "AdaBound.*Adam.*'beta1'"),
    "torch's Adam, a chain": (torch.optim.Adam, lambda params: tt.Optimizer(params, tw.lion()), "lion.*Adam.*'betas'"),
    "Yogi's": (tt.Yogi, tt.Lion, "Lion.*"),
    "adam's": (lambda p: tt.Optimizer(p, tw.adam()), lambda p: tt.Optimizer(p, tw.lion()), "lion.*'v'"),
    "lion's": (lambda p: tt.Optimizer(p, tw.lion()), lambda p: tt.Optimizer(p, tw.adam()), "adam.*no 'v'"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_another_optimizers_checkpoint_is_refused_in_a_sentence(name: str) -> None:
    theirs, ours, message = STRANGERS[name]
    kept, mine = stepped(theirs).state_dict(), stepped(ours)
    before = copy.deepcopy(mine.state_dict())
    with pytest.raises(ValueError, match=message):
        mine.load_state_dict(kept)
    assert repr(mine.state_dict()) == repr(before)


def test_a_slot_that_is_lacking_is_told() -> None:
    mine = stepped(tt.AdaBound)
    kept = copy.deepcopy(mine.state_dict())
    del kept["state"][1]["v"]
    with pytest.raises(ValueError, match=r"AdaBound.*no 'v' of parameter 1"):
        mine.load_state_dict(kept)


@pytest.mark.parametrize(
    "make",
    [tt.AdaBound, lambda p: tt.AdamW([x.data.float().requires_grad_() for x in p], state_dtype="bfloat16")],
    ids=["ours", "torch's"],
)
def test_what_a_hook_returns_is_loaded(make: Any) -> None:
    mine = stepped(make)
    saved = copy.deepcopy(mine.state_dict())
    mine.register_load_state_dict_pre_hook(lambda optimizer, found: found["wrapped"])
    mine.load_state_dict({"wrapped": saved})
    for index, kept in saved["state"].items():
        p = mine.param_groups[0]["params"][index]
        assert all(torch.equal(mine.state[p][key], value) for key, value in kept.items())


@pytest.mark.parametrize(
    "make",
    [tt.Eve, tt.of(tw.lbfgs), tt.Sophia, lambda p: tt.Optimizer(p, tw.chain(tw.sam(), tw.momentum()), lr=0.1)],
    ids=["eve", "lbfgs", "sophia", "sam"],
)
def test_distributed_checkpoints_can_have_the_state_before_the_first_step(make: Any) -> None:
    from torch.distributed.checkpoint import state_dict as distributed

    net, twin = Net().double(), Net().double()
    ours, other = make(net.named_parameters()), make(twin.named_parameters())
    before = copy.deepcopy(net.state_dict())
    options = distributed.StateDictOptions(flatten_optimizer_state_dict=False)
    kept = distributed.get_optimizer_state_dict(net, ours, options=options)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert kept["state"]
    assert all(float(state["step"]) == 0 for state in ours.state.values())
    distributed.set_optimizer_state_dict(twin, other, kept, options=options)
    assert len(other.state) == len(ours.state)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SAM", "chain(sam(), sgd())"),
        ("ScheduleFreeAdamW", "chain(adamw(), schedule_free())"),
        ("Lookahead", "chain(adam(), average(0.999))"),
        ("EMA", "chain(adam(), average(0.999))"),
        ("Adam8bit", "state_dtype='int8'"),
        ("Adan2", "did you mean 'Adan'"),
    ],
)
def test_names_that_are_no_optimizers_are_told_what_to_write(name: str, told: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(told)):
        getattr(tt, name)


@pytest.mark.parametrize("given", [tw.chain(tw.adam()), tw.adam(), "adam"], ids=["chain", "stage", "text"])
def test_of_takes_rules(given: Any) -> None:
    with pytest.raises(TypeError, match="of takes a rule or recipe such as adam"):
        tt.of(given)


@pytest.mark.parametrize("ours", ["Adam", "NAdam", "Adamax", "RMSprop", "Adadelta", "Rprop"])
@pytest.mark.parametrize("momentum", [0.0, 0.9], ids=["without state", "with state"])
def test_torchs_own_classes_refuse_a_checkpoint_of_another(ours: str, momentum: float) -> None:
    p = torch.nn.Parameter(torch.ones(3))
    theirs = torch.optim.SGD([p], lr=0.1, momentum=momentum)
    p.grad = torch.ones(3)
    theirs.step()
    mine = getattr(tt, ours)([p], lr=0.1)
    with pytest.raises(ValueError, match=rf"{ours} cannot take up a checkpoint of torch.optim.SGD"):
        mine.load_state_dict(theirs.state_dict())
    assert not mine.state


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


def test_a_seed_of_numpys_goes_through_a_file(tmp_path: Path) -> None:
    ours = tt.Optimizer([torch.nn.Parameter(torch.ones(2))], tw.santa_sss(N=10.0), seed=np.int64(7))
    torch.save(ours.state_dict(), tmp_path / "state.pt")
    assert torch.load(tmp_path / "state.pt", weights_only=True)["param_groups"][0]["seed"] == 7


def test_repr_has_all_that_is_composed() -> None:
    chosen = tw.every(2, tw.choose((tw.is_matrix, tw.sgd().at(lr=0.02)), otherwise=tw.adam(beta1=0.8)))
    shown = repr(tt.Optimizer([torch.nn.Parameter(torch.ones(2))], chosen, lr=0.1))
    assert all(word in shown for word in ("every(2", "is_matrix", "at(lr=0.02)", "adam(beta1=0.8)")), shown
