"""A run inside somebody else's trainer is stopped cleanly."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from lab.training.loops import described
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.training.running import Outcome, outcome

torch = pytest.importorskip("torch")


def stopped(train: Any) -> Outcome:
    return outcome(described(train), tw.rules["adamw"], Setting(0.01), 0, 12, until=3)


def data() -> Any:
    return torch.utils.data.TensorDataset(torch.randn(48, 3), torch.randn(48, 1))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_lightning() -> None:
    lightning = pytest.importorskip("pytorch_lightning")
    ended: list[str] = []

    class Watching(lightning.Callback):  # type: ignore[misc, name-defined]
        def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
            ended.append(type(exception).__name__)

    class Network(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self, trial: Any) -> None:
            super().__init__()
            self.trial, self.net = trial, torch.nn.Linear(3, 1)

        def configure_optimizers(self) -> Any:
            return self.trial.optimizer(self)

        def training_step(self, batch: Any, index: int) -> Any:
            return (self.net(batch[0]) - batch[1]).square().mean()

        def on_train_batch_end(self, *_: Any) -> None:
            self.trial.report(self.global_step, validation=-float(self.global_step))

    def train(trial: Any) -> float:
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
        loader = torch.utils.data.DataLoader(data(), batch_size=4)
        lightning.Trainer(max_epochs=1, accelerator="cpu", callbacks=[Watching()], **quiet).fit(Network(trial), loader)
        return 1.0

    found = stopped(train)
    assert (found.stopped, found.validation, found.error, ended) == (3.0, -3.0, None, ["EarlyStop"])
    assert outcome(described(train), tw.rules["adamw"], Setting(0.01), 0, 12).validation == 1.0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_the_hugging_face_trainer() -> None:
    transformers = pytest.importorskip("transformers")
    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 8}
    rows = [{"input_ids": [i % 8, 1, 2], "labels": i % 2} for i in range(48)]

    class Reporting(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        def __init__(self, trial: Any) -> None:
            self.trial = trial

        def on_step_end(self, arguments: Any, state: Any, control: Any, **more: Any) -> None:
            self.trial.report(state.global_step, validation=-float(state.global_step))

    def train(trial: Any) -> float:
        model = transformers.BertForSequenceClassification(transformers.BertConfig(**size))
        optimizer = trial.optimizer(model)
        arguments = transformers.TrainingArguments(
            tempfile.mkdtemp(), use_cpu=True, max_steps=trial.steps, save_strategy="no", report_to="none", disable_tqdm=True,
            per_device_train_batch_size=4, seed=trial.seed,
        )  # fmt: skip
        both = (optimizer, trial.scheduler(optimizer))
        trainer = transformers.Trainer(model, arguments, train_dataset=rows, optimizers=both, callbacks=[Reporting(trial)])
        trainer.train()
        return 1.0

    found = stopped(train)
    assert (found.stopped, found.validation, found.error) == (3.0, -3.0, None)


def test_a_callback_of_jax_turns_it_into_an_error_of_its_own() -> None:
    jax = pytest.importorskip("jax")

    def train(trial: Any) -> float:
        def step(x: Any, i: Any) -> Any:
            jax.experimental.io_callback(lambda i: trial.report(int(i), validation=-float(i)), None, i, ordered=True)
            return x, None

        jax.block_until_ready(jax.lax.scan(step, 0.0, np.arange(12)))
        jax.effects_barrier()
        return 1.0

    found = stopped(train)
    assert (found.stopped, found.validation, found.error) == (3.0, -3.0, None)
