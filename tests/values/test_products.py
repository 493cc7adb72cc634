"""Words for products and factors of matrices, in each framework: their values, stacks of matrices, and what is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from methods.frameworks import jax_array, sixty_four_bits, torch_array

from thalweg import ops

DRAW = np.random.default_rng(0)
STACK = DRAW.normal(size=(2, 4, 4))
WORDS: dict[str, Any] = {
    "orthonormal": (ops.orthonormal, lambda x: np.linalg.qr(x)[0]),
    "inverse": (ops.inverse, np.linalg.inv),
    "spectral_norm": (ops.spectral_norm, lambda x: np.linalg.svd(x)[1][:1, None]),
    "upper": (ops.upper, np.triu),
    "transposed": (ops.transposed, np.transpose),
    "short_means": (ops.short_means, lambda x: x.mean(0, keepdims=True)),
}
FRAMEWORKS = [np.asarray, pytest.param(torch_array, id="torch"), pytest.param(jax_array, id="jax")]


@pytest.mark.parametrize("convert", FRAMEWORKS)
@pytest.mark.parametrize("name", WORDS)
def test_each_matrix_of_a_stack_by_itself(name: str, convert: Any) -> None:
    word, by_numpy = WORDS[name]
    with sixty_four_bits() if convert is jax_array else np.errstate():
        found = np.asarray(word(convert(STACK)))
    for own, x in zip(found, STACK, strict=True):
        np.testing.assert_allclose(abs(own), abs(by_numpy(x)), rtol=1e-12, atol=1e-12)  # a column's sign is the framework's


@pytest.mark.parametrize("convert", FRAMEWORKS)
@pytest.mark.parametrize("name", ["orthonormal", "inverse", "spectral_norm"])
def test_what_is_not_finite_is_nan_and_touches_no_other(name: str, convert: Any) -> None:
    word, by_numpy = WORDS[name]
    broken = STACK.copy()
    broken[0, 1, 1] = np.inf
    with sixty_four_bits() if convert is jax_array else np.errstate(all="ignore"):
        found = np.asarray(word(convert(broken)))
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(abs(found[1]), abs(by_numpy(STACK[1])), rtol=1e-12, atol=1e-12)


def test_a_sketch_has_the_shorter_sides_length() -> None:
    noise = DRAW.normal(size=(4, 3))
    for x, wanted in ((noise, noise.T[:, :2]), (noise.T, noise.T[:, :2])):
        before = np.zeros((3, 2))
        np.testing.assert_array_equal(ops.sketch(x, before, True), wanted / np.sqrt(2))
        np.testing.assert_array_equal(ops.sketch(x, before, False), before)
