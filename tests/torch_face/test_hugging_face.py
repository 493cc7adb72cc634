"""`thalweg.torch` in the Hugging Face Trainer."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from support import first

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.trainers import CLOSURES, OPTIMIZERS, Make, everyday, needs, same  # noqa: E402

pytestmark = pytest.mark.usefixtures("restored")


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
@pytest.mark.parametrize("name", first(CLOSURES))
def test_hugging_face_has_no_closure(name: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"step\(closure\)"):
        hugging_face(tmp_path, OPTIMIZERS[name]).train()
