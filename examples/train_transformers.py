"""Compare optimizers on the Hugging Face Trainer: it takes the trial's optimizer and schedule as its `optimizers`.

python examples/train_transformers.py
"""

import tempfile

import numpy as np
import torch
import transformers

from thalweg import lab

transformers.logging.set_verbosity_error()
SIZE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 16}
rng = np.random.default_rng(0)
words = rng.integers(0, 16, (360, 6)).tolist()
rows = [{"input_ids": each, "labels": int(each[0] > 7)} for each in words]  # which half the first word is of
PARTS = {"train": rows[:200], "validation": rows[200:280], "test": rows[280:]}


def train(trial):
    """Which half the first word is of, by a small BERT."""
    torch.manual_seed(trial.seed)
    model = transformers.BertForSequenceClassification(transformers.BertConfig(**SIZE))
    optimizer = trial.optimizer(model)
    arguments = transformers.TrainingArguments(
        tempfile.mkdtemp(), use_cpu=True, max_steps=trial.steps, save_strategy="no", report_to="none", disable_tqdm=True,
        per_device_train_batch_size=20, seed=trial.seed,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model, arguments, train_dataset=PARTS["train"], optimizers=(optimizer, trial.scheduler(optimizer))
    )
    trainer.train()

    def accuracy(part):
        found = trainer.predict(PARTS[part])
        return float((found.predictions.argmax(1) == found.label_ids).mean())

    return {"validation": accuracy("validation"), "test": accuracy("test")}


if __name__ == "__main__":
    print(lab.compare(train, rules=["adamw", "lion"], schedule="linear", steps=20, budget=2, seeds=2, out="results"))
