"""Fine-tune a tiny text classifier with the Hugging Face Trainer."""

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

rng = np.random.default_rng(0)


class Words(Dataset):
    """Sequences of tokens; the label says whether the first token is above 8."""

    def __init__(self, n):
        self.tokens = rng.integers(5, 12, (n, 6))
        self.labels = (self.tokens[:, 0] > 8).astype(int)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {"input_ids": torch.tensor(self.tokens[i]), "labels": torch.tensor(self.labels[i])}


train_set, val_set, test_set = Words(320), Words(200), Words(400)


def compute_metrics(p):
    return {"accuracy": float((p.predictions.argmax(-1) == p.label_ids).mean())}


def main(seed=0):
    set_seed(seed)
    config = BertConfig(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
    )
    model = BertForSequenceClassification(config)
    args = TrainingArguments(
        output_dir="out",
        num_train_epochs=2,
        per_device_train_batch_size=32,
        per_device_eval_batch_size=200,
        learning_rate=1e-3,
        warmup_steps=5,
        lr_scheduler_type="linear",
        weight_decay=0.01,
        max_grad_norm=1.0,
        eval_strategy="steps",
        eval_steps=10,
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        seed=seed,
    )
    trainer = Trainer(model=model, args=args, train_dataset=train_set, eval_dataset=val_set, compute_metrics=compute_metrics)
    trainer.train()
    val = trainer.evaluate()["eval_accuracy"]
    test = trainer.evaluate(test_set)["eval_accuracy"]
    print("validation", val, "test", test)


if __name__ == "__main__":
    main()
