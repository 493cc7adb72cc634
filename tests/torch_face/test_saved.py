"""State files of torch's optimizers: torch's own checkpoints go into them, and names are those of the model."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import thalweg as tw  # noqa: E402
import thalweg.numpy as tn  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.values.tensor_files import read  # noqa: E402

OURS: dict[str, tuple[dict[str, Any], Any]] = {
    "SGD": ({"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}, lambda: tw.chain(tw.decay(0.1), tw.momentum(0.9))),
    "Adam": ({"lr": 0.1}, lambda: tw.adam()),
    "AdamW": ({"lr": 0.1, "weight_decay": 0.1}, lambda: tw.adamw(weight_decay=0.1)),
    "NAdam": ({"lr": 0.1}, lambda: tw.nadam(0.9, average="constant", nu_factor=False, psi=4e-3)),
    "RAdam": ({"lr": 0.1}, lambda: tw.radam(eps=tw.outside(1e-8, raw=True), threshold=5)),
    "Adamax": ({"lr": 0.1}, lambda: tw.adamax(eps=1e-8)),
    "RMSprop": ({"lr": 0.1, "centered": True, "momentum": 0.9}, lambda: tw.chain(tw.rmsprop(0.99, 1e-8, True), tw.momentum(0.9))),
    "Adagrad": ({"lr": 0.1}, lambda: tw.adagrad(eps=1e-10)),
    "Adadelta": ({"lr": 1.0}, lambda: tw.adadelta(0.9, 1e-6)),
    "Rprop": ({"lr": 0.01}, lambda: tw.rprop()),
    "Adafactor": ({"lr": 0.01}, lambda: tw.adafactor(eps1=tw.at_least(2.0**-52))),
}
"""torch's classes, and our rules that are the same."""


def model() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)).double()


def train(net: Any, optimizer: Any, steps: range) -> None:
    for t in steps:
        optimizer.zero_grad()
        x = torch.linspace(-1, 1 + t, 20, dtype=torch.float64).reshape(5, 4)
        net(x).square().mean().backward()
        optimizer.step()


def gradients(net: Any) -> dict[str, Any]:
    return {name: p.grad.numpy().copy() for name, p in net.named_parameters()}


@pytest.mark.parametrize("name", OURS)
def test_torch_s_checkpoint_goes_on_in_numpy(name: str, tmp_path: Path) -> None:
    options, rule = OURS[name]
    net = model()
    theirs = getattr(torch.optim, name)(net.parameters(), **options)
    train(net, theirs, range(3))
    ours = getattr(tt, name)(net.parameters(), **options)
    ours.load_state_dict(theirs.state_dict())
    tt.save_state(tmp_path / "a", ours, net)

    arrays = {n: np.zeros(tuple(p.shape)) for n, p in net.named_parameters()}
    there = tn.Optimizer(arrays, rule(), lr=options["lr"])
    tn.load_state(tmp_path / "a", there)
    for t in range(3, 6):
        train(net, theirs, range(t, t + 1))
        there.step(gradients(net))
    for n, p in net.named_parameters():
        np.testing.assert_allclose(arrays[n], p.detach().numpy(), rtol=1e-6 if name == "NAdam" else 1e-12, atol=1e-14)


@pytest.mark.parametrize("name", OURS)
def test_a_class_of_torch_s_name_goes_on_in_another_process(name: str, tmp_path: Path) -> None:
    options = OURS[name][0]
    net, other = model(), model()
    optimizer = getattr(tt, name)(net.parameters(), **options)
    train(net, optimizer, range(3))
    tt.save_state(tmp_path / "a", optimizer, net)
    again = getattr(tt, name)(other.parameters(), **options)
    tt.load_state(tmp_path / "a", again, other)
    tt.save_state(tmp_path / "b", again, other)
    assert {k: (b.dtype, b.shape, b.raw.tobytes()) for k, b in read(tmp_path / "a")[0].items()} == {
        k: (b.dtype, b.shape, b.raw.tobytes()) for k, b in read(tmp_path / "b")[0].items()
    }
    train(net, optimizer, range(3, 6))
    train(other, again, range(3, 6))
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
    assert again.state_dict()["state"].keys() == optimizer.state_dict()["state"].keys()
    held, before = (each.state_dict()["state"] for each in (again, optimizer))
    assert {k: set(s) for k, s in held.items()} == {k: set(s) for k, s in before.items()}


def test_groups_keep_their_own_settings(tmp_path: Path) -> None:
    def grouped(net: Any) -> Any:
        matrices = {"params": [p for p in net.parameters() if p.ndim == 2], "weight_decay": 0.1}
        rest = {"params": [p for p in net.parameters() if p.ndim < 2], "weight_decay": 0.0, "lr": 0.05}
        return tt.AdamW([matrices, rest], lr=0.1)

    net, other = model(), model()
    train(net, optimizer := grouped(net), range(3))
    tt.save_state(tmp_path / "a", optimizer, net)
    tt.load_state(tmp_path / "a", again := grouped(other), other)
    train(net, optimizer, range(3, 5))
    train(other, again, range(3, 5))
    assert all(map(torch.equal, net.parameters(), other.parameters()))
    arrays = {n: np.zeros(tuple(p.shape)) for n, p in net.named_parameters()}
    alike = [
        {"params": {n: x for n, x in arrays.items() if x.ndim == 2}, "weight_decay": 0.1},
        {"params": {n: x for n, x in arrays.items() if x.ndim < 2}, "weight_decay": 0.0, "lr": 0.05},
    ]
    there = tn.AdamW(alike, lr=0.1)
    tn.load_state(tmp_path / "a", there)  # with no warning, the groups being the same
    np.testing.assert_array_equal(there.state["t"]["0.0.weight"], 3)
    wrong = tn.AdamW([{**alike[0]}, {**alike[1], "weight_decay": 0.2}], lr=0.1)
    with pytest.warns(UserWarning, match="weight_decay of decay was 0.0 and is 0.2"):
        tn.load_state(tmp_path / "a", wrong)


