"""Lists of parameter shapes, from what is published of the architectures."""

from __future__ import annotations

import math

Shapes = list[tuple[int, ...]]


def one_array() -> Shapes:
    """One array of 16 million."""
    return [(16_000_000,)]


def one_matrix() -> Shapes:
    """One matrix of 16 million."""
    return [(4_096, 4_096)]


def many_small() -> Shapes:
    """Two hundred arrays of a thousand."""
    return [(1_000,)] * 200


def network() -> Shapes:
    """A network of 64 inputs, 32 hidden units and 10 outputs."""
    return [(64, 32), (32,), (32, 10), (10,)]


def resnet50() -> Shapes:
    """ResNet-50 (He et al. 2016, arXiv 1512.03385, table 1): bottlenecks of 3, 4, 6 and 3."""

    def normed(out: int, inside: int, size: int) -> Shapes:
        return [(out, inside, size, size), (out,), (out,)]

    shapes, inside = normed(64, 3, 7), 64
    for width, blocks in zip((64, 128, 256, 512), (3, 4, 6, 3), strict=True):
        for block in range(blocks):
            shapes += normed(width, inside, 1) + normed(width, width, 3) + normed(4 * width, width, 1)
            shapes += normed(4 * width, inside, 1) if block == 0 else []
            inside = 4 * width
    return [*shapes, (1000, inside), (1000,)]


def gpt2_small() -> Shapes:
    """GPT-2 small (Radford et al. 2019): 12 layers of width 768, the head tied to the embedding."""
    width = 768
    norm: Shapes = [(width,), (width,)]
    layer = [*norm, (width, 3 * width), (3 * width,), (width, width), (width,)]
    layer += [*norm, (width, 4 * width), (4 * width,), (4 * width, width), (width,)]
    return [(50257, width), (1024, width), *layer * 12, *norm]


LISTS = {
    "16M": one_array, "4096x4096": one_matrix, "200x1000": many_small, "network": network, "resnet50": resnet50,
    "gpt2": gpt2_small,
}  # fmt: skip
SIZES = {"resnet50": (161, 25_557_032), "gpt2": (148, 124_439_808)}


def named(name: str) -> Shapes:
    """The list of this name, its published size checked."""
    shapes = LISTS[name]()
    if name in SIZES:
        assert (len(shapes), sum(map(math.prod, shapes))) == SIZES[name]
    return shapes
