"""A Lightning classifier of breast cancer."""

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Cancer(pl.LightningDataModule):
    def setup(self, stage=None):
        x, y = load_breast_cancer(return_X_y=True)
        x_train, x_rest, y_train, y_rest = train_test_split(x, y, test_size=0.4, random_state=0, stratify=y)
        x_val, x_test, y_val, y_test = train_test_split(x_rest, y_rest, test_size=0.5, random_state=0, stratify=y_rest)
        scaler = StandardScaler().fit(x_train)

        def part(x, y):
            return TensorDataset(torch.tensor(scaler.transform(x), dtype=torch.float32), torch.tensor(y))

        self.parts = {"train": part(x_train, y_train), "val": part(x_val, y_val), "test": part(x_test, y_test)}

    def train_dataloader(self):
        return DataLoader(self.parts["train"], batch_size=32, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.parts["val"], batch_size=200)

    def test_dataloader(self):
        return DataLoader(self.parts["test"], batch_size=200)


class Classifier(pl.LightningModule):
    def __init__(self, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(30, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, index):
        loss = F.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", F.cross_entropy(self(batch[0]), batch[1]), prog_bar=True)

    def test_step(self, batch, index):
        self.log("test_loss", F.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.trainer.estimated_stepping_batches)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def main(seed=0):
    pl.seed_everything(seed)
    data = Cancer()
    model = Classifier()
    trainer = pl.Trainer(max_epochs=5, gradient_clip_val=1.0, logger=False, enable_checkpointing=False)
    trainer.fit(model, data)
    val = trainer.validate(model, data)[0]["val_loss"]
    test = trainer.test(model, data)[0]["test_loss"]
    print(val, test)


if __name__ == "__main__":
    main()
