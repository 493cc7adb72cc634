"""MNIST-1D, generated here: ten curves with random distortions (Greydanus & Kobak 2020, arXiv 2011.14439).

The ten curves and the sizes of the distortions are the authors' (github.com/greydanus/mnist1d, Apache-2.0). The random
numbers, and so the samples, differ.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from thalweg.lab.data.parts import Array

CURVES = np.array(
    [
        [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
        [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
        [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
        [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
        [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
        [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
        [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
        [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
    ]
)
PADDING = (36, 60)
LENGTH = CURVES.shape[1] + PADDING[1]
POINTS = 40
SCALE, SHIFT, CORRELATED, INDEPENDENT, SHEAR = 0.4, 48, 0.25, 0.02, 0.75
SHARPNESS = 2.0

ABOUT = (
    "MNIST-1D: curves of 40 points, 10 classes, each one of ten templates padded, stretched, shifted, sheared and made noisy "
    "(Greydanus and Kobak 2020, arXiv 2011.14439; templates and sizes theirs, Apache-2.0; the 5,000 samples are drawn here). "
    "Their test accuracies: 32 % for logistic regression, 68 % for a network of dense layers, 94 % for a convolutional one."
)


def data(samples: int = 5000, seed: int = 0) -> tuple[Array, Array]:
    """Curves (samples, 40) in float64 and balanced classes (samples,), determined by the seed."""
    random = np.random.default_rng(seed)
    templates = CURVES - CURVES.mean(axis=1, keepdims=True)
    templates /= 6 * templates.std(axis=1, keepdims=True)
    templates -= templates[:, :1]
    y = np.arange(samples) % len(templates)
    signal = np.stack([_stretched(templates[k], int(random.integers(PADDING[0], PADDING[1] + 1))) for k in y])
    signal *= 1 + SCALE * (random.random((samples, 1)) - 0.5)
    at = (np.arange(LENGTH) - random.integers(0, SHIFT, (samples, 1))) % LENGTH
    signal = np.take_along_axis(signal, at, axis=1)
    background = gaussian_filter1d(CORRELATED * random.standard_normal(signal.shape), SHARPNESS, axis=1)
    signal = np.where(np.isnan(signal), background, signal) + INDEPENDENT * random.standard_normal(signal.shape)
    signal -= SHEAR * (random.random((samples, 1)) - 0.5) * np.linspace(-0.5, 0.5, LENGTH)
    return np.stack([_at_points(curve, POINTS) for curve in signal]), y


def _stretched(template: Array, padding: int) -> Array:
    """The template followed by `padding` points of NaN, resampled to LENGTH points."""
    room = np.concatenate([template, np.zeros(padding)])
    known = np.linspace(0, len(room) - 1, LENGTH) < len(template)
    return np.where(known, _at_points(room, LENGTH), np.nan)


def _at_points(curve: Array, points: int) -> Array:
    """The curve interpolated linearly at `points` evenly spaced points."""
    return np.interp(np.linspace(0, len(curve) - 1, points), np.arange(len(curve)), curve)
