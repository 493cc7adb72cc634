"""Roles of a model's parameters by its modules, and the table of who gets what in torch."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402


class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
    """Names that say nothing of the roles."""

    def __init__(self, tied: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.look = torch.nn.Embedding(9, 4)
        self.layers = torch.nn.ModuleList(
            [torch.nn.Sequential(torch.nn.LayerNorm(4), torch.nn.Linear(4, 4), torch.nn.GroupNorm(2, 4)) for _ in range(2)]
        )
        self.last = torch.nn.Linear(4, 9, bias=False)
        if tied:
            self.last.weight = self.look.weight

    def forward(self, x: Any) -> Any:
        x = self.look(x)
        for layer in self.layers:
            x = x + layer(x)
        return self.last(x)


def test_modules_tell_the_roles() -> None:
    found = tt.roles(Net())
    assert found["look.weight"] == "embedding"
    assert found["last.weight"] == "head"
    layer = {"0.weight": "norm", "0.bias": "bias", "1.weight": "hidden", "1.bias": "bias", "2.weight": "norm", "2.bias": "bias"}
    assert {name: role for name, role in found.items() if name.startswith("layers")} == {
        f"layers.{i}.{name}": role for i in range(2) for name, role in layer.items()
    }
    assert found.keys() == dict(Net().named_parameters()).keys()


def test_a_shared_weight_is_an_embedding_and_no_layer_becomes_the_head() -> None:
    found = tt.roles(Net(tied=True))
    assert found["look.weight"] == "embedding"
    assert "head" not in found.values()
    assert tt.roles(torch.nn.Linear(2, 2)) == {"weight": "hidden", "bias": "bias"}


def usual(net: Any) -> Any:
    core = tw.choose((tw.role("hidden", known=tt.roles(net)), tw.muon().at(lr=0.02)), otherwise=tw.adam())
    return tw.chain(core, tw.only(~tw.role("bias", "norm"), tw.decay(0.1)))


def test_the_table_follows_the_scheduler() -> None:
    net = Net()
    optimizer = tt.Optimizer(net.named_parameters(), usual(net), lr=1e-3)
    table = {row.name: row for row in tt.routes(optimizer)}
    assert table["layers.0.1.weight"][2:] == ("hidden", "muon() + decay(weight_decay=0.1)", "0.02")
    assert table["last.weight"][2:] == ("head", "adam() + decay(weight_decay=0.1)", "0.001")
    assert table["layers.1.2.bias"][2:] == ("bias", "adam()", "0.001")
    assert str(tt.routes(optimizer, net)) == str(tt.routes(optimizer))
    optimizer.param_groups[0]["lr"] = 5e-4
    assert {row.name: row.lr for row in tt.routes(optimizer)}["layers.0.1.weight"] == "0.01"


def test_torch_s_classes_and_groups_are_in_the_table() -> None:
    net = Net()
    groups = [
        {"params": [p for p in net.parameters() if p.ndim == 2]},
        {"params": [p for p in net.parameters() if p.ndim < 2], "weight_decay": 0.0, "lr": 0.5},
    ]
    table = {row.name: row for row in tt.routes(tt.AdamW(groups, lr=0.1, betas=(0.8, 0.99)), net)}
    assert table["look.weight"][2:] == ("embedding", "adam(beta1=0.8, beta2=0.99) + decay()", "0.1")
    assert table["layers.0.0.weight"][2:] == ("norm", "adam(beta1=0.8, beta2=0.99) + decay(weight_decay=0.0)", "0.5")
    assert tt.routes(tt.Lion(net.parameters()))[0][:3] == ("0", (9, 4), "hidden")
    with pytest.raises(TypeError, match=r"is not one of thalweg.torch"):
        tt.routes(torch.optim.Adam(net.parameters()))


def test_roles_want_names() -> None:
    with pytest.raises(ValueError, match=r"asks for parameters' names.*hand it model.named_parameters\(\)"):
        tt.Optimizer(Net().parameters(), tw.chain(tw.adam(), tw.only(~tw.role("bias") & tw.is_matrix, tw.decay(0.1))))


def test_layerwise_rates_are_groups_with_rates() -> None:
    net, other = Net().double(), Net().double()
    rule = tw.layerwise(lambda factor: tw.adamw().at(lr=0.1 * factor), decay=0.5, layers=2, known=tt.roles(net))
    ours = tt.Optimizer(net.named_parameters(), rule, lr=1.0)
    factors = {"look": 0.125, "layers.0": 0.25, "layers.1": 0.5, "last": 1.0}
    theirs = torch.optim.AdamW(
        [{"params": [p for n, p in other.named_parameters() if n.startswith(word)], "lr": 0.1 * f} for word, f in factors.items()]
    )
    x = torch.arange(9)
    for _ in range(4):
        for model, optimizer in ((net, ours), (other, theirs)):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)
