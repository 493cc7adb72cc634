"""MNIST-1D with a convolutional network."""

from thalweg import nn
from thalweg.lab.data.mnist1d import ABOUT, data
from thalweg.lab.data.parts import DataSet
from thalweg.lab.data.supervised import Supervised, parted


def problem(block: int = 0) -> Supervised:
    about = f"{ABOUT} Network: two convolutions of width 5 and stride 2, with 16 and 16 filters, ReLU, a dense layer."
    layers: list[nn.Layer] = []
    for _ in range(2):
        layers += [nn.Conv2d(16, size=(5, 1), stride=(2, 1), padding=(2, 0)), nn.ReLU()]
    layers += [nn.Flatten(), nn.Linear(10)]
    curves = DataSet(*data(), shape=(40, 1, 1), alike=True, block=block)
    return parted("mnist1d_conv", about, curves, layers, steps=300, tune_on=300)
