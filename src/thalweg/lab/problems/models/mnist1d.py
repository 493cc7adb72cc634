"""MNIST-1D with a network of dense layers."""

from thalweg import nn
from thalweg.lab.data.mnist1d import ABOUT, data
from thalweg.lab.data.parts import DataSet
from thalweg.lab.data.supervised import Supervised, parted


def problem(block: int = 0) -> Supervised:
    about = f"{ABOUT} Network: 40-64-64-10, ReLU."
    layers = [nn.Linear(64), nn.ReLU(), nn.Linear(64), nn.ReLU(), nn.Linear(10)]
    return parted("mnist1d", about, DataSet(*data(), alike=True, block=block), layers, steps=500, tune_on=300)
