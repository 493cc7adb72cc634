"""Random numbers as functions of where they are used: known answers, an oracle, all frameworks, and what is asked of chance."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from oracles.threefry import box_muller, normal, threefry4x32
from scipy import stats

from thalweg.values import draws, noise
from thalweg.values.noise import standard_normal

PI = "243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0 082efa98 ec4e6c89"
ANSWERS = [
    (13, "00000000 " * 4, "00000000 " * 4, "531c7e4f 39491ee5 2c855a92 3d6abf9a"),
    (13, "ffffffff " * 4, "ffffffff " * 4, "c4189358 1c9cc83a d5881c67 6a0a89e0"),
    (13, *PI, "4aa71d8f 734738c2 431fc6a8 ae6debf1"),
    (20, "00000000 " * 4, "00000000 " * 4, "9c6ca96a e17eae66 fc10ecd4 5256a7d8"),
    (20, "ffffffff " * 4, "ffffffff " * 4, "2a881696 57012287 f6c7446e a16a6732"),
    (20, *PI, "59cd1dbb b8879579 86b5d00c ac8b6d84"),
]
"""Rounds, counter, key and block of Threefry-4x32, from the known answers that Random123 (Salmon et al. 2011) comes with."""
NUMBERS = 1 << 21


def words_of(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def in_numpy(values: Any) -> Any:
    return np.array(values, np.uint32)


def in_torch(values: Any) -> Any:
    torch = pytest.importorskip("torch")
    return torch.from_numpy(np.array(values, np.uint32).view(np.int32))


def in_jax(values: Any) -> Any:
    return pytest.importorskip("jax").numpy.asarray(np.array(values, np.uint32))


LANGUAGES = {"numpy": (noise.NumPy(), in_numpy), "torch": (noise.Torch(), in_torch), "jax": (noise.Jax(), in_jax)}


def block(name: str, counter: list[Any], key: list[Any], rounds: int = draws.ROUNDS) -> list[Any]:
    say, make = LANGUAGES[name]
    with np.errstate(over="ignore"):
        found = draws.threefry([make([x]) for x in key], [make([x]) for x in counter], say, rounds)
    return [np.asarray(x).view(np.uint32).tolist()[0] for x in found]


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize(("rounds", "counter", "key", "answer"), ANSWERS)
def test_known_answers(name: str, rounds: int, counter: str, key: str, answer: str) -> None:
    assert block(name, words_of(counter), words_of(key), rounds) == words_of(answer)
    a, b, c, d = words_of(key)
    e, f, g, h = words_of(counter)
    assert list(threefry4x32((a, b, c, d), (e, f, g, h), rounds)) == words_of(answer), "and the oracle is right"


@pytest.mark.parametrize("seed", [0, 7, 2**32 + 5, 2**64 - 1])
@pytest.mark.parametrize("names", [("santa_e", "w"), ("santa_e", "u", "layer.0.weight"), ("hutchinson", "ü")])
def test_each_number_is_the_oracles(seed: int, names: tuple[str, ...]) -> None:
    found = standard_normal(seed, 3, names, np.zeros((5, 7)))
    wanted = [normal(seed, 3, names[-1], "/".join(names[:-1]), i) for i in range(35)]
    np.testing.assert_allclose(found.reshape(-1), wanted, rtol=0, atol=3e-6)


def test_a_seed_of_more_than_64_bits_is_a_seed_too() -> None:
    p = np.zeros(9)
    found = [standard_normal(seed, 1, ("a", "w"), p) for seed in (2**64, 2**64 + 1, 2**200, 0)]
    assert all(not np.allclose(x, y) for x, y in itertools.combinations(found, 2))


def test_the_largest_and_the_smallest() -> None:
    """The tail ends where 32 bits end; the middle is 0, never NaN."""
    radii = np.array([0, 1, 2**31, 2**32 - 2**7, 2**32 - 1], np.uint32)
    for angle in (0, 1, 2**29 - 1, 2**29, 2**30 - 1, 2**31, 2**32 - 1):
        found = draws.two_normals(radii, np.full(5, angle, np.uint32), noise.NumPy())
        for numbers, wanted in zip(found, zip(*(box_muller(int(r), angle) for r in radii), strict=True), strict=True):
            np.testing.assert_allclose(numbers, wanted, rtol=0, atol=2.5e-4)  # float32 has steps next to u = 1
            np.testing.assert_allclose(numbers[:3], wanted[:3], rtol=0, atol=5e-6)
    top = max(np.abs(draws.two_normals(radii[:1], np.array([x], np.uint32), noise.NumPy())).max() for x in (2**29, 2**29 - 1))
    assert 6.76 < top < 6.77


# frameworks


SHAPES = [(), (1,), (5,), (3, 4), (2, 3, 8), (0, 3), (1000,)]


@pytest.mark.parametrize("shape", SHAPES)
def test_torch_draws_numpys_bits(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    wanted = standard_normal(5, 2, ("a", "w"), np.zeros(shape, np.float32))
    for dtype, wide in (("float32", "float32"), ("float64", "float64"), ("bfloat16", "float32"), ("float16", "float32")):
        found = standard_normal(5, 2, ("a", "w"), torch.zeros(shape, dtype=getattr(torch, dtype)))
        assert found.dtype is getattr(torch, wide)
        np.testing.assert_array_equal(found.numpy(), wanted)
    monkeypatch.setattr(torch, "sqrt", lambda x: torch.as_tensor(np.sqrt(x.numpy())))  # rounded correctly, as on other devices
    there = noise.in_torch(noise.words_of(5, 2, ("a", "w")), int(np.prod(shape)), torch.device("cpu"))
    np.testing.assert_array_equal(there.numpy().reshape(shape), wanted)


@pytest.mark.parametrize(
    "shape", [pytest.param(shape, marks=pytest.mark.slow if k > 2 else ()) for k, shape in enumerate(SHAPES)]
)
def test_jax_draws_numpys_words_and_its_numbers_to_a_few_roundings(shape: tuple[int, ...]) -> None:
    """XLA may compute a product and a sum in one, so that numbers differ in their last bits; integers it cannot change."""
    jax = pytest.importorskip("jax")
    wanted = standard_normal(5, 2, ("a", "w"), np.zeros(shape, np.float32))
    for seed, t in ((5, 2), (jax.numpy.uint32(5), jax.numpy.float32(2.0)), (jax.numpy.int32(5), jax.numpy.int32(2))):
        draw = jax.jit(lambda seed, t: standard_normal(seed, t, ("a", "w"), jax.numpy.zeros(shape, "float32")))
        for found in (draw(seed, t), standard_normal(seed, t, ("a", "w"), jax.numpy.zeros(shape, "float32"))):
            assert found.dtype == "float32"
            np.testing.assert_allclose(np.asarray(found), wanted, rtol=0, atol=2e-6)
    half = standard_normal(5, 2, ("a", "w"), jax.numpy.zeros(shape, "bfloat16"))
    assert half.dtype == "float32"


def test_lanes_draw_as_runs_of_their_seeds_and_counts() -> None:
    jax = pytest.importorskip("jax")
    torch = pytest.importorskip("torch")
    seeds, t, p = np.array([3, 2**40, 3]), np.array([1, 1, 2]), np.zeros((3, 5, 2), np.float32)
    wanted = np.stack([standard_normal(int(s), int(k), ("a", "w"), p[0]) for s, k in zip(seeds, t, strict=True)])
    np.testing.assert_array_equal(standard_normal(seeds, t, ("a", "w"), p, 3), wanted)
    np.testing.assert_array_equal(standard_normal(list(seeds), t, ("a", "w"), torch.from_numpy(p), 3).numpy(), wanted)
    found = standard_normal(seeds, jax.numpy.asarray(t), ("a", "w"), jax.numpy.asarray(p), 3)
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=0, atol=2e-6)
    one = standard_normal(3, 1, ("a", "w"), p, 3)
    np.testing.assert_array_equal(one, np.stack([wanted[0]] * 3))


def test_the_layout_does_not_matter() -> None:
    torch = pytest.importorskip("torch")
    wanted = standard_normal(5, 2, ("a", "w"), np.zeros((2, 3, 4, 5), np.float32))
    np.testing.assert_array_equal(standard_normal(5, 2, ("a", "w"), np.zeros((2, 3, 4, 5), np.float32, order="F")), wanted)
    last = torch.zeros((2, 3, 4, 5)).to(memory_format=torch.channels_last)
    found = standard_normal(5, 2, ("a", "w"), last)
    assert found.stride() == last.stride()
    np.testing.assert_array_equal(found.numpy(), wanted)


def test_positions_beyond_32_bits() -> None:
    shape = (2**33, 2**17 + 1, 2**18 - 5)
    for at in ((0, 0, 0), (3, 2, 1), (2**31, 5, 7), (2**32 - 1, 2**17, 2**18 - 6)):
        low, high = noise.positions(shape, [np.array([x], np.uint32) for x in at])
        assert int(low[0]) + (int(high[0]) << 32) == ((at[0] * shape[1] + at[1]) * shape[2] + at[2]) % 2**64


# chance


def test_the_law() -> None:
    """Mean, variance, skewness, kurtosis, the whole distribution, and its tails: each within 4.5 of its own standard errors."""
    x = standard_normal(1, 1, ("a", "w"), np.zeros(NUMBERS))
    n = x.size
    for statistic, spread in ((x.mean(), 1), (x.var() - 1, 2), (stats.skew(x), 6), (stats.kurtosis(x), 24)):
        assert abs(statistic) < 4.5 * np.sqrt(spread / n)
    assert stats.kstest(x, "norm").pvalue > 1e-4
    for bound in (3.0, 4.0, 4.5):
        wanted = n * stats.norm.sf(bound)
        for beyond in (np.sum(x > bound), np.sum(x < -bound)):
            assert abs(beyond - wanted) < 4.5 * np.sqrt(wanted)


def test_nothing_hangs_together() -> None:
    """Neighbours near and far, tensors, updates, draws and seeds that differ by a bit: no correlation, of sizes neither."""
    p = np.zeros(NUMBERS // 4, np.float32)
    x = standard_normal(1, 1, ("a", "w"), p)
    others = [
        *(np.roll(x, k) for k in (1, 2, 3, 4, 5, 8, 64, 128, 1024, 4096)),
        *(standard_normal(1, t, ("a", "w"), p) for t in (2, 3, 2**31 + 1)),
        *(standard_normal(seed, 1, ("a", "w"), p) for seed in (0, 2, 3, 2**32 + 1, 2**63 + 1)),
        *(standard_normal(1, 1, ("a", name), p) for name in ("v", "w1", "ww")),
        *(standard_normal(1, 1, (draw, "w"), p) for draw in ("b", "a/u")),
    ]
    for y in others:
        for f in (np.asarray, np.square, np.sign):
            assert abs(np.corrcoef(f(x), f(y))[0, 1]) < 5 / np.sqrt(x.size)


def test_bits_change_as_coins_fall() -> None:
    """Any bit of key or counter that changes turns half of the block's bits."""
    base = [0x01234567, 0x89ABCDEF, 5, 6, 7, 8, 1, 2]
    turned = []
    for place in range(256):
        other = list(base)
        other[place // 32] ^= 1 << place % 32
        pairs = zip(block("numpy", base[:4], base[4:]), block("numpy", other[:4], other[4:]), strict=True)
        turned.append(sum((a ^ b).bit_count() for a, b in pairs))
    assert abs(np.mean(turned) - 64) < 4.5 * np.sqrt(32 / 256)
    assert 64 - 32 < min(turned) <= max(turned) < 64 + 32
