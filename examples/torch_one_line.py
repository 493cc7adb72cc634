"""Port a PyTorch training script by changing its import, and print the losses of both versions side by side.

python examples/torch_one_line.py [torch.optim | thalweg.torch]

The script is `train`; only the module that `optim` comes from differs. Without an argument it runs with both modules.
"""

import importlib
import sys

import torch
from sklearn.datasets import load_digits
from torch import nn


def train(home: str) -> list[float]:
    optim = importlib.import_module(home)  # in your script: `from torch import optim`, or `import thalweg.torch as optim`

    torch.manual_seed(0)
    x, y = load_digits(return_X_y=True)
    data = torch.utils.data.TensorDataset(torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y))
    batches = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, epochs=6, steps_per_epoch=len(batches))

    losses = []
    for _ in range(6):
        total = 0.0
        for inputs, labels in batches:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(labels)
        losses.append(total / len(data))
    return losses


homes = sys.argv[1:] or ["torch.optim", "thalweg.torch"]
columns = [train(home) for home in homes]
print("epoch", *(f"{home:>15}" for home in homes))
for epoch, row in enumerate(zip(*columns, strict=True), 1):
    print(f"{epoch:5}", *(f"{loss:15.4f}" for loss in row))
