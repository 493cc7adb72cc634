"""Threefry-4x32 and the normal numbers made of it, one at a time: integers of Python, and float64's own functions."""

from __future__ import annotations

import hashlib
import math
import zlib

Block = tuple[int, int, int, int]


def threefry4x32(key: Block, counter: Block, rounds: int = 13) -> Block:
    """Salmon et al. 2011, section 3.2: Threefish's rounds on four words; the key, and the count of its uses, every four rounds."""
    whole = 2**32
    rotations = [[10, 26], [11, 21], [13, 27], [23, 5], [6, 20], [17, 11], [25, 10], [18, 20]]
    extended = [*key, 0x1BD11BDA]
    for word in key:
        extended[4] ^= word
    x = [(word + extended[i]) % whole for i, word in enumerate(counter)]
    for r in range(rounds):
        partners = (1, 3) if r % 2 == 0 else (3, 1)
        for left, right, turn in zip((0, 2), partners, rotations[r % 8], strict=True):
            x[left] = (x[left] + x[right]) % whole
            turned = x[right] * 2**turn
            x[right] = (turned % whole + turned // whole) ^ x[left]
        if (r + 1) % 4 == 0:
            use = (r + 1) // 4
            for i in range(4):
                x[i] = (x[i] + extended[(use + i) % 5] + (use if i == 3 else 0)) % whole
    return x[0], x[1], x[2], x[3]


def normal(seed: int, t: int, name: str, draw: str, i: int) -> float:
    """The i-th number of a tensor's draw at its update t, in float64."""
    named = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    key = (seed % 2**32, seed // 2**32, named % 2**32, named // 2**32)
    block = i // 4
    words = threefry4x32(key, (block % 2**32, block // 2**32, t, zlib.crc32(draw.encode())))
    first, second = words[:2] if i % 4 < 2 else words[2:]
    return box_muller(first, second)[i % 2]


def box_muller(first: int, second: int) -> tuple[float, float]:
    """The radius by the first word; by the second a quarter of the circle (two bits) and the angle in it (30 bits)."""
    radius = math.sqrt(-2 * math.log((first + 0.5) / 2**32))
    left, down, place = second >> 31, second >> 30 & 1, second % 2**30
    share = place / 2**30 if place < 2**29 else place / 2**30 - 1  # -1/2 to 1/2 of a quarter
    angle = math.pi / 4 + share * math.pi / 2
    return radius * math.cos(angle) * (-1) ** left, radius * math.sin(angle) * (-1) ** down
