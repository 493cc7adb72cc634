"""`thalweg.torch` in the trainers that people use: Lightning, Accelerate and the Hugging Face Trainer, all offline."""

from __future__ import annotations

import copy
import functools
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_digits

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")  # read when the Hugging Face packages are imported

# Each test imports its trainer by itself: they are slow to import, and a test process seldom needs all three.


def needs(name: str) -> Any:
    return pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    """Accelerate keeps what it was told in class attributes and environment variables."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    if "accelerate" in sys.modules:
        from accelerate.state import AcceleratorState, GradientState

        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()


pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),  # Lightning asks torch in a way that it deprecates
]

ROWS, BATCH = 128, 32  # four batches an epoch
Make = Callable[[Any], Any]

OPTIMIZERS: dict[str, Make] = {
    "torch's AdamW": functools.partial(tt.AdamW, lr=1e-2),
    "a rule of ours": functools.partial(tt.SMORMS3, lr=1e-2),
    "with bounds": functools.partial(tt.of(tw.adabound), lr=1e-2),
    "two gradients a step": lambda params: tt.Optimizer(params, tw.chain(tw.sam(0.02), tw.momentum(0.9)), lr=0.1),
    "asks for the loss": functools.partial(tt.Eve, lr=1e-2),
    "a line search": functools.partial(tt.of(tw.lbfgs), lr=1.0),
    "an average": lambda params: tt.Optimizer(params, tw.chain(tw.sgd(), tw.schedule_free()), lr=1.0),
    "a clipped chain": lambda params: tt.Optimizer(params, tw.chain(tw.clip(1.0), tw.adam(), tw.decay(0.01)), lr=1e-2),
}

CLOSURES = ("two gradients a step", "asks for the loss", "a line search")
"""Those that need one at each step."""
EVERYDAY = ("torch's AdamW", "two gradients a step", "an average", "a rule of ours, an object", "a chain, an object", "bf16-true")


def everyday(*case: str) -> Any:
    """A row of a table of optimizers: every day if all its words are."""
    return pytest.param(*case, marks=() if {*case} <= {*EVERYDAY, "32-true"} else pytest.mark.slow)


@functools.cache
def digits() -> Any:
    x, y = load_digits(return_X_y=True)
    return torch.utils.data.TensorDataset(torch.tensor(x[:ROWS] / 16.0, dtype=torch.float32), torch.tensor(y[:ROWS]))


def batches() -> Any:
    return torch.utils.data.DataLoader(digits(), batch_size=BATCH)


def network() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10))


def same(ours: Any, theirs: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def one_cycle(optimizer: Any) -> Any:
    """cycle_momentum is for classes that have `betas` or `momentum`; our rules call theirs as the papers do."""
    cycle = bool({"betas", "momentum"} & set(optimizer.defaults))
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, optimizer.defaults["lr"], total_steps=16, cycle_momentum=cycle)


# Lightning


def lightning_module(make: Make, schedule: Callable[[Any], Any] | None = None) -> Any:
    import pytorch_lightning as lightning

    class Digits(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = network()
            self.losses: list[float] = []

        def training_step(self, batch: Any, _: int) -> Any:
            x, y = batch
            loss = torch.nn.functional.cross_entropy(self.net(x.to(self.dtype)), y)
            self.losses.append(loss.item())
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            assert not self.training

        def configure_optimizers(self) -> Any:
            optimizer = make(self.parameters())
            if schedule is None:
                return optimizer
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule(optimizer), "interval": "step"}}

    return Digits()


def lightning_fit(module: Any, folder: Path, ckpt_path: Path | None = None, **options: Any) -> Any:
    import pytorch_lightning as lightning

    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    options = {"limit_val_batches": 0, "num_sanity_val_steps": 0, **quiet, **options}
    trainer = lightning.Trainer(accelerator="cpu", devices=1, default_root_dir=folder, **options)
    trainer.fit(module, batches(), batches(), ckpt_path=ckpt_path)
    return trainer


@needs("pytorch_lightning")
@pytest.mark.parametrize(
    ("name", "precision"),
    [everyday(name, "32-true") for name in OPTIMIZERS]
    + [
        everyday(name, how)
        for name in ("torch's AdamW", "a rule of ours", "two gradients a step")
        for how in ("bf16-mixed", "bf16-true")
    ],
)
def test_lightning_stopped_and_resumed_is_lightning_never_stopped(name: str, precision: str, tmp_path: Path) -> None:
    make = OPTIMIZERS[name]
    options: dict[str, Any] = {"precision": precision, "gradient_clip_val": 1.0}
    if name == "a rule of ours":
        options["accumulate_grad_batches"] = 2
    whole, first, second = (lightning_module(make, one_cycle) for _ in range(3))
    lightning_fit(whole, tmp_path, max_epochs=4, **options)
    lightning_fit(first, tmp_path, max_epochs=2, **options).save_checkpoint(tmp_path / "half.ckpt")
    lightning_fit(second, tmp_path, tmp_path / "half.ckpt", max_epochs=4, **options)
    assert whole.losses[-1] < whole.losses[0] * 0.95
    assert same(second, whole)
    assert not same(first, whole)


@needs("pytorch_lightning")
@pytest.mark.parametrize(("precision", "tolerance"), [("64-true", 1e-12), ("32-true", 1e-6)])
def test_lightning_comes_to_torchs_weights(precision: str, tolerance: float, tmp_path: Path) -> None:
    modules = [
        lightning_module(functools.partial(home.AdamW, lr=1e-3, weight_decay=0.1), one_cycle) for home in (tt, torch.optim)
    ]
    for module in modules:
        lightning_fit(module, tmp_path, precision=precision, max_epochs=4, gradient_clip_val=1.0)
    for ours, theirs in zip(*(module.parameters() for module in modules), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


@needs("pytorch_lightning")
def test_lightning_hooks_put_the_average_in_and_out(tmp_path: Path) -> None:
    """With the hooks of docs/pytorch.md: validation and the checkpoint after it see the average, training the other weights."""
    import pytorch_lightning as lightning

    class Ship(lightning.Callback):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.before: list[Any] = []
            self.shipped: list[Any] = []

        def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, index: int) -> None:
            module.optimizers().train()

        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, index: int) -> None:
            self.before.append(copy.deepcopy(module.net))

        def on_validation_start(self, trainer: Any, module: Any) -> None:
            module.optimizers().eval()
            self.shipped.append(copy.deepcopy(module.net))

        def on_validation_end(self, trainer: Any, module: Any) -> None:
            trainer.save_checkpoint(tmp_path / f"{len(self.shipped)}.ckpt")

    make = OPTIMIZERS["an average"]
    plain, whole, second = (lightning_module(make) for _ in range(3))
    lightning_fit(plain, tmp_path, max_epochs=3)
    ship = Ship()
    lightning_fit(whole, tmp_path, max_epochs=3, callbacks=[ship], limit_val_batches=1)
    assert len(ship.shipped) == 3
    assert whole.losses == plain.losses
    for k, shipped in enumerate(ship.shipped):
        assert not same(shipped, ship.before[4 * k + 3])
    weights = torch.load(tmp_path / "1.ckpt", weights_only=True)["state_dict"]
    assert torch.equal(weights["net.0.weight"], ship.shipped[0][0].weight)
    lightning_fit(second, tmp_path, tmp_path / "1.ckpt", max_epochs=3, callbacks=[Ship()], limit_val_batches=1)
    assert second.losses == whole.losses[4:]
    assert same(second, whole)


# Accelerate


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


# the Hugging Face Trainer


def hugging_face(folder: Path, make: Make | None = None, **options: Any) -> Any:
    """A Trainer of a tiny classifier with random weights. make: the optimizer as an object; else from options."""
    import transformers

    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    model = transformers.BertForSequenceClassification(transformers.BertConfig(vocab_size=32, num_labels=2, **size))
    words = torch.randint(32, (64, 6), generator=torch.Generator().manual_seed(1))
    rows = [{"input_ids": row, "labels": int(row[0] > 15)} for row in words]
    decay = options.pop("weight_decay", 0.0)
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        max_steps=8,
        save_steps=4,
        per_device_train_batch_size=8,
        weight_decay=decay,
        report_to="none",
        disable_tqdm=True,
        logging_strategy="no",
        **options.pop("arguments", {}),
    )
    if make is not None:
        options["optimizers"] = (make(model.parameters()), None)
    return transformers.Trainer(model, arguments, train_dataset=rows, eval_dataset=rows, **options)


WAYS: dict[str, dict[str, Any]] = {
    "torch's AdamW, an object": {"make": OPTIMIZERS["torch's AdamW"]},
    "torch's AdamW, a class": {"optimizer_cls_and_kwargs": (tt.AdamW, {"lr": 2e-3}), "weight_decay": 0.1},
    "a rule of ours, an object": {"make": OPTIMIZERS["a rule of ours"]},
    "a rule of ours, a class": {"optimizer_cls_and_kwargs": (tt.SMORMS3, {"lr": 1e-2})},
    "a chain, an object": {"make": OPTIMIZERS["an average"], "arguments": {"eval_strategy": "steps", "eval_steps": 4}},
    "a chain, a class": {"optimizer_cls_and_kwargs": (tt.Optimizer, {"rule": tw.chain(tw.adam(), tw.decay(0.1)), "lr": 2e-3})},
}


@needs("transformers")
@pytest.mark.parametrize("way", [everyday(way) for way in WAYS])
def test_hugging_face_stopped_and_resumed_is_hugging_face_never_stopped(way: str, tmp_path: Path) -> None:
    whole = hugging_face(tmp_path / "whole", **copy.deepcopy(WAYS[way]))
    start = copy.deepcopy(whole.model)
    whole.train()
    second = hugging_face(tmp_path / "second", **copy.deepcopy(WAYS[way]))
    second.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-4"))
    assert second.state.global_step == 8
    assert not same(whole.model, start)
    assert same(second.model, whole.model)


@needs("transformers")
def test_hugging_face_comes_to_torchs_weights(tmp_path: Path) -> None:
    models = []
    for home in (tt, torch.optim):
        trainer = hugging_face(tmp_path, optimizer_cls_and_kwargs=(home.AdamW, {"lr": 1e-3}), weight_decay=0.1)
        trainer.train()
        assert [group["weight_decay"] for group in trainer.optimizer.param_groups] == [0.1, 0.0]
        models.append(trainer.model)
    for ours, theirs in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@needs("transformers")
def test_hugging_face_evaluates_the_average(tmp_path: Path) -> None:
    """The Trainer itself calls `.eval()` before it evaluates and `.train()` before it goes on."""
    trainer = hugging_face(tmp_path, OPTIMIZERS["an average"])
    trainer.train()
    walking = copy.deepcopy(trainer.model)
    trainer.evaluate()
    assert not same(trainer.model, walking)


@needs("transformers")
def test_hugging_face_tells_of_a_decay_that_the_rule_has_not(tmp_path: Path) -> None:
    trainer = hugging_face(tmp_path, optimizer_cls_and_kwargs=(tt.SMORMS3, {"lr": 1e-2}), weight_decay=0.1)
    with pytest.warns(UserWarning, match=r"SMORMS3 has no weight_decay.*chain"):
        trainer.train()


@needs("transformers")
@pytest.mark.parametrize("name", CLOSURES)
def test_hugging_face_has_no_closure(name: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"step\(closure\)"):
        hugging_face(tmp_path, OPTIMIZERS[name]).train()
