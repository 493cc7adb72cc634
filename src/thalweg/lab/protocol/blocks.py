"""Blocks: a comparison on one problem run several times, each time tuned anew and, where the lab splits the data, split anew.

One tuning on one split shows neither its own luck nor the split's. Over blocks, tests and intervals count both (Bouthillier et
al. 2021, arXiv 2103.03098). The first block is the comparison that runs without others.
"""

from __future__ import annotations

BLOCKS = 8
"""The number of blocks where there is time for several. Fewer than six cannot tell any two optimizers apart."""
SEEDS = 2
"""Judging seeds in each of several blocks. More would show a block better, but it is blocks that a test counts."""
WORTH = 6
"""The fewest settings of each optimizer for which several blocks are worth their time, if the time is given."""
GOLDEN = (5**0.5 - 1) / 2


def shift(block: int) -> float:
    """A share from 0 to 1 for each block, 0 for the first: multiples of the golden ratio, of which any first few lie evenly."""
    return block * GOLDEN % 1


def phase(block: int) -> float:
    """Where the points of a grid lie in their cells, the same for all optimizers of a block: in the first one in the middle."""
    return (0.5 + shift(block)) % 1


def label(draws: str, block: int) -> str:
    """The label of draws or seeds in a block."""
    return f"{draws} block {block}".strip() if block else draws
