"""Regression of a photograph's colours on the coordinates."""

import numpy as np
from sklearn.datasets import load_sample_image

from thalweg import nn
from thalweg.lab.data.parts import Array, Part, digest, split
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.data.task import IMAGE

BLOCK, FREQUENCIES, BANDWIDTH, HIDDEN = 8, 32, 4.0, 48

ABOUT = (
    "A photograph of a tower above a lake (china.jpg by danielbuechele, CC BY 2.0; shipped with scikit-learn), averaged over "
    f"blocks of {BLOCK} x {BLOCK}, 53 x 80 pixels. Network: from a pixel's place, as {2 * FREQUENCIES} Fourier features (Tancik "
    f"et al. 2020, arXiv 2006.10739), by two layers of {HIDDEN} ReLU units to its colour, between 0 and 1. Mean squared error; "
    "score: the peak signal-to-noise ratio on pixels never seen."
)


def pixels() -> tuple[Array, Array]:
    """Coordinates (n, 2) and colours (n, 3), all in [0, 1]."""
    image = load_sample_image("china.jpg")
    high, wide = (size // BLOCK for size in image.shape[:2])
    blocks = image[: high * BLOCK, : wide * BLOCK].reshape(high, BLOCK, wide, BLOCK, 3)
    rows, columns = np.mgrid[:high, :wide] / wide
    return np.stack([rows.ravel(), columns.ravel()], axis=1), blocks.mean(axis=(1, 3)).reshape(-1, 3) / 255


def features(places: Array) -> Array:
    """cos and sin of 2 pi B x, (n, 2 FREQUENCIES), with a fixed normal matrix B of standard deviation BANDWIDTH."""
    waves = 2 * np.pi * places @ np.random.default_rng(0).normal(0, BANDWIDTH, (2, FREQUENCIES))
    return np.concatenate([np.cos(waves), np.sin(waves)], axis=1)


def problem(block: int = 0) -> Supervised:
    places, colours = pixels()
    x, y = features(places).astype(np.float32), colours.astype(np.float32)
    rows = split(np.zeros(len(x), np.intp), block)
    layers: list[nn.Layer] = [nn.Linear(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN), nn.ReLU(), nn.Linear(3), nn.Sigmoid()]
    mark = digest(repr((layers, BANDWIDTH, FREQUENCIES)), places, colours, *rows)
    train, validation, test = (Part(x[own], y[own]) for own in rows)
    return Supervised("photograph", ABOUT, train, validation, test, layers, mark, task=IMAGE, steps=500)