def test_frozen_parameters_have_no_state_and_get_none(tmp_path: Path) -> None:
    net, other = model(), model()
    for each in (net, other):
        each[0].requires_grad_(False)
    train(net, optimizer := tt.ASGD(net.parameters()), range(3))
    tt.save_state(tmp_path / "a", optimizer, net)
    tt.load_state(tmp_path / "a", again := tt.ASGD(other.parameters()), other)
    assert len(again.state) == len(optimizer.state) == 2
    train(net, optimizer, range(3, 5))
    train(other, again, range(3, 5))
    assert all(map(torch.equal, net.parameters(), other.parameters()))


def test_names_are_the_model_s_own(tmp_path: Path) -> None:
    net = model()
    compiled = torch.compile(net, backend="eager")
    optimizer = tt.Adam(net.parameters())
    tt.save_state(tmp_path / "a", optimizer, compiled)
    assert "param/0.weight" in read(tmp_path / "a")[0]
    named = tt.Lion(net.named_parameters())
    tt.save_state(tmp_path / "a", named)
    with pytest.raises(ValueError, match="these parameters have no names; hand over the model, too"):
        tt.save_state(tmp_path / "a", optimizer)
    with pytest.raises(ValueError, match=r"a parameter of the optimizer, of shape \(3, 4\), is not one of this model"):
        tt.save_state(tmp_path / "a", optimizer, model())


def test_a_model_in_bfloat16_keeps_its_bits(tmp_path: Path) -> None:
    net, other = model().bfloat16(), model().bfloat16()
    optimizer, again = (tt.Adam(each.parameters(), lr=0.1) for each in (net, other))
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    tt.save_state(tmp_path / "a", optimizer, net)
    tt.load_state(tmp_path / "a", again, other)
    assert all(map(torch.equal, net.parameters(), other.parameters()))
    assert all(again.state[q]["exp_avg_sq"].dtype is torch.bfloat16 for q in other.parameters())


def test_linear_layers_of_flax_are_turned(tmp_path: Path) -> None:
    """torch's `0.weight` is Flax's `layers_0/kernel`, the other way round."""
    net = model()
    train(net, optimizer := tt.AdamW(net.parameters(), lr=0.1), range(3))
    tt.save_state(tmp_path / "a", optimizer, net)
    flax = {f"layers_{i}": {"kernel": np.zeros(shape), "bias": np.zeros(shape[1])} for i, shape in enumerate([(4, 3), (3, 2)])}

    def in_torch(name: str) -> str:
        layer, _, word = name.removeprefix("layers_").partition(".")
        return f"{layer}.{'weight' if word == 'kernel' else word}"

    there = tn.AdamW(flax, lr=0.1)
    tn.load_state(tmp_path / "a", there, names=in_torch, arrays=lambda name, x: x.T if name.endswith("kernel") else x)
    train(net, optimizer, range(3, 4))
    found = gradients(net)
    there.step({f"layers_{i}": {"kernel": found[f"{i}.weight"].T, "bias": found[f"{i}.bias"]} for i in range(2)})
    np.testing.assert_allclose(flax["layers_1"]["kernel"].T, net[1].weight.detach().numpy(), rtol=1e-13)


def test_what_is_no_state_of_ours(tmp_path: Path) -> None:
    net = model()
    with pytest.raises(TypeError, match=r"this Adam is not one of thalweg.torch; thalweg.torch.Adam takes up its state_dict"):
        tt.save_state(tmp_path / "a", torch.optim.Adam(net.parameters()), net)
    with pytest.raises(TypeError, match="with rounding= or state_dtype= is saved by its state_dict"):
        tt.save_state(tmp_path / "a", tt.Adam(net.float().parameters(), state_dtype="int8"), net)
    net = model()
    averaged = tt.Optimizer(net.parameters(), tw.chain(tw.adam(), tw.average(0.9)))
    train(net, averaged, range(2))
    averaged.eval()
    with pytest.raises(ValueError, match=r"the parameters are those to ship; call .train\(\)"):
        tt.save_state(tmp_path / "a", averaged, net)


def test_a_file_goes_into_an_optimizer_that_has_stepped(tmp_path: Path) -> None:
    net = model()
    train(net, optimizer := tt.Adam(net.parameters(), lr=0.1), range(3))
    tt.save_state(tmp_path / "a", optimizer, net)
    reference = copy.deepcopy(net)
    train(net, optimizer, range(3, 5))
    after = [p.detach().clone() for p in net.parameters()]
    tt.load_state(tmp_path / "a", optimizer, net)
    assert all(map(torch.equal, net.parameters(), reference.parameters()))
    train(net, optimizer, range(3, 5))
    assert all(map(torch.equal, net.parameters(), after))
