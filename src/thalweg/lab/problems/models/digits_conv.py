"""Handwritten digits with a small convolutional network."""

from sklearn.datasets import load_digits

from thalweg import nn
from thalweg.lab.data.parts import DataSet
from thalweg.lab.data.supervised import Supervised, parted
from thalweg.lab.problems.models.digits import ABOUT


def problem(block: int = 0) -> Supervised:
    about = f"{ABOUT} Network: two convolutions, 3 x 3, with stride 1 and 2 and 8 and 16 filters, ReLU, a dense layer."
    layers = [
        nn.Conv2d(8, padding=1), nn.ReLU(), nn.Conv2d(16, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(10),
    ]  # fmt: skip
    x, y = load_digits(return_X_y=True)
    images = DataSet(x, y, shape=(8, 8, 1), alike=True, block=block)
    return parted("digits_conv", about, images, layers, steps=150, batch_size=32, tune_on=200)
