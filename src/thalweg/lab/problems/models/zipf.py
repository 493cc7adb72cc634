"""Softmax regression on classes with Zipf's frequencies (Kunstner et al. 2024, arXiv 2402.19449)."""

import numpy as np

from thalweg import nn
from thalweg.lab.data.parts import Array, DataSet
from thalweg.lab.data.supervised import Supervised, parted
from thalweg.lab.data.task import LIKELIHOOD

CLASSES, INPUTS, SAMPLES, LEAST = 100, 32, 5000, 5
APART = 0.5
"""Standard deviation of the class means, in standard deviations of a class: classes overlap."""

ABOUT = (
    f"{SAMPLES:,} samples of {CLASSES} classes, the k-th most frequent with frequency about 1/k (Zipf's law), from {INPUTS} "
    "Gaussian inputs, drawn here. After the linear model with heavy-tailed classes of Kunstner et al. (2024, arXiv 2402.19449), "
    "where the rare classes hold up gradient descent but not Adam; here each class has a mean of its own, so that there is "
    "something to learn for unseen data. Softmax regression; score: the cross-entropy on unseen data."
)


def data() -> tuple[Array, Array]:
    """x (samples, INPUTS) and y (samples,): class k has a share proportional to 1 / (k + 1), and at least LEAST samples."""
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, CLASSES + 1)
    counts = np.maximum(LEAST, np.round(SAMPLES * shares / shares.sum()).astype(int))
    counts[0] += SAMPLES - counts.sum()
    y = np.repeat(np.arange(CLASSES), counts)
    means = random.standard_normal((CLASSES, INPUTS))
    return APART * means[y] + random.standard_normal((SAMPLES, INPUTS)), y


def problem(block: int = 0) -> Supervised:
    layers = [nn.Linear(CLASSES, weights=nn.lecun())]
    return parted("zipf", ABOUT, DataSet(*data(), block=block), layers, LIKELIHOOD, steps=300, tune_on=300)
