"""Kernels that draw noise: the bits of the pure optimizer, in every dtype, lane, layout and face."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracles.threefry import threefry4x32
from support import first

import thalweg as tw
import thalweg.numpy as tn
from thalweg.engines import native
from thalweg.engines.kernel import TILE
from thalweg.form.draws import draw
from thalweg.values import draws, noise, tree_files

SHAPES = {"w": (40, 30), "b": (30,), "s": (), "none": (0, 3), "long": (70_001,), "t": (50, 60)}
DTYPES = [np.float16, np.float32, np.float64]


@tw.rule(lr=0.1)
def shaken(g, noise):  # type: ignore[no-untyped-def]
    """The noise itself, so that each bit of it is seen."""
    return g + noise


@tw.rule(lr=0.1)
def shaken_again(g, noise, m=0.0):  # type: ignore[no-untyped-def]
    """Another rule, which draws others."""
    m = 0.5 * m + noise
    return g * noise + m, m


CHAINS = {
    "noisy_sgd": tw.noisy_sgd, "santa_e": tw.santa_e, "one": shaken, "two": lambda: tw.chain(shaken(), shaken_again()),
    "two of a name": lambda: tw.chain(shaken(), shaken()), "before a norm": lambda: tw.chain(shaken(), tw.trust_ratio()),
    "after a norm": lambda: tw.chain(tw.clip(1e30), shaken()), "walked": lambda: tw.chain(shaken(), tw.schedule_free()),
    "accumulated": lambda: tw.every(2, shaken()),
}  # fmt: skip

EVERY_DAY = [*(("two", dtype) for dtype in DTYPES), *((name, np.float32) for name in ("noisy_sgd", "santa_e", "one"))]


def arrays(dtype: Any, lanes: int | None) -> dict[str, Any]:
    chance = np.random.default_rng(0)
    first = () if lanes is None else (lanes,)
    made = {name: chance.normal(size=first + shape).astype(dtype) for name, shape in SHAPES.items()}
    return made if lanes is not None else {**made, "t": np.asfortranarray(made["t"])}


def both(stage: Any, dtype: Any, lanes: int | None = None, steps: int = 4, **options: Any) -> tuple[Any, Any, Any]:
    """The parameters that the pure optimizer leads to, ours, and our optimizer. Some gradient is missing now and then."""
    p = arrays(dtype, lanes)
    mine = {name: x.copy(order="K") for name, x in p.items()}
    pure = tw.Optimizer(stage, lanes=lanes, **options)
    ours, state = tn.Optimizer(mine, stage, lanes=lanes, **options), pure.init(p)
    chance = np.random.default_rng(1)
    for t in range(steps):
        g = {name: chance.normal(size=x.shape).astype(dtype) for name, x in p.items()}
        if not isinstance(stage, tw.core.compose.Every) and t == 2:
            g["b"] = None
        p, state = pure.step(p, g, state)
        ours.step(g)
    return p, mine, ours


@pytest.mark.parametrize("lanes", [None, 3])
@pytest.mark.parametrize(
    ("name", "dtype"),
    first(sorted(((name, dtype) for name in CHAINS for dtype in DTYPES), key=lambda case: case not in EVERY_DAY), len(EVERY_DAY)),
)
def test_as_the_pure_optimizer_to_the_last_bit(name: str, dtype: Any, lanes: int | None) -> None:
    seed = 7 if lanes is None else np.array([3, 2**40 + 1, 7])
    p, mine, ours = both(CHAINS[name](), dtype, lanes, seed=seed)
    launches = ours._bound._launches
    assert launches, "there are kernels"
    alone = name != "before a norm"
    assert any(launch.draws for launch in launches) == alone, "a norm of the noise takes another pass, to which it is lent"
    assert any(launch.lent for launch in launches) == (not alone or lanes is None), "so is that of what lies in another order"
    for key in p:
        if alone:
            np.testing.assert_array_equal(mine[key], p[key], err_msg=key)
        else:  # a norm is summed up in another order
            np.testing.assert_allclose(mine[key], p[key], rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)


def test_noise_that_is_handed_over_is_taken_and_drawn_again_after() -> None:
    p, g = np.zeros(2000, np.float32), np.zeros(2000, np.float32)
    pure, mine = tw.Optimizer(shaken(), seed=3), p.copy()
    ours, state = tn.Optimizer(mine, shaken(), seed=3), pure.init(p)
    for handed in (None, np.ones(2000, np.float32), None):
        p, state = pure.step(p, g, state, noise=handed)
        ours.step(g, noise=handed)
        np.testing.assert_array_equal(mine, p)


def test_a_seed_in_the_state_takes_effect() -> None:
    for seed, other in ((3, 4), (np.array([3, 4]), np.array([3, 5]))):
        lanes = None if np.ndim(seed) == 0 else 2
        p = np.zeros((2, 1500), np.float32)
        pure, mine = tw.Optimizer(shaken(), seed=seed, lanes=lanes), p.copy()
        ours, state = tn.Optimizer(mine, shaken(), seed=seed, lanes=lanes), pure.init(p)
        for t in range(4):
            if t == 2 and lanes is None:
                state["seed"] = ours.state["seed"] = other
            elif t == 2:
                state["seed"] = other
                ours.state["seed"][...] = other
            p, state = pure.step(p, 0 * p, state)
            ours.step(0 * p)
            np.testing.assert_array_equal(mine, p)


@pytest.mark.parametrize("t", [2**20 - 1, 2**24 + 1, 2**31, 2**32 + 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_updates_beyond_what_float32_counts(t: int, dtype: Any) -> None:
    p = np.zeros(700, dtype)
    pure, mine = tw.Optimizer(shaken(), seed=3), p.copy()
    ours, state = tn.Optimizer(mine, shaken(), seed=3), pure.init(p)
    ours.step(0 * p)
    ours.state["t"]["p"] = state["t"]["p"] = t
    mine[...] = 0
    p, _ = pure.step(p, 0 * p, state)
    ours.step(0 * p)
    np.testing.assert_array_equal(mine, p)
    wanted = draw(3, t + 1, ("shaken", "p"), p, None)
    np.testing.assert_array_equal(mine, (0 - np.asarray(0.1, dtype) * wanted).astype(dtype))


FILL = f"""
from numba import cfunc, types
from thalweg.engines.generator import normals

