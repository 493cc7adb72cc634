"""An autoencoder of images with a bottleneck."""

import numpy as np
from sklearn.datasets import load_digits

from thalweg import nn
from thalweg.lab.data.parts import Part, split
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.data.task import IMAGE
from thalweg.lab.problems.models.digits import ABOUT

WIDTHS = (32, 8, 32)


def problem(block: int = 0) -> Supervised:
    images, digits = load_digits(return_X_y=True)
    x = (images / 16).astype(np.float32)
    train, validation, test = (Part(x[rows], x[rows]) for rows in split(digits, block))
    layers: list[nn.Layer] = [layer for width in WIDTHS for layer in (nn.Linear(width), nn.Tanh())]
    layers += [nn.Linear(64), nn.Sigmoid()]
    about = (
        f"{ABOUT} An auto-encoder, 64-32-8-32-64, tanh and at the end a sigmoid: it draws each image, pixels from 0 to 1, from 8 "
        "numbers. Mean squared error; score: the peak signal-to-noise ratio on unseen images."
    )
    return Supervised("autoencoder", about, train, validation, test, layers, task=IMAGE, steps=500)
