"""Forward and backward pass through the layers. All arrays have a lane axis."""

from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.nn.arrays import Array, Draw, Params
from thalweg.nn.layers.layer import Layer, Stochastic, Trainable
from thalweg.nn.penalties import Penalty


def predict(layers: Sequence[Layer], params: Params, statistics: Params, x: Array) -> Array:
    """The outputs at prediction, without random draws or caches."""
    for i, layer in enumerate(layers):
        x = layer.predict(params.get(str(i), {}), statistics.get(str(i), {}), x)
    return x


def tracked(layers: Sequence[Layer], statistics: Params, caches: Sequence[Any], weight: float | None = None) -> Params:
    """The statistics after a training pass. weight: the share of the pass; None: each layer's own."""
    return {name: layers[int(name)].tracked(own, caches[int(name)], weight) for name, own in statistics.items()}


def forward(layers: Sequence[Layer], params: Params, x: Array, draw: Draw) -> tuple[Array, list[Any]]:
    """The outputs in training, and each layer's cache."""
    caches = []
    for i, layer in enumerate(layers):
        x, cache = layer.sample(x, draw) if isinstance(layer, Stochastic) else layer.forward(params.get(str(i), {}), x)
        caches.append(cache)
    return x, caches


def backward(layers: Sequence[Layer], params: Params, caches: Sequence[Any], dy: Array) -> Params:
    """The gradients, a tree like params. dy is the gradient of the outputs and is overwritten.

    The pass stops at the first layer with parameters: the gradient with respect to x would be its most expensive
    product and is unused.
    """
    first = next((i for i, layer in enumerate(layers) if isinstance(layer, Trainable)), len(layers))
    grads: Params = {}
    for i in range(len(layers) - 1, first - 1, -1):
        layer, own = layers[i], params.get(str(i), {})
        if isinstance(layer, Trainable):
            grads[str(i)] = layer.grads(own, caches[i], dy)
        if i > first:
            dy = layer.backward(own, caches[i], dy)
    return {name: grads[name] for name in params}


def penalised(penalties: Mapping[str, tuple[Penalty, ...]], params: Params) -> list[tuple[Penalty, str, str]]:
    """All (penalty, layer, parameter) combinations that apply."""
    return [
        (penalty, name, key)
        for name, several in penalties.items()
        for penalty in several
        for key in params[name]
        if penalty.biases or key.rpartition(".")[2] != "b"
    ]
