"""`thalweg.torch` in Lightning's Trainer."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.trainers import OPTIMIZERS, Make, batches, everyday, needs, network, one_cycle, same  # noqa: E402

pytestmark = [
    pytest.mark.usefixtures("restored"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),  # Lightning asks torch in a way that it deprecates
]


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
