"""The task of a network on data: its loss and its score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thalweg import nn
from thalweg.lab.data.problem import Floats, Score
from thalweg.values.arrays import framework


def itself(loss: Floats) -> Floats:
    """The loss itself, as a score."""
    return loss


@dataclass(frozen=True)
class Task:
    """A loss to train with and a score to judge by.

    metric: the name of a metric of `thalweg.nn`; "" if the score is a function `of_loss` of the mean loss, for arrays of any
    framework.
    """

    loss: nn.Loss
    score: Score
    metric: str = ""
    of_loss: Callable[[Floats], Floats] = itself


def bits(loss: Floats) -> Floats:
    """Convert a cross-entropy from nats to bits."""
    found: Floats = loss / math.log(2)
    return found


def psnr(loss: Floats) -> Floats:
    """The peak signal-to-noise ratio in dB of values between 0 and 1 with this mean squared error."""
    with np.errstate(divide="ignore"):
        found: Floats = -10 * framework(loss).log10(loss)
    return found


ACCURACY = Score("accuracy", higher_is_better=True, share=True)
CLASSES = Task(nn.CrossEntropy(), ACCURACY, "accuracy")
VALUES = Task(nn.MSE(), Score("R²", higher_is_better=True), "r2")
LIKELIHOOD = Task(nn.CrossEntropy(), Score("cross-entropy", higher_is_better=False))
"""Classification with rare classes, which accuracy hardly measures."""
YES_OR_NO = Task(nn.BinaryCrossEntropy(), Score("cross-entropy", higher_is_better=False))
TEXT = Task(nn.CrossEntropy(), Score("bits per character", higher_is_better=False), of_loss=bits)
IMAGE = Task(nn.MSE(), Score("PSNR (dB)", higher_is_better=True), of_loss=psnr)
