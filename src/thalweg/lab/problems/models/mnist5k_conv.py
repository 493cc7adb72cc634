"""5,000 digits of MNIST with a small convolutional network."""

from thalweg import nn
from thalweg.lab.data.mnist5k import ABOUT, data
from thalweg.lab.data.parts import DataSet
from thalweg.lab.data.supervised import Supervised, parted


def problem(block: int = 0) -> Supervised:
    about = f"{ABOUT} Network: two convolutions, 5 x 5 and 3 x 3, with stride 2 and 8 and 16 filters, ReLU, a dense layer."
    layers = [
        nn.Conv2d(8, size=5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(16, size=3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(10),
    ]  # fmt: skip
    images = DataSet(*data(), shape=(28, 28, 1), alike=True, block=block)
    return parted("mnist5k_conv", about, images, layers, steps=100, batch_size=32, tune_on=200)
