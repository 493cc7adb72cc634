"""The learned optimizer's network on training problems: forward and backward pass through its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.methods.learned.learned import HIDDEN, cell, gates, inputs, shapes
from thalweg.ops import join, linear

Array = np.ndarray[Any, Any]
Network = dict[str, Any]
"""The content of a weights file: arrays w1, b1, w2, b2, w, b; preprocessing, p, scale."""
Memory = tuple[Array, Array, Array, Array]
WEIGHTS = ("w1", "b1", "w2", "b2", "w", "b")


@dataclass(frozen=True)
class Quadratics:
    """Training problems, n at once: f(theta) = |W theta - y|^2; W (n, 10, 10) and y (n, 10) standard normal.

    The paper's section 3.1; its code starts them at theta_0 = 0.01 times a normal draw.
    """

    W: Array
    y: Array
    start: Array

    @classmethod
    def draw(cls, random: np.random.Generator, n: int) -> Quadratics:
        normal = random.standard_normal
        return cls(normal((n, 10, 10)), normal((n, 10)), 0.01 * normal((n, 10)))

    def at(self, theta: Array) -> tuple[Array, Array]:
        """f, shape (n,), and its gradient, shape (n, 10), of each problem at its theta (n, 10)."""
        miss = (self.W @ theta[..., None])[..., 0] - self.y
        return (miss * miss).sum(-1), 2 * (miss[:, None, :] @ self.W)[:, 0]


@dataclass(frozen=True)
class Walk:
    """The current iterates: theta, f and its gradient there, and the memory of each coordinate."""

    theta: Array
    f: Array
    gradient: Array
    memory: Memory

    @classmethod
    def begin(cls, problems: Quadratics) -> Walk:
        zeros = np.zeros((problems.start.size, HIDDEN))
        return cls(problems.start, *problems.at(problems.start), (zeros, zeros, zeros, zeros))


def initial(random: np.random.Generator, preprocessing: bool, p: float, scale: float) -> Network:
    """An untrained network, as in Sonnet: normal weights truncated at two standard deviations of 1 / sqrt(inputs); biases 0."""

    def draw(shape: tuple[int, ...]) -> Array:
        if len(shape) == 1:
            return np.zeros(shape)
        normal = random.standard_normal(shape)
        while (far := np.abs(normal) > 2).any():
            normal[far] = random.standard_normal(int(far.sum()))
        return np.asarray(normal / np.sqrt(shape[0]))

    weights = {name: draw(shape) for name, shape in shapes(preprocessing).items()}
    return {**weights, "preprocessing": preprocessing, "p": p, "scale": scale}


@dataclass(frozen=True)
class Layer:
    """One LSTM layer at one step, with the values that its backward pass needs."""

    x: Array  # the input, then the previous h
    c: Array  # the previous c
    opened: tuple[Array, Array, Array, Array]
    squashed: Array  # tanh of the new c

    @classmethod
    def forward(cls, x: Array, h: Array, c: Array, w: Array, b: Array) -> tuple[Layer, Array, Array]:
        joined = join(x, h)
        opened = gates(linear(joined, w, b))
        new_h, new_c = cell(c, *opened)
        return cls(joined, c, opened, np.tanh(new_c)), new_h, new_c

    def backward(self, dh: Array, dc: Array, w: Array) -> tuple[Array, Array, Array]:
        """From the gradients of the new h and c, those of the gate pre-activations, of (input, old h) and of the old c."""
        i, j, f, o = self.opened
        dc = dc + dh * o * (1 - self.squashed**2)
        do = dh * self.squashed * o * (1 - o)
        da = np.concatenate([dc * j * i * (1 - i), dc * i * (1 - j * j), dc * self.c * f * (1 - f), do], axis=-1)
        return da, da @ w.T, dc * f


@dataclass(frozen=True)
class Move:
    """One step of the network: its two layers and the output h."""

    first: Layer
    second: Layer
    h: Array


def forward(net: Network, g: Array, memory: Memory) -> tuple[Array, Memory, Move]:
    """The rule on n coordinates: the update u of the gradients g (n,), the new memory, and the cached step."""
    h1, c1, h2, c2 = memory
    first, h1, c1 = Layer.forward(inputs(net, g), h1, c1, net["w1"], net["b1"])
    second, h2, c2 = Layer.forward(h1, h2, c2, net["w2"], net["b2"])
    u = net["scale"] * linear(h2, net["w"], net["b"])[:, 0]
    return u, (h1, c1, h2, c2), Move(first, second, h2)


def backward(net: Network, moves: list[Move], du: list[Array]) -> dict[str, Array]:
    """The gradient with respect to the weights, from that with respect to each update u; inputs are constant."""
    grads = {name: np.zeros_like(net[name]) for name in WEIGHTS}
    dh1 = dc1 = dh2 = dc2 = np.zeros_like(moves[0].h)
    n = moves[0].first.x.shape[-1] - HIDDEN
    for move, d in zip(reversed(moves), reversed(du), strict=True):
        dy = net["scale"] * d[:, None]
        da2, dx2, dc2 = move.second.backward(dh2 + dy @ net["w"].T, dc2, net["w2"])
        da1, dx1, dc1 = move.first.backward(dh1 + dx2[:, :HIDDEN], dc1, net["w1"])
        dh1, dh2 = dx1[:, n:], dx2[:, HIDDEN:]
        for name, x, da in (("1", move.first.x, da1), ("2", move.second.x, da2), ("", move.h, dy)):
            grads[f"w{name}"] += x.T @ da
            grads[f"b{name}"] += da.sum(0)
    return grads


def advance(net: Network, problems: Quadratics, walk: Walk) -> tuple[Walk, Move]:
    """One step of the optimizer."""
    u, memory, move = forward(net, walk.gradient.ravel(), walk.memory)
    theta = walk.theta + u.reshape(walk.theta.shape)
    return Walk(theta, *problems.at(theta), memory), move


def unroll(net: Network, problems: Quadratics, walk: Walk, steps: int) -> tuple[float, dict[str, Array], Walk]:
    """Run `steps` steps. Returns the sum of f over the new iterates (mean over problems), its gradient, and the new state.

    A gradient of f that enters the network is a constant, so no second derivatives are needed: u_t gets the sum of the
    gradients at all later iterates. Nothing is propagated to steps before `walk`.
    """
    n = len(problems.y)
    total, moves, slopes = 0.0, [], []
    for _ in range(steps):
        walk, move = advance(net, problems, walk)
        total += float(walk.f.sum()) / n
        moves.append(move)
        slopes.append(walk.gradient.ravel() / n)
    later = np.cumsum(slopes[::-1], axis=0)[::-1]
    return total, backward(net, moves, list(later)), walk


def final(net: Network, problems: Quadratics, steps: int) -> float:
    """The mean of f after `steps` steps."""
    walk = Walk.begin(problems)
    for _ in range(steps):
        walk, _ = advance(net, problems, walk)
    return float(walk.f.mean())
