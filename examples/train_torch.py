"""Compare optimizers on a training loop of your own in PyTorch: BatchNorm, groups, warm-up, clipping, an average of weights.

python examples/train_torch.py

The same from the command line: thalweg compare --train examples/train_torch.py --schedule wsd --rules adamw,lion,muon
"""

import copy

import torch
from sklearn.datasets import load_digits
from torch import nn

from thalweg import lab

images, digits = load_digits(return_X_y=True)
x, y = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(digits)
PARTS = {"train": slice(0, 1000), "validation": slice(1000, 1400), "test": slice(1400, None)}


def accuracy(model, part):
    model.eval()
    with torch.no_grad():
        right = model(x[PARTS[part]]).argmax(1) == y[PARTS[part]]
    model.train()
    return right.float().mean().item()


def train(trial):
    """Digits with a small convolutional network."""
    torch.manual_seed(trial.seed)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim < 2]
    optimizer = trial.optimizer([{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}])
    schedule = trial.scheduler(optimizer)
    for step in range(60):
        pick = torch.randint(0, 1000, (32,))
        loss = nn.functional.cross_entropy(model(x[pick]), y[pick])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
        trial.report(step + 1, validation=lambda: accuracy(model, "validation"))  # called as often as is affordable
    ends = copy.deepcopy(average.module)
    torch.optim.swa_utils.update_bn([x[PARTS["train"]]], ends)
    return {"validation": accuracy(ends, "validation"), "test": accuracy(ends, "test")}


if __name__ == "__main__":
    print(lab.compare(train, rules=["adamw", "lion", "muon"], schedule="wsd", budget=3, seeds=3, out="results"))