@cfunc(types.int64(types.int64, types.int64, types.int64, types.int64, types.int64, types.int64))
def step(room, seed, name, t, draw, first):
    normals(room, seed, name, t, draw, first, {TILE})
    return 0
"""


@pytest.mark.parametrize("first", [0, TILE, 2**34 - TILE, 2**34, 2**40 + 5 * TILE])
def test_elements_beyond_32_bits(first: int) -> None:
    """No test has so large a tensor, but the kernel's generator can be asked for such elements."""
    room = np.zeros(TILE + 16, np.float32)
    at = -(-room.ctypes.data // 64) * 64
    seed, name, t, which = 2**63 + 12345, draws.hashed("w"), 2**31 + 7, draws.draw_of("shaken")
    native.compiled(FILL, "fill")(at, draws.signed(seed), draws.signed(name), t, which, first)
    found = room[(at - room.ctypes.data) // 4 :][:TILE]
    key = (*draws.halves(seed), *draws.halves(name))
    wanted = []
    for block in range(first // 4, (first + TILE) // 4):
        words = np.array(threefry4x32(key, (*draws.halves(block), t, which)), np.uint32).reshape(4, 1)
        wanted += [*draws.two_normals(words[0], words[1], noise.NumPy()), *draws.two_normals(words[2], words[3], noise.NumPy())]
    np.testing.assert_array_equal(found, np.concatenate(wanted))


def test_a_run_that_goes_on_from_its_state(tmp_path: Path) -> None:
    start = arrays(np.float32, None)
    runs = [{name: x.copy() for name, x in start.items()} for _ in range(2)]
    ours, half = (tn.Optimizer(p, CHAINS["two"](), lr=0.1, seed=5) for p in runs)
    g = {name: np.ones_like(x) for name, x in start.items()}
    for _ in range(6):
        ours.step(g)
    for _ in range(3):
        half.step(g)
    tree_files.save(tmp_path / "state.npz", half.state_dict())
    again = tn.Optimizer(runs[1], CHAINS["two"](), lr=0.1, seed=6)
    again.load_state_dict(tree_files.load(tmp_path / "state.npz"))
    for _ in range(3):
        again.step(g)
    for name in start:
        np.testing.assert_array_equal(runs[0][name], runs[1][name])


LATER = """
import sys
import numpy as np
import thalweg as tw
import thalweg.numpy as tn

p = [np.zeros(5000, np.float32)]
optimizer = tn.of(tw.rules["santa_sss"])(p)
optimizer.step([np.ones(5000, np.float32)])
assert optimizer._bound._launches[0].draws
print(p[0].sum(), "numba" in sys.modules)
"""


def test_a_cached_kernel_that_draws_runs_without_numba() -> None:
    """Its exp too is found by who loads it."""
    ran = [subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert ran[0].split()[0] == ran[1].split()[0]
    assert ran[1].split()[1] == "False"


def test_noise_takes_no_memory_traffic() -> None:
    assert tw.noisy_sgd.cost(4).bytes_moved == tw.sgd.cost(4).bytes_moved == 12
    optimizer = tn.of(tw.noisy_sgd)({"w": np.zeros((4, 3), np.float32)})
    (kernel,) = optimizer._bound.kernels()
    assert kernel.columns == ("p", "g")
