"""Random numbers that are functions of where they are used: without a state, in any order, the same in every framework.

Four words of 32 bits are a block of Threefry-4x32 (Salmon, Moraes, Dror & Shaw 2011, SC '11, "Parallel random numbers: as easy
as 1, 2, 3") with 13 rounds: the authors found 12 to pass BigCrush, and have 20 as their default, with a wide margin, which takes
a third longer. Its key is the seed and a name, its counter the block's number, the update t and which of the update's draws it
is. Two words make two normal numbers (Box & Muller 1958, Ann. Math. Stat. 29:610). The i-th number of a tensor, counted in C
order, comes from block i // 4.

Where 16 bits are enough, the halves of the words are eight numbers between 0 and 1, the i-th from block i // 8.

Logarithm, sine and cosine are polynomials of our own, and every operation is one of float32 that IEEE 754 defines, so that the
bits are the same wherever a compiler leaves a product and a sum apart. The numbers are float32 for each dtype of parameters.
"""

from __future__ import annotations

import functools
import hashlib
import zlib
from collections.abc import Sequence
from typing import Any, Protocol

Word = Any
"""Numbers of 32 bits that wrap around: an array, or a symbol for one in a kernel. It has +, -, ^, &, << and >>."""
Floats = Any

PARITY = 0x1BD11BDA
ROTATIONS = ((10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20))
ROUNDS = 13
MASK = 0xFFFFFFFF
NUMBERS, SHARES = 4, 8
"""Normal numbers of a block, and numbers between 0 and 1 of 16 bits."""

ROOT_HALF, ONE, FRACTION = 0x3F3504F3, 0x3F800000, 0x007FFFFF
"""float32's bits: of the root of 1/2, of 1, and the places of the fraction."""
LOG_2 = 0.6931471824645996
LOG = (
    0.5000148415565491,
    -0.33315545320510864,
    0.2489776462316513,
    -0.20492586493492126,
    0.18761727213859558,
    -0.1198640689253807,
)
SIN = (0.7853942513465881, -0.08071400225162506, 0.002427106024697423)
COS = (-0.3084245026111603, 0.01585039682686329, -0.0003191601426806301)
"""Minimax polynomials: (f - log(1 + f)) / f^2 for 1 + f from sqrt(1/2) to sqrt(2), to 3e-7 of the logarithm; sin(pi y / 4) / y
and (cos(pi y / 4) - 1) / y^2 in y^2 for y from -1 to 1, to 6e-7 and 4e-8.
"""


class Language(Protocol):
    """What arrays of a framework, or the symbols of a kernel, need besides operators."""

    def word(self, x: int) -> Word:
        """Return a constant."""

    def rotated(self, x: Word, n: int) -> Word:
        """Return the word with its bits rotated left by n places."""

    def number(self, x: Word) -> Floats:
        """Return a word, read as a number from 0 to 2^32 - 1, as the nearest float32."""

    def signed(self, x: Word) -> Floats:
        """Return a word, read as a number from -2^31 to 2^31 - 1, as the nearest float32."""

    def bits(self, x: Floats) -> Word:
        """Return the bits of float32 numbers."""

    def floats(self, x: Word) -> Floats:
        """Return the float32 numbers with these bits."""

    def root(self, x: Floats) -> Floats:
        """Return the square root, rounded correctly."""


def threefry(key: Sequence[Word], counter: Sequence[Word], say: Language, rounds: int = ROUNDS) -> list[Word]:
    """Return the four words of a block, from four words of a key and four of a counter."""
    keys = scheduled(key, say)
    return mixed([x + k for x, k in zip(counter, keys, strict=False)], keys, range(rounds), say)


def scheduled(key: Sequence[Word], say: Language) -> list[Word]:
    """Return the five words that the rounds add, from the four of a key."""
    return [*key, key[0] ^ key[1] ^ key[2] ^ key[3] ^ say.word(PARITY)]


def mixed(words: Sequence[Word], keys: Sequence[Word], rounds: range, say: Language) -> list[Word]:
    """Return four words after some of the rounds, of which the first has an even number."""
    a, b, c, d = words
    for k in rounds:
        m, n = ROTATIONS[k % len(ROTATIONS)]
        a, c = a + b, c + d
        b, d = say.rotated(d, n) ^ c, say.rotated(b, m) ^ a  # the two trade places for the next round
        if k % 4 == 3:
            r = k // 4 + 1
            a, b, c, d = (x + keys[(r + j) % 5] for j, x in enumerate((a, b, c, d)))
            d = d + say.word(r)
    return [a, b, c, d] if len(rounds) % 2 == 0 else [a, d, c, b]


def two_normals(radius: Word, angle: Word, say: Language) -> tuple[Floats, Floats]:
    """Return two independent standard normal numbers, made of two words. Their size is at most 6.77.

    Box & Muller: sqrt(-2 log u) times cosine and sine of an angle. The angle is in one of the quarters around its middle; the
    quarter is two signs, and 2 meets the root of 1/2 from that middle.
    """
    bits = say.bits(say.number(radius) + 0.5) + say.word(ONE - ROOT_HALF)
    f = say.floats((bits & say.word(FRACTION)) + say.word(ROOT_HALF)) - 1.0
    power = say.signed(bits >> 23) - 159.0  # 127 is that of 1, and 32 divides the word by 2^32
    size = say.root(f * f * polynomial(LOG, f) - f - power * LOG_2)
    y = say.signed(angle << 2) * 2.0**-31
    square = y * y
    sine, cosine = y * polynomial(SIN, square), square * polynomial(COS, square) + 1.0
    first, second = say.bits(size * (cosine - sine)), say.bits(size * (cosine + sine))
    sign = say.word(0x80000000)
    return say.floats(first ^ (angle & sign)), say.floats(second ^ ((angle << 1) & sign))


def polynomial(coefficients: Sequence[float], x: Floats) -> Floats:
    """Return the polynomial's value by Horner's rule, the constant term first."""
    *others, value = coefficients
    for c in reversed(others):
        value = x * value + c
    return value


def normals(key: Sequence[Word], counter: Sequence[Word], say: Language) -> tuple[Floats, ...]:
    """Return the four standard normal numbers of a block."""
    return normals_of(threefry(key, counter, say), say)


def normals_of(words: Sequence[Word], say: Language) -> tuple[Floats, ...]:
    """Return four standard normal numbers, made of a block's four words."""
    a, b, c, d = words
    return (*two_normals(a, b, say), *two_normals(c, d, say))


def halves(x: int) -> tuple[int, int]:
    """Return the low and the high half of 64 bits. A larger number is replaced by a hash."""
    x = x if x < 1 << 64 else hashed(str(x))
    return x & MASK, x >> 32


def signed(x: int) -> int:
    """Return the same 64 bits, read as a signed number."""
    low, high = halves(x)
    return low | (high - (high >> 31 << 32)) << 32


@functools.cache
def hashed(text: str) -> int:
    """Return 64 bits for a text, the same in every process and on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@functools.cache
def draw_of(text: str) -> int:
    """Return the word by which a counter knows one of an update's draws."""
    return zlib.crc32(text.encode())
