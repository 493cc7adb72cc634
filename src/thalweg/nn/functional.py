"""A model as functions of its parameters, with the same layers and loss, that JAX and PyTorch can differentiate.

Parameters and data have a leading lane axis, and are JAX arrays or tracers, or torch tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from thalweg.nn import forward_backward
from thalweg.nn.arrays import Draw, Params, Shape
from thalweg.nn.layers.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from thalweg.nn.layers.attention import Attention
from thalweg.nn.layers.batch_norm import BatchNorm
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
    *(Embedding, Positions, Attention, BatchNorm, LayerNorm, EachPlace, Residual),
    *(ReLU, LeakyReLU, Sigmoid, Tanh, GELU, Softmax, LogSoftmax),
)
"""The layers whose forward pass runs in every framework: all layers of this package, none of a user's."""


def has_form(model: Model) -> bool:
    """Whether all layers of the model, nested ones included, are among FORMS."""
    return not _others(model)


def _not_said(shape: Shape) -> Array:
    raise ValueError(
        "this network draws random numbers while training (Dropout): pass draw=, a function that gives uniform numbers in "
        "[0, 1) of a shape with (lanes or 1,) before it"
    )


def loss(model: Model, params: Params, x: Array, y: Array, draw: Draw = _not_said) -> Array:
    """The training loss (lanes,), penalties included: `Model.loss_and_grad` without the gradient.

    Nothing is checked. All arrays are of one framework: x is (lanes or 1, batch, ...) in the dtype of params, y is as
    returned by the loss's `targets`, and draw(shape) returns uniform numbers in [0, 1) of shape (lanes or 1, *shape).
    Raises ValueError for a layer that draws if `draw` is missing, and for a layer outside FORMS.
    """
    return loss_and_statistics(model, params, {}, x, y, draw)[0]


def loss_and_statistics(
    model: Model, params: Params, statistics: Params, x: Array, y: Array, draw: Draw = _not_said
) -> tuple[Array, Params]:
    """`loss`, and the statistics after this batch, of a network with BatchNorm (the first ones: `Model.init_statistics`).

    In PyTorch detach them: otherwise each step keeps the graphs of all before it.
    """
    for layer in _others(model):
        raise ValueError(f"{type(layer).__name__} runs on NumPy arrays alone; these run on others too: {_listed()}")
    z, caches = forward_backward.forward(model.layers, params, x, draw)
    found = _with_penalties(model, params, model.loss.value(z, y))
    return found, forward_backward.tracked(model.layers, statistics, caches)


def judged(model: Model, params: Params, x: Array, y: Array, statistics: Params | None = None) -> tuple[Array, Array]:
    """The loss (lanes,) at prediction, penalties included, and the outputs (lanes, batch, ...). statistics: of BatchNorm."""
    z = forward_backward.predict(model.layers, params, statistics or {}, x)
    return _with_penalties(model, params, model.loss.value(z, y)), z


def _with_penalties(model: Model, params: Params, value: Array) -> Array:
    for penalty, name, key in forward_backward.penalised(model.penalties, params):
        value = value + penalty.value(params[name][key])
    return value


def _others(model: Model) -> list[Layer]:
    return [layer for layer in _flat(model.layers) if type(layer) not in FORMS]


def _flat(layers: Sequence[Layer]) -> Iterator[Layer]:
    """All layers, nested ones included."""
    for layer in layers:
        yield layer
        if isinstance(layer, EachPlace):
            yield from _flat((layer.layer,))
        elif isinstance(layer, Residual):
            yield from _flat(layer.layers)


def _listed() -> str:
    return ", ".join(form.__name__ for form in FORMS)
