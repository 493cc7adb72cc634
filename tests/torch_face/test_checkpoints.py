"""Checkpoints of compositions: seeds, schedules, hooks, distributed ones, and those of other optimizers."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import through_a_file

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.models import WHO, Net, parameters, run  # noqa: E402


def test_the_seed_is_in_the_checkpoint() -> None:
    rule = tw.noisy_sgd
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


OTHERS = ["Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "Adadelta", "Adagrad", "SGD", "Rprop", "ASGD", "Muon"]


def one_step(library: Any, name: str) -> Any:
    p = torch.nn.Parameter(torch.ones(2, 3))
    optimizer = getattr(library, name)([p], lr=0.1)
    p.grad = torch.ones(2, 3)
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("ours", OTHERS)
def test_what_torch_cannot_go_on_from_is_refused_before_anything_changes(ours: str) -> None:
    """torch loads it, and its next step ends in a KeyError; a missing average that began at 0 would be corrected wrongly."""
    refused = 0
    for other in OTHERS:
        checkpoint = one_step(torch.optim, other).state_dict()
        theirs, mine = one_step(torch.optim, ours), one_step(tt, ours)
        before = mine.state_dict()
        try:
            theirs.load_state_dict(copy.deepcopy(checkpoint))
            theirs.step()
        except (KeyError, TypeError):
            refused += 1
            with pytest.raises(ValueError, match=f"{ours} cannot take up a checkpoint of"):
                mine.load_state_dict(checkpoint)
            assert str(mine.state_dict()) == str(before)
        else:
            mine.load_state_dict(checkpoint)
            mine.step()
            for p, q in zip(mine.param_groups[0]["params"], theirs.param_groups[0]["params"], strict=True):
                torch.testing.assert_close(p, q)
    assert refused >= 7


def test_memory_that_an_option_adds_may_be_missing() -> None:
    checkpoint = one_step(torch.optim, "Adam").state_dict()
    checkpoint["param_groups"][0]["amsgrad"] = True
    mine = one_step(tt, "Adam")
    mine.load_state_dict(checkpoint)
    mine.step()
    assert "max_exp_avg_sq" in mine.state[mine.param_groups[0]["params"][0]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("name", "options"), [("NAdam", {"momentum_decay": 0.1}), ("ASGD", {"lambd": 0.1, "t0": 3.0})])
def test_half_precision_goes_on_to_the_last_bit(name: str, options: dict[str, float], dtype: Any) -> None:
    """torch's loader casts one number per tensor to the parameters' dtype."""

    def end(*, stops: bool) -> Any:
        draw = torch.Generator().manual_seed(0)
        p = torch.nn.Parameter(torch.randn(500, generator=draw).to(dtype))
        optimizer = getattr(tt, name)([p], lr=0.5, **options)
        for t in range(8):
            p.grad = torch.randn(500, generator=draw).to(dtype)
            optimizer.step()
            if stops and t == 3:
                kept = through_a_file(optimizer.state_dict())
                optimizer = getattr(tt, name)([p], lr=0.5, **options)
                optimizer.load_state_dict(kept)
        return p.detach()

    assert torch.equal(end(stops=True), end(stops=False))


def test_a_seed_of_numpys_goes_through_a_file(tmp_path: Path) -> None:
    ours = tt.Optimizer([torch.nn.Parameter(torch.ones(2))], tw.santa_sss(N=10.0), seed=np.int64(7))
    torch.save(ours.state_dict(), tmp_path / "state.pt")
    assert torch.load(tmp_path / "state.pt", weights_only=True)["param_groups"][0]["seed"] == 7
