"""A model as functions of its parameters that JAX and PyTorch can differentiate, made of the same layers and the same loss.

Parameters and data have the lane axis in front, as everywhere in this room; JAX arrays or tracers, or torch tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from thalweg.nn import forward_backward
from thalweg.nn.arrays import Draw, Params, Shape
from thalweg.nn.layers.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from thalweg.nn.layers.attention import Attention
from thalweg.nn.layers.conv import Conv2d
from thalweg.nn.layers.dropout import Dropout
from thalweg.nn.layers.embedding import Embedding, Positions
from thalweg.nn.layers.flatten import Flatten
from thalweg.nn.layers.gelu import GELU
from thalweg.nn.layers.layer import Layer
from thalweg.nn.layers.layer_norm import LayerNorm
from thalweg.nn.layers.linear import Linear
from thalweg.nn.layers.pool import AvgPool2d, MaxPool2d
from thalweg.nn.layers.softmax import LogSoftmax, Softmax
from thalweg.nn.layers.within import EachPlace, Residual
from thalweg.nn.model import Model

Array = Any


FORMS = (
    *(Linear, Conv2d, AvgPool2d, MaxPool2d, Flatten, Dropout),
    *(Embedding, Positions, Attention, LayerNorm, EachPlace, Residual),
    *(ReLU, LeakyReLU, Sigmoid, Tanh, GELU, Softmax, LogSoftmax),
)
"""The layers whose forward pass is written in words that every framework has: all of this room's, none of a user's own."""


def has_form(model: Model) -> bool:
    """Whether the functions here take a model: whether all its layers, and those inside them, are among FORMS."""
    return not _others(model)


def _not_said(shape: Shape) -> Array:
    raise ValueError(
        "this network draws random numbers while training (Dropout): pass draw=, a function that gives uniform numbers in "
        "[0, 1) of a shape with (lanes or 1,) before it"
    )


def loss(model: Model, params: Params, x: Array, y: Array, draw: Draw = _not_said) -> Array:
    """The training loss (lanes,), penalties included: `Model.loss_and_grad` without the gradient.

    Nothing is checked: x is (lanes or 1, batch, ...) in the dtype of params, y as the loss's `targets` gives it, and what
    draw(shape) gives for Dropout uniform in [0, 1), (lanes or 1, *shape), each of them in arrays of the same framework.
    Raises ValueError for a layer that draws where nothing is said of `draw`, and for one that is none of FORMS.
    """
    for layer in _others(model):
        raise ValueError(f"{type(layer).__name__} runs on NumPy arrays alone; these run on others too: {_listed()}")
    z, _ = forward_backward.forward(model.layers, params, x, draw)
    return _with_penalties(model, params, model.loss.value(z, y))


def judged(model: Model, params: Params, x: Array, y: Array) -> tuple[Array, Array]:
    """The loss (lanes,) at prediction, penalties included, and the outputs (lanes, batch, ...)."""
    z = forward_backward.predict(model.layers, params, x)
    return _with_penalties(model, params, model.loss.value(z, y)), z


def _with_penalties(model: Model, params: Params, value: Array) -> Array:
    for penalty, name, key in forward_backward.penalised(model.penalties, params):
        value = value + penalty.value(params[name][key])
    return value


def _others(model: Model) -> list[Layer]:
    return [layer for layer in _flat(model.layers) if type(layer) not in FORMS]


def _flat(layers: Sequence[Layer]) -> Iterator[Layer]:
    """All of them, and those inside."""
    for layer in layers:
        yield layer
        if isinstance(layer, EachPlace):
            yield from _flat((layer.layer,))
        elif isinstance(layer, Residual):
            yield from _flat(layer.layers)


def _listed() -> str:
    return ", ".join(form.__name__ for form in FORMS)
