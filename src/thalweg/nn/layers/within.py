"""Layers that contain others: one applied at each position, and a residual block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.nn.arrays import Array, Params, Rng, Shape, folded
from thalweg.nn.layers.layer import Layer, Stochastic, Trainable
from thalweg.nn.penalties import Penalty, as_penalties


@dataclass(frozen=True)
class EachPlace(Trainable):
    """A layer for flat samples, such as Linear, applied to the last axis at each position of the others.

    Parameters
    ----------
    layer : Trainable
        The inner layer. Its parameters are this layer's parameters.
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    layer: Trainable
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Trainable):
            raise TypeError(f"EachPlace({self.layer!r}): want one layer with parameters, such as nn.Linear(32)")
        _check_inner(self, self.layer)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """The inner layer's parameters, for the last axis."""
        params, outputs = self.layer.init(shape[-1:], rng)
        return params, (*shape[:-1], *outputs)

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the inner layer's cache."""
        y, cache = self.layer.forward(params, folded(x))
        return y.reshape(len(y), *x.shape[1:-1], *y.shape[2:]), cache

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The inner layer's gradients."""
        return self.layer.grads(params, cache, folded(dy))

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """The inner layer's input gradient."""
        dx = self.layer.backward(params, cache, folded(dy))
        return dx.reshape(*dy.shape[:-1], *dx.shape[2:])

    def statistics(self, shape: Shape) -> dict[str, Array]:
        """The inner layer's statistics."""
        return self.layer.statistics(shape[-1:])

    def tracked(self, statistics: dict[str, Array], cache: Any, weight: float | None = None) -> dict[str, Array]:
        """The inner layer's statistics after a pass."""
        return self.layer.tracked(statistics, cache, weight)

    def predict(self, params: dict[str, Array], statistics: dict[str, Array], x: Array) -> Array:
        """The inner layer's prediction at each position."""
        y = self.layer.predict(params, statistics, folded(x))
        return y.reshape(len(y), *x.shape[1:-1], *y.shape[2:])


@dataclass(frozen=True)
class Residual(Trainable):
    """Residual block: y = x + layers(x) (He et al. 2016, arXiv 1512.03385).

    Its parameters are those of its layers, prefixed by their index: "0.g", "1.w".

    Parameters
    ----------
    layers : tuple[Layer, ...]
        The layers of the block. At least one has parameters, none draws random numbers; the output has the input's shape.
    penalty : Penalty | tuple[Penalty, ...]
        An L1 or L2 penalty, or a tuple of them; () takes the model's.
    """

    layers: tuple[Layer, ...]
    penalty: Penalty | tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.layers, tuple) or not any(isinstance(layer, Trainable) for layer in self.layers):
            raise TypeError(f"Residual({self.layers!r}): want a tuple of layers, at least one of them with parameters")
        _check_inner(self, *self.layers)

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """The layers' parameters. Raises ValueError if the output's shape differs from the input's."""
        own, outputs = through(self.layers, shape, rng)
        if outputs[-1] != shape:
            raise ValueError(
                f"Residual was given samples of shape {shape}, and its layers make {outputs[-1]} of them: want the same"
            )
        return _joined(own), shape

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Caches the layers' caches, and a slot for the input gradient that `grads` computes."""
        own, caches, y = self._own(params), [], x
        for i, layer in enumerate(self.layers):
            y, cache = layer.forward(own[str(i)], y)
            caches.append(cache)
        return x + y, (caches, [])

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The layers' gradients. The same pass gives the input gradient, which is cached for `backward`."""
        caches, kept = cache
        own, d, found = self._own(params), dy.copy(), {}
        for i in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[i]
            if isinstance(layer, Trainable):
                found.update({f"{i}.{key}": g for key, g in layer.grads(own[str(i)], caches[i], d).items()})
            d = layer.backward(own[str(i)], caches[i], d)
        kept[:] = [d]
        return {key: found[key] for key in params}

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy plus the gradient through the layers."""
        dx: Array = dy + cache[1][0]
        return dx

    def statistics(self, shape: Shape) -> dict[str, Array]:
        """The layers' statistics, prefixed as the parameters are."""
        _, outputs = through(self.layers, shape, np.random.default_rng(0))
        inputs = (shape, *outputs)
        return _joined([layer.statistics(inner) for layer, inner in zip(self.layers, inputs, strict=False)])

    def tracked(self, statistics: dict[str, Array], cache: Any, weight: float | None = None) -> dict[str, Array]:
        """The layers' statistics after a pass."""
        own = self._own(statistics)
        return _joined([layer.tracked(own[str(i)], cache[0][i], weight) for i, layer in enumerate(self.layers)])

    def predict(self, params: dict[str, Array], statistics: dict[str, Array], x: Array) -> Array:
        """x plus the layers' prediction."""
        own, kept, y = self._own(params), self._own(statistics), x
        for i, layer in enumerate(self.layers):
            y = layer.predict(own[str(i)], kept[str(i)], y)
        return x + y

    def _own(self, params: dict[str, Array]) -> Params:
        """Each layer's parameters, or statistics."""
        own: Params = {str(i): {} for i in range(len(self.layers))}
        for key, leaf in params.items():
            i, _, name = key.partition(".")
            own[i][name] = leaf
        return own


def through(layers: Sequence[Layer], shape: Shape, rng: Rng) -> tuple[list[dict[str, Array]], list[Shape]]:
    """Each layer's initial parameters and output shape, in order, for samples of `shape`."""
    params, outputs = [], []
    for layer in layers:
        own, shape = layer.init(shape, rng)
        params.append(own)
        outputs.append(shape)
    return params, outputs


def _joined(each: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """What each layer has, with its index before the key."""
    return {f"{i}.{key}": leaf for i, own in enumerate(each) for key, leaf in own.items()}


def _check_inner(outer: Trainable, *layers: Layer) -> None:
    """Raises TypeError for a non-layer or a layer that draws, ValueError for an inner penalty, which would be ignored."""
    as_penalties(outer.penalty)
    who = type(outer).__name__
    for layer in layers:
        if not isinstance(layer, Layer) or isinstance(layer, Stochastic):
            raise TypeError(f"{who} cannot hold {layer!r}: want layers that draw nothing, such as nn.Linear(32)")
        if isinstance(layer, Trainable) and layer.penalty != ():
            raise ValueError(f"{layer!r} has a penalty inside {who}, which would not count: give it to the {who}")
