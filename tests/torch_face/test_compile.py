"""A step inside `torch.compile`: beside torch's own where the class is torch's, outside the graph where it is ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

pytestmark = [  # slow; and what torch's compiler does to torch
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*torch.jit.script.* is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*The .grad attribute of a Tensor that is not a leaf"),
]


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dynamo and Inductor without memory of other tests, compiling in this process."""
    inductor = pytest.importorskip("torch._inductor.config")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    with inductor.patch(compile_threads=1):
        yield
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()


def compiled_and_not(make: Any, lr: Any, backend: str, steps: int = 5) -> tuple[list[Any], list[Any], list[int]]:
    """Weights after steps under a schedule, compiled and not, and the number of graphs after each compiled step."""
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    draw = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=draw) for shape in ((4, 3), (5,))]
    gradients = [[torch.randn(x.shape, generator=draw) for x in start] for _ in range(steps)]
    runs, graphs = [], []
    for compiled in (True, False):
        params = [torch.nn.Parameter(x.clone()) for x in start]
        optimizer = make(params, lr.clone() if torch.is_tensor(lr) else lr)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        step = torch.compile(lambda optimizer=optimizer: optimizer.step(), backend=backend) if compiled else optimizer.step
        for own in gradients:
            for p, g in zip(params, own, strict=True):
                p.grad = g.clone()
            step()
            schedule.step()
            if compiled:
                graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
        runs.append(params)
    return runs[0], runs[1], graphs


@pytest.mark.parametrize(
    ("backend", "lr", "expected"),
    [("eager", 0.01, 2), ("eager", torch.tensor(0.01), 1), ("inductor", torch.tensor(0.01), 1)],
    ids=["eager-float", "eager-tensor", "inductor-tensor"],
)
def test_a_class_of_torchs_is_compiled_as_torchs_is(backend: str, lr: Any, expected: int) -> None:
    """Into as many graphs, and into one where the learning rate that changes is a tensor."""
    if backend == "inductor" and not any(map(shutil.which, ("g++", "clang++"))):
        pytest.skip("no C++ compiler")
    counts = []
    for home in (tt, torch.optim):
        ours, plain, graphs = compiled_and_not(lambda p, lr, home=home: home.Adam(p, lr), lr, backend)
        counts.append(graphs)
        for a, b in zip(ours, plain, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    assert counts[0] == counts[1]
    assert counts[0][-1] == expected


OURS = {
    "a rule": tt.SMORMS3,
    "a chain": lambda params, lr: tt.Optimizer(params, tw.chain(tw.clip(1.0), tw.adam(), tw.average(0.9)), lr),
    "torch's, kept otherwise": lambda params, lr: tt.Adam(params, lr, state_dtype="int8"),
}


@pytest.mark.parametrize("lr", [0.01, torch.tensor(0.01)], ids=["float", "tensor"])
@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_steps_outside_the_graph(name: str, lr: Any) -> None:
    """To the last bit as without compilation, and nothing of its Python traced or compiled."""
    ours, plain, graphs = compiled_and_not(OURS[name], lr, "eager")
    assert all(torch.equal(a, b) for a, b in zip(ours, plain, strict=True))
    assert graphs == [0] * 5


def test_a_training_step_compiled_as_a_whole() -> None:
    """Forward, backward and step in one compiled function."""
    weights = []
    for compiled in (True, False):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        optimizer = tt.SMORMS3(model.parameters(), lr=0.01)

        def train(x: Any, model: Any = model, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
            return loss

        run = torch.compile(train, backend="eager") if compiled else train
        losses = [run(torch.ones(2, 4)).item() for _ in range(5)]
        assert losses[-1] < losses[0]
        weights.append(list(model.parameters()))
    for a, b in zip(*weights, strict=True):
        torch.testing.assert_close(a, b)
