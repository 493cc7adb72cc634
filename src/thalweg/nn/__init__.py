"""Networks in NumPy: layers, losses, initialisers, and a Model that is pure functions over a tree of parameters."""

from thalweg.nn.history import History
from thalweg.nn.initialisers import (
    Initialiser,
    Normal,
    NormalByFan,
    Uniform,
    UniformByFan,
    Zeros,
    glorot_normal,
    glorot_uniform,
    he,
    lecun,
)
from thalweg.nn.layers.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from thalweg.nn.layers.attention import Attention
from thalweg.nn.layers.batch_norm import BatchNorm
from thalweg.nn.layers.conv import Conv2d
from thalweg.nn.layers.dropout import Dropout
from thalweg.nn.layers.embedding import Embedding, Positions
from thalweg.nn.layers.flatten import Flatten
from thalweg.nn.layers.gelu import GELU
from thalweg.nn.layers.layer import Activation, Layer, Stochastic, Trainable
from thalweg.nn.layers.layer_norm import LayerNorm
from thalweg.nn.layers.linear import Linear
from thalweg.nn.layers.pool import AvgPool2d, MaxPool2d
from thalweg.nn.layers.softmax import LogSoftmax, Softmax
from thalweg.nn.layers.within import EachPlace, Residual
from thalweg.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from thalweg.nn.losses.cross_entropy import CrossEntropy
from thalweg.nn.losses.loss import Loss
from thalweg.nn.losses.metrics import accuracy, error_rate, mse, r2
from thalweg.nn.losses.squared_error import MSE
from thalweg.nn.model import Model, load
from thalweg.nn.penalties import L1, L2, Penalty

__all__ = [
    "GELU",
    "L1",
    "L2",
    "MSE",
    "Activation",
    "Attention",
    "AvgPool2d",
    "BatchNorm",
    "BinaryCrossEntropy",
    "Conv2d",
    "CrossEntropy",
    "Dropout",
    "EachPlace",
    "Embedding",
    "Flatten",
    "History",
    "Initialiser",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Loss",
    "MaxPool2d",
    "Model",
    "Normal",
    "NormalByFan",
    "Penalty",
    "Positions",
    "ReLU",
    "Residual",
    "Sigmoid",
    "Softmax",
    "Stochastic",
    "Tanh",
    "Trainable",
    "Uniform",
    "UniformByFan",
    "Zeros",
    "accuracy",
    "error_rate",
    "glorot_normal",
    "glorot_uniform",
    "he",
    "lecun",
    "load",
    "mse",
    "r2",
]
