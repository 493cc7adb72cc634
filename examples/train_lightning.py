"""Compare optimizers on a Lightning module: `configure_optimizers` asks the trial for the optimizer and its schedule.

python examples/train_lightning.py
"""

import warnings

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from thalweg import lab

warnings.filterwarnings("ignore", ".*LeafSpec.*")  # Lightning asks torch in a way that it deprecates
warnings.filterwarnings("ignore", ".*does not have many workers")
import pytorch_lightning as lightning  # noqa: E402

images, digits = load_digits(return_X_y=True)
x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(digits)
QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}


class Network(lightning.LightningModule):
    def __init__(self, trial):
        super().__init__()
        self.trial = trial
        self.net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def configure_optimizers(self):
        optimizer = self.trial.optimizer(self)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": self.trial.scheduler(optimizer), "interval": "step"}}

    def training_step(self, batch, index):
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def accuracy(self, part):
        with torch.no_grad():
            return (self.net(x[part]).argmax(1) == y[part]).float().mean().item()


def train(trial):
    """Digits with a Lightning module."""
    torch.manual_seed(trial.seed)
    model = Network(trial)
    data = DataLoader(TensorDataset(x[:1000], y[:1000]), batch_size=50, shuffle=True)
    lightning.Trainer(max_epochs=2, accelerator="cpu", **QUIET).fit(model, data)
    return {"validation": model.accuracy(slice(1000, 1400)), "test": model.accuracy(slice(1400, None))}


if __name__ == "__main__":
    print(lab.compare(train, rules=["adamw", "lion"], budget=2, seeds=2, out="results"))
