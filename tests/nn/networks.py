"""The networks that the tables of tests run over: every layer and every loss occurs in one of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg import nn

Array = np.ndarray[Any, Any]


def classifier(**options: Any) -> nn.Model:
    return nn.Model([nn.Linear(5), nn.ReLU(), nn.Linear(3)], nn.CrossEntropy(), **options)


@dataclass(frozen=True)
class Case:
    """A small network and data that fits it."""

    name: str
    net: nn.Model
    shape: tuple[int, ...]
    y: str  # labels, onehot, soft, weighted, numbers, bits, bit, sequence
    symbols: int = 0  # x holds so many symbols instead of numbers

    def data(self, batch: int = 5, lanes: int | None = None, seed: int = 1) -> tuple[Array, Array]:
        rng = np.random.default_rng(seed)
        lead = (batch,) if lanes is None else (lanes, batch)
        x = rng.normal(size=(*lead, *self.shape))
        if self.symbols:
            x = np.floor(rng.uniform(0, self.symbols, x.shape))
        labels = rng.integers(0, 3, lead)
        y = {
            "labels": labels,
            "onehot": np.eye(3)[labels],
            "soft": rng.dirichlet(np.ones(3), lead),
            "weighted": rng.dirichlet(np.ones(3), lead) * rng.uniform(size=(*lead, 1)),
            "numbers": rng.normal(size=(*lead, 3)),
            "bits": rng.integers(0, 2, (*lead, 3)),
            "bit": rng.integers(0, 2, lead),
            "sequence": rng.integers(0, 3, (*lead, *self.shape[:1])),
        }[self.y]
        return x, y

    def statistics(self, lanes: int | None = None, seed: int = 2) -> dict[str, dict[str, Array]]:
        """Statistics of a population, where the network keeps any."""
        rng = np.random.default_rng(seed)
        return {
            name: {key: rng.uniform(0.5, 2.0, leaf.shape) for key, leaf in own.items()}
            for name, own in self.net.init_statistics(lanes).items()
        }


def dense(*middle: nn.Layer, last: nn.Layer | None = None, units: int = 3, **options: Any) -> nn.Model:
    layers = [nn.Linear(4), *middle, nn.Linear(units)] + ([] if last is None else [last])
    return nn.Model(layers, **{"loss": nn.CrossEntropy(), **options})


PROBABILITIES = {"from_logits": False}
CASES = [
    Case("relu", dense(nn.ReLU()), (6,), "labels"),
    Case("leaky relu", dense(nn.LeakyReLU(0.1)), (6,), "labels"),
    Case("sigmoid", dense(nn.Sigmoid()), (6,), "onehot"),
    Case("tanh", dense(nn.Tanh()), (6,), "soft"),
    Case("weighted rows", dense(nn.Tanh()), (6,), "weighted"),
    Case("gelu", dense(nn.GELU()), (6,), "labels"),
    Case("softmax inside", dense(nn.Softmax()), (6,), "labels"),
    Case("log softmax inside", dense(nn.LogSoftmax()), (6,), "labels"),
    Case("log softmax last", dense(nn.Tanh(), last=nn.LogSoftmax()), (6,), "labels"),
    Case("probabilities", dense(nn.Tanh(), last=nn.Softmax(), loss=nn.CrossEntropy(**PROBABILITIES)), (6,), "labels"),
    Case("rows", dense(nn.Tanh(), last=nn.Softmax(), loss=nn.CrossEntropy(**PROBABILITIES)), (6,), "soft"),
    Case("binary", dense(nn.Tanh(), units=1, loss=nn.BinaryCrossEntropy()), (6,), "bit"),
    Case("several binary", dense(nn.Tanh(), loss=nn.BinaryCrossEntropy()), (6,), "bits"),
    Case("yes", dense(nn.Tanh(), last=nn.Sigmoid(), units=1, loss=nn.BinaryCrossEntropy(**PROBABILITIES)), (6,), "bit"),
    Case("bits", dense(nn.Tanh(), last=nn.Sigmoid(), loss=nn.BinaryCrossEntropy(**PROBABILITIES)), (6,), "bits"),
    Case("mse", dense(nn.Tanh(), loss=nn.MSE()), (6,), "numbers"),
    Case("mse of softmax", dense(last=nn.Softmax(), loss=nn.MSE()), (6,), "onehot"),
    Case("penalties", dense(nn.Tanh(), penalty=(nn.L1(0.02), nn.L2(0.03, biases=True))), (6,), "labels"),
    Case("flat images", nn.Model([nn.Flatten(), nn.Linear(3)], nn.CrossEntropy()), (2, 3, 2), "labels"),
    Case("activation first", nn.Model([nn.Tanh(), nn.Linear(3)], nn.CrossEntropy()), (6,), "labels"),
    Case(
        "convolutions",
        nn.Model(
            [
                nn.Conv2d(3, size=(3, 2), padding=(1, 2)),
                nn.Tanh(),
                nn.Conv2d(2, size=3, stride=2, padding=1, penalty=nn.L2(0.1)),
                nn.Flatten(),
                nn.Linear(3),
            ],
            nn.CrossEntropy(),
        ),
        (6, 7, 2),
        "labels",
    ),
    Case(
        "max pool",
        nn.Model([nn.Conv2d(3), nn.MaxPool2d(3, stride=2), nn.Flatten(), nn.Linear(3)], nn.CrossEntropy()),
        (8, 9, 1),
        "labels",
    ),
    Case(
        "mean pool",
        nn.Model([nn.Conv2d(3), nn.AvgPool2d((2, 3)), nn.Flatten(), nn.Linear(3)], nn.CrossEntropy()),
        (8, 9, 1),
        "labels",
    ),
    Case("pool first", nn.Model([nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3)], nn.MSE()), (4, 4, 2), "numbers"),
    Case(
        "transformer",
        nn.Model(
            [
                nn.Embedding(5, 6, weights=nn.Normal(1.0)),
                nn.Positions(weights=nn.Normal(1.0)),
                nn.Residual((nn.LayerNorm(), nn.Attention(2))),
                nn.Residual((nn.LayerNorm(), nn.EachPlace(nn.Linear(7)), nn.Tanh(), nn.EachPlace(nn.Linear(6)))),
                nn.LayerNorm(),
                nn.EachPlace(nn.Linear(3)),
            ],
            nn.CrossEntropy(),
            penalty=nn.L2(0.01),
        ),
        (4,),
        "sequence",
        symbols=5,
    ),
    Case(
        "attention first",
        nn.Model([nn.Attention(3, penalty=nn.L1(0.1)), nn.Flatten(), nn.LayerNorm(), nn.Linear(3)], nn.CrossEntropy()),
        (4, 6),
        "labels",
    ),
    Case("residual first", nn.Model([nn.Residual((nn.Linear(6), nn.Tanh())), nn.Linear(3)], nn.CrossEntropy()), (6,), "labels"),
    Case("norm first", nn.Model([nn.LayerNorm(), nn.Linear(3)], nn.MSE()), (6,), "numbers"),
    Case(
        "places first",
        nn.Model([nn.EachPlace(nn.Linear(2)), nn.Positions(), nn.Flatten(), nn.Linear(3)], nn.MSE()),
        (4, 6),
        "numbers",
    ),
    Case("batch norm", dense(nn.BatchNorm(), nn.ReLU(), penalty=nn.L2(0.1)), (6,), "labels"),
    Case("batch norm first", nn.Model([nn.BatchNorm(0.1), nn.Linear(3)], nn.MSE()), (6,), "numbers"),
    Case(
        "batch norm of images",
        nn.Model([nn.Conv2d(3), nn.BatchNorm(), nn.ReLU(), nn.Flatten(), nn.Linear(3)], nn.CrossEntropy()),
        (4, 5, 2),
        "labels",
    ),
    Case(
        "batch norm inside",
        nn.Model(
            [
                nn.Residual((nn.EachPlace(nn.BatchNorm()), nn.Tanh(), nn.EachPlace(nn.Linear(4)), nn.BatchNorm())),
                nn.Flatten(),
                nn.Linear(3),
            ],
            nn.CrossEntropy(),
        ),
        (3, 4),
        "labels",
    ),
    Case("dropout", dense(nn.Tanh(), nn.Dropout(0.6)), (6,), "labels"),
    Case("dropout first", nn.Model([nn.Dropout(0.6), nn.Linear(3)], nn.CrossEntropy()), (6,), "labels"),
]
NAMES = [case.name for case in CASES]
