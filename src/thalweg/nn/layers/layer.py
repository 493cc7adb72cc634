"""The interface of layers: a frozen configuration and pure functions init, forward, backward and, with parameters, grads.

Layers hold no arrays. Parameters and caches are arguments and results, so one layer object can serve any number of runs at
once. All data has shape (lanes, batch, *sample); a parameter has shape (lanes, *its own shape), except in `init`.
"""

from abc import ABC, abstractmethod
from typing import Any

from thalweg.nn.arrays import Array, Draw, Rng, Shape
from thalweg.nn.penalties import Penalty


class Layer(ABC):
    """Base class of layers.

    To write your own, subclass it (or `Activation`, `Trainable`, `Stochastic`) with a frozen dataclass.
    """

    @abstractmethod
    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """Draw float64 parameters, without lanes, for samples of `shape`; return them and the output shape.

        A layer without parameters returns {}. Raises ValueError if the shape does not fit.
        """

    @abstractmethod
    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """x (lanes or 1, batch, *shape) -> the output, and a cache for `backward`. Must not modify x."""

    @abstractmethod
    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """The gradient with respect to the input, from dy, the gradient with respect to the output. May overwrite dy."""

    def statistics(self, shape: Shape) -> dict[str, Array]:
        """What the layer keeps of the batches that it is trained on, before the first one: float64, without lanes.

        {} for all layers but those that normalise over a batch (BatchNorm), or hold such a layer.
        """
        return {}

    def tracked(self, statistics: dict[str, Array], cache: Any, weight: float | None = None) -> dict[str, Array]:
        """The statistics after a training pass, given its cache. weight: the batch's share; None: the layer's own."""
        return {}

    def predict(self, params: dict[str, Array], statistics: dict[str, Array], x: Array) -> Array:
        """The output at prediction. Must not modify x."""
        return self.forward(params, x)[0]


class Activation(Layer):
    """A layer without parameters whose output is shaped like its input."""

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """No parameters; the shape is unchanged."""
        return {}, shape


class Trainable(Layer):
    """A layer with parameters.

    A parameter named "b" (in a nested layer "0.b") is a bias, which penalties leave out by default.
    """

    penalty: Penalty | tuple[Penalty, ...]

    @abstractmethod
    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The gradients with respect to the parameters: new arrays, with lanes. Must not modify dy.

        Called before `backward`. It is separate because the first layer with parameters needs no gradient of its input.
        """


class Stochastic(Activation):
    """A layer that draws random numbers in training, with `sample`. Prediction calls `forward`."""

    @abstractmethod
    def sample(self, x: Array, draw: Draw) -> tuple[Array, Any]:
        """`forward` in training. draw(shape) returns uniform numbers in [0, 1) of shape (lanes or 1, *shape)."""
