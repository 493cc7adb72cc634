"""Layers that hold others: one applied at each place, and a chain with a way around it."""

from dataclasses import dataclass
from typing import Any

from thalweg.nn.arrays import Array, Params, Rng, Shape, folded
from thalweg.nn.layers.layer import Layer, Stochastic, Trainable
from thalweg.nn.penalties import Penalty, as_penalties


@dataclass(frozen=True)
class EachPlace(Trainable):
    """A layer for flat samples, such as Linear, applied to the last axis at each place of the others.

    Parameters
    ----------
    layer : Trainable
        With parameters; they are this layer's.
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
        """The layer's parameters, for the last axis."""
        params, outputs = self.layer.init(shape[-1:], rng)
        return params, (*shape[:-1], *outputs)

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Keeps what the layer keeps."""
        y, cache = self.layer.forward(params, folded(x))
        return y.reshape(len(y), *x.shape[1:-1], *y.shape[2:]), cache

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The layer's."""
        return self.layer.grads(params, cache, folded(dy))

    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """The layer's."""
        dx = self.layer.backward(params, cache, folded(dy))
        return dx.reshape(*dy.shape[:-1], *dx.shape[2:])


@dataclass(frozen=True)
class Residual(Trainable):
    """y = x + layers(x) (He et al. 2016, arXiv 1512.03385).

    Its parameters are those of its layers, named by place: "0.g", "1.w".

    Parameters
    ----------
    layers : tuple[Layer, ...]
        One after another, some with parameters, none that draws; the last gives the shape that came in.
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
        """Layer after layer. Raises ValueError where what comes out could not be added to what comes in."""
        params: dict[str, Array] = {}
        inner = shape
        for i, layer in enumerate(self.layers):
            own, inner = layer.init(inner, rng)
            params.update({f"{i}.{key}": leaf for key, leaf in own.items()})
        if inner != shape:
            raise ValueError(f"Residual was given samples of shape {shape}, and its layers make {inner} of them: want the same")
        return params, shape

    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """Keeps what the layers keep, and room for what `grads` finds on its way."""
        own, caches, y = self._own(params), [], x
        for i, layer in enumerate(self.layers):
            y, cache = layer.forward(own[str(i)], y)
            caches.append(cache)
        return x + y, (caches, [])

    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The layers'; the gradient of the input comes out of the same walk, and is kept for `backward`."""
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
        """dy, and what comes back through the layers."""
        dx: Array = dy + cache[1][0]
        return dx

    def _own(self, params: dict[str, Array]) -> Params:
        """Each layer's parameters."""
        own: Params = {str(i): {} for i in range(len(self.layers))}
        for key, leaf in params.items():
            i, _, name = key.partition(".")
            own[i][name] = leaf
        return own


def _check_inner(outer: Trainable, *layers: Layer) -> None:
    """Raises TypeError for what is no layer or draws, ValueError for a penalty that nobody would ask for."""
    as_penalties(outer.penalty)
    who = type(outer).__name__
    for layer in layers:
        if not isinstance(layer, Layer) or isinstance(layer, Stochastic):
            raise TypeError(f"{who} cannot hold {layer!r}: want layers that draw nothing, such as nn.Linear(32)")
        if isinstance(layer, Trainable) and layer.penalty != ():
            raise ValueError(f"{layer!r} has a penalty inside {who}, which would not count: give it to the {who}")
