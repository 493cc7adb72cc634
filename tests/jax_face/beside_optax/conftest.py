"""What all tests beside optax have: double precision, and an Adafactor of optax's that has it too."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def wide() -> Iterator[None]:
    import jax

    with jax.enable_x64(True):
        yield


@pytest.fixture
def in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """optax rounds Adafactor's beta2 to float32; here it is in the tensors' precision, as the paper's."""
    import jax.numpy as jnp
    from optax._src import factorized

    beta2 = {"decay_rate_fn": lambda count, exponent: 1 - jnp.asarray(count + 1, jnp.float64) ** -exponent}
    monkeypatch.setattr(factorized, "scale_by_factored_rms", functools.partial(factorized.scale_by_factored_rms, **beta2))
