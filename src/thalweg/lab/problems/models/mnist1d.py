"""MNIST-1D with a network of dense layers."""

from thalweg import nn
from thalweg.lab.data.mnist1d import ABOUT, data
from thalweg.lab.data.supervised import Supervised, parted


def problem() -> Supervised:
    about = f"{ABOUT} Network: 40-64-64-10, ReLU."
    layers = [nn.Linear(64), nn.ReLU(), nn.Linear(64), nn.ReLU(), nn.Linear(10)]
    x, y = data()
    return parted("mnist1d", about, x, y, layers, steps=500, tune_on=300, alike=True)
