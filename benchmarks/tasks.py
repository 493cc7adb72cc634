"""What is trained in `benchmarks.loop`: models of the kinds that people train, in torch, small enough for a processor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor


@dataclass(frozen=True)
class Task:
    """A model, and the loss on a batch of it; the batch is the same in each iteration."""

    model: nn.Module
    loss: Callable[[], Tensor]


class Block(nn.Module):
    """A layer of GPT-2 (Radford et al. 2019): normalized attention and a network of one hidden layer, each beside the input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.joint, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.joint(self.before(x)).chunk(3, -1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).flatten(-2))
        return x + self.narrow(functional.gelu(self.wide(self.between(x)), approximate="tanh"))


class Gpt(nn.Module):
    """GPT-2's form: the head is the embedding."""

    def __init__(self, words: int, length: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)
        self.blocks, self.last = nn.Sequential(*[Block(width, heads) for _ in range(layers)]), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        there = self.words(x) + self.places(torch.arange(x.shape[1]))
        return self.last(self.blocks(there)) @ self.words.weight.T


def gpt() -> Task:
    """Four layers of width 512: 16.8 million parameters in 52 tensors."""
    model, x = Gpt(8192, 64, 512, 4, 8), torch.randint(8192, (2, 65))
    return Task(model, lambda: functional.cross_entropy(model(x[:, :-1]).flatten(0, 1), x[:, 1:].flatten()))


class Residual(nn.Module):
    """A basic block of ResNet (He et al. 2016, arXiv 1512.03385) with BatchNorm."""

    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(inside, out, 3, stride, 1, bias=False), nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(out), nn.BatchNorm2d(out)])
        same = inside == out and stride == 1
        self.beside = nn.Identity() if same else nn.Sequential(nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norms[0](self.first(x)))
        return functional.relu(self.norms[1](self.second(y)) + self.beside(x))


def resnet() -> Task:
    """ResNet-18 for images of 32 x 32: 11.2 million parameters in 62 tensors."""
    widths = [64, 64, 128, 128, 256, 256, 512, 512]
    blocks = [Residual(inside, out, 2 if out > inside else 1) for inside, out in zip([64, *widths[:-1]], widths, strict=True)]
    stem = [nn.Conv2d(3, 64, 3, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    model = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
    x, y = torch.randn(8, 3, 32, 32), torch.randint(10, (8,))
    return Task(model, lambda: functional.cross_entropy(model(x), y))


def embedding() -> Task:
    """A table of 200,000 words in 32 numbers each, and two layers above it: 6.4 million parameters, most of them seldom read."""
    table, head = nn.EmbeddingBag(200_000, 32), nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 2))
    model = nn.Sequential(table, head)
    x, y = torch.randint(200_000, (64, 40)), torch.randint(2, (64,))
    return Task(model, lambda: functional.cross_entropy(model(x), y))


def network() -> Task:
    """64 inputs, 32 hidden units, 10 outputs."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    x, y = torch.randn(32, 64), torch.randint(10, (32,))
    return Task(model, lambda: functional.cross_entropy(model(x), y))


def many() -> Task:
    """Two hundred layers of 16 units, each beside its input: 400 tensors."""

    class Deep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(16, 16) for _ in range(200)])

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                x = x + 0.05 * torch.tanh(layer(x))
            return x

    model, x = Deep(), torch.randn(32, 16)
    return Task(model, lambda: model(x).square().mean())


TASKS: dict[str, Callable[[], Task]] = {
    "gpt": gpt,
    "resnet": resnet,
    "embedding": embedding,
    "network": network,
    "many": many,
}


def made(name: str) -> Task:
    """A task, the same for all who ask."""
    torch.manual_seed(0)
    return TASKS[name]()


def parameters(task: Task) -> list[Any]:
    """The parameters of its model."""
    return list(task.model.parameters())
