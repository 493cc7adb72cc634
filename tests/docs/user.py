"""A user's file: every face, a rule of their own and the lab. mypy and pyright find nothing in their strict modes."""

from typing import Any

import numpy as np
import torch

import thalweg as tw
import thalweg.jax as tj
import thalweg.numpy as tn
import thalweg.torch as tt
from thalweg import Decay, Positive, lab, nn, rule
from thalweg.ops import debias, mix, sqrt


@rule(lr=1e-3, search=(1e-5, 1e-1))
def mine(g: Any, t: Any, m: Any = 0.0, v: Any = 0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8) -> Any:
    """Mine (after Kingma & Ba 2015, arXiv 1412.6980, algorithm 1)."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return debias(m, beta1, t) / (sqrt(debias(v, beta2, t)) + eps), m, v


def pure() -> dict[str, Any]:
    params: dict[str, Any] = {"w": np.ones((3, 2)), "b": np.zeros(2)}
    opt = tw.Optimizer(mine(beta1=0.95), lr=tw.schedules.warm_up(10, tw.schedules.cosine(1e-2, 100)))
    state = opt.init(params)
    params, state = opt.step(params, {"w": params["w"], "b": params["b"]}, state)
    print(mine.formula().plain, mine.cost().bytes_moved, tw.rules["adam"].formula().latex)
    tw.Optimizer(tw.chain(tw.clip(1.0), tw.adam(beta1=0.9), tw.only(tw.is_matrix, tw.decay(0.01))))
    tw.Optimizer(tw.choose((tw.is_matrix, tw.muon().at(lr=0.02)), otherwise=tw.adamw()))
    return params


def in_numpy() -> None:
    w = np.ones(4, np.float32)
    opt = tn.AdamW({"w": w}, lr=1e-3, weight_decay=0.1)
    opt.step({"w": w})
    opt.param_groups[0]["lr"] = 1e-4
    tw.trees.save("state.npz", opt.state_dict())
    opt.load_state_dict(tw.trees.load("state.npz"))
    tn.of(mine)([w], lr=1e-3).step([w])
    tn.Optimizer([w], tw.chain(tw.adam(), tw.decay(0.1)), lr=1e-3).step([w])


def in_torch() -> float:
    model = torch.nn.Linear(4, 1)
    opt = tt.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 10)
    opt.zero_grad()
    loss = model(torch.ones(8, 4)).square().mean()
    loss.backward()
    opt.step()
    schedule.step()
    tt.AdaBound(model.parameters(), final_lr=0.1)
    tt.Lion([{"params": model.parameters(), "lr": 1e-4}])
    tt.Optimizer(model.parameters(), tw.chain(tw.adam(), tw.average(0.999)), lr=1e-3)
    torch.optim.AdamW(model.parameters()).load_state_dict(opt.state_dict())
    return float(loss.detach())


def in_jax(params: Any) -> Any:
    tx = tj.adamw(learning_rate=1e-3, b1=0.95, weight_decay=0.1)
    state = tx.init(params)
    updates, state = tx.update(params, state, params)
    return updates


def network() -> None:
    x = np.random.default_rng(0).normal(size=(200, 4))
    net = nn.Model([nn.Linear(16), nn.ReLU(), nn.Linear(2)], loss=nn.CrossEntropy())
    net.fit(x, (x[:, 0] > 0).astype(int), optimizer=tw.adam(), lr=1e-2, epochs=5, batch_size=32)


def train(trial: Any) -> dict[str, float]:
    w = np.ones(4)
    optimizer = trial.optimizer({"w": w})
    for _ in range(trial.steps):
        optimizer.step({"w": w})
    return {"validation": -float(np.sum(w**2)), "test": 0.0}


def in_the_lab() -> None:
    found = lab.compare(train, rules=["sgd", "adam"], steps=20, budget=2, seeds=2, jobs=1)
    print(found, found.best, found.records)
    lab.compare(problem="xor", rules="sgd,adam", my_rule=f"{__file__}:mine", budget=2, seeds=2, jobs=1)


def mistakes() -> None:
    """What a checker must find; it also says so of a remark that is not needed."""
    tw.adam(beta3=0.9)  # type: ignore[call-arg]
    tt.AdamW(torch.nn.Linear(4, 1).parameters(), momentum=0.9)  # type: ignore[call-arg]
    print(mine.formula().plan)  # type: ignore[attr-defined]
    lab.compare(problem="xor", budgets=2)  # type: ignore[call-arg]
