"""`thalweg.torch` in Accelerate's loop."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.trainers import CLOSURES, OPTIMIZERS, Make, batches, needs, network, one_cycle, same  # noqa: E402

pytestmark = pytest.mark.usefixtures("restored")


def accelerated(make: Make, epochs: int, precision: str = "no", load: Path | None = None, save: Path | None = None) -> Any:
    import accelerate

    accelerator = accelerate.Accelerator(cpu=True, mixed_precision=precision, gradient_accumulation_steps=2)
    model = network()
    optimizer = make(model.parameters())
    model, optimizer, data, schedule = accelerator.prepare(model, optimizer, batches(), one_cycle(optimizer))
    if load is not None:
        accelerator.load_state(str(load))
    for _ in range(epochs):
        for x, y in data:
            with accelerator.accumulate(model):
                accelerator.backward(torch.nn.functional.cross_entropy(model(x), y))
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
    if save is not None:
        accelerator.save_state(str(save))
    return accelerator.unwrap_model(model)


@needs("accelerate")
@pytest.mark.parametrize(
    ("name", "precision"),
    [(name, "no") for name in OPTIMIZERS if name not in CLOSURES]
    + [(name, how) for name in ("torch's AdamW", "a rule of ours") for how in ("bf16", "fp16")],  # fp16: with a GradScaler
)
def test_accelerate_stopped_and_resumed_is_accelerate_never_stopped(name: str, precision: str, tmp_path: Path) -> None:
    make = OPTIMIZERS[name]
    start = network()
    whole = accelerated(make, 4, precision)
    first = accelerated(make, 2, precision, save=tmp_path / "half")
    second = accelerated(make, 2, precision, load=tmp_path / "half")
    assert not same(first, start)
    assert not same(first, whole)
    assert same(second, whole)


@needs("accelerate")
@pytest.mark.parametrize("name", CLOSURES)
def test_accelerate_passes_a_closure_on(name: str) -> None:
    import accelerate

    accelerator = accelerate.Accelerator(cpu=True)
    model = network()
    model, optimizer, data = accelerator.prepare(model, OPTIMIZERS[name](model.parameters()), batches())
    losses = []
    for x, y in [*data] * 3:

        def closure(x: Any = x, y: Any = y) -> Any:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            accelerator.backward(loss)
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
    assert losses[-1] < losses[0] * 0.95
    assert len(losses) == 12 if name == "asks for the loss" else len(losses) >= 24


@needs("accelerate")
@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_accelerate_comes_to_torchs_weights(precision: str) -> None:
    models = [accelerated(functools.partial(home.AdamW, lr=1e-3), 4, precision) for home in (tt, torch.optim)]
    tolerance = 1e-6 if precision == "no" else 1e-3  # a forward pass in bfloat16 turns a last bit into a step of its own
    for ours, theirs in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)
