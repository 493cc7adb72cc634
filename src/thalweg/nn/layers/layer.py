"""What a layer is: a frozen configuration and three pure functions, init, forward and backward (four with `grads`).

Layers keep no arrays. Parameters and caches are handed in and out, so one layer object can serve any number of runs at
once. All data has shape (lanes, batch, *sample); a parameter has shape (lanes, *its own shape), except in `init`.
"""

from abc import ABC, abstractmethod
from typing import Any

from thalweg.nn.arrays import Array, Draw, Rng, Shape
from thalweg.nn.penalties import Penalty


class Layer(ABC):
    """One step of a network.

    To write your own, subclass it (or `Activation`, `Trainable`, `Stochastic`) with a frozen dataclass.
    """

    @abstractmethod
    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """For samples of `shape`: float64 parameters drawn from `rng`, without lanes, and the shape of its outputs.

        No parameters are {}. Raises ValueError where samples of that shape do not fit.
        """

    @abstractmethod
    def forward(self, params: dict[str, Array], x: Array) -> tuple[Array, Any]:
        """x (lanes or 1, batch, *shape) -> the output and whatever `backward` needs. x must stay as it is."""

    @abstractmethod
    def backward(self, params: dict[str, Array], cache: Any, dy: Array) -> Array:
        """dy, the gradient with respect to the output, -> that with respect to the input. dy may be overwritten."""


class Activation(Layer):
    """A layer without parameters whose output is shaped like its input."""

    def init(self, shape: Shape, rng: Rng) -> tuple[dict[str, Array], Shape]:
        """No parameters; the shape stays."""
        return {}, shape


class Trainable(Layer):
    """A layer with parameters. One named "b" (or, in a layer that holds others, "0.b") is a bias: penalties leave it out by
    default.
    """

    penalty: Penalty | tuple[Penalty, ...]

    @abstractmethod
    def grads(self, params: dict[str, Array], cache: Any, dy: Array) -> dict[str, Array]:
        """The gradients with respect to the parameters: new arrays, with lanes. dy must stay as it is.

        Called before `backward`, and apart from it because the first layer with parameters needs no gradient of its
        input.
        """


class Stochastic(Activation):
    """A layer that draws random numbers while training; `forward` is what it does at prediction."""

    @abstractmethod
    def sample(self, x: Array, draw: Draw) -> tuple[Array, Any]:
        """Like `forward`, at training: draw(shape) gives uniform numbers in [0, 1) of shape (lanes or 1, *shape)."""
