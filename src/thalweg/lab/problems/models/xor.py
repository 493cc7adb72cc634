"""Exclusive or: the smallest problem that needs a hidden layer."""

import numpy as np

from thalweg import nn
from thalweg.lab.data.parts import Part
from thalweg.lab.data.supervised import Supervised

ABOUT = (
    "The four points of exclusive or. Network: 2-8-2, tanh, cross-entropy. Nothing is held out: the same four points train, "
    "tune and judge, so the score says only how surely an optimizer finds a solution, nothing about unseen data."
)


def problem() -> Supervised:
    points = Part(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0], np.int64))
    return Supervised("xor", ABOUT, points, points, points, [nn.Linear(8), nn.Tanh(), nn.Linear(2)])
