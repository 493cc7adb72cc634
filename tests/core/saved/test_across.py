"""A state saved on one face and loaded on another is the same to the last bit, and training goes on as if it had never stopped."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from methods.frameworks import sixty_four_bits
from support import ASKING, EVERYDAY, RULES, stream

import thalweg as tw
from core.saved.faces import FACES, Pure
from thalweg.values.tensor_files import read

PARAMS, GRADIENTS, LOSSES = stream(steps=6)
PAIRS = [*itertools.permutations(FACES, 2)]
DRAWS = {name for name, method in RULES.items() if "seed" in tw.Optimizer(method()).init(PARAMS)}
STAGES: dict[str, Any] = {
    "twins": lambda: tw.chain(tw.momentum(), tw.adam(), tw.momentum(), tw.decay(0.1)),
    "averaged": lambda: tw.chain(tw.adam(), tw.average(0.9)),
    "schedule-free": lambda: tw.chain(tw.adam(), tw.schedule_free()),
    "routed": lambda: tw.choose((tw.is_matrix, tw.muon().at(lr=0.02)), (tw.named("^b"), tw.lion()), otherwise=tw.adamw()),
    "routed twins": lambda: tw.choose((tw.named("^b"), tw.adam().at(lr=0.1)), otherwise=tw.chain(tw.adam(), tw.adam())),
    "around": lambda: tw.chain(tw.sam(0.05), tw.adam()),
    "clipped": lambda: tw.chain(tw.clip(0.5), tw.momentum()),
    "masked": lambda: tw.chain(tw.adam(), tw.only(tw.is_matrix, tw.decay(0.1))),
    "accumulated": lambda: tw.every(2, tw.adam()),
}


def wide(*faces: str) -> Any:
    """Context manager: JAX computes in float64, if it is one of these."""
    return sixty_four_bits() if "jax" in faces else contextlib.nullcontext()


def run(face: Pure, steps: range) -> Pure:
    for i in steps:
        face.step(GRADIENTS[i], float(LOSSES[i]))
    return face


def same(one: Path, other: Path) -> None:
    """Whether the tensors of two files are the same to the last bit."""
    mine, theirs = read(one)[0], read(other)[0]
    assert mine.keys() == theirs.keys()
    for name, bits in mine.items():
        assert (bits.dtype, bits.shape) == (theirs[name].dtype, theirs[name].shape), name
        assert bits.raw.tobytes() == theirs[name].raw.tobytes(), name


def goes_on(rule: Any, first: str, second: str, folder: Path, tolerance: float, lr: Any = 0.01) -> None:
    run(FACES[first](rule(), PARAMS, lr=lr), range(3)).save(folder / "first")
    here = FACES[second](rule(), {name: np.zeros_like(p) for name, p in PARAMS.items()}, lr=lr)
    here.load(folder / "first")
    here.save(folder / "second")
    same(folder / "first", folder / "second")
    straight = run(FACES[second](rule(), PARAMS, lr=lr), range(6))
    run(here, range(3, 6))
    for name, p in straight.arrays().items():
        np.testing.assert_allclose(here.arrays()[name], p, rtol=tolerance, atol=tolerance)
        if first == second:
            np.testing.assert_array_equal(here.arrays()[name], p)


RING = [("pure", "numpy"), ("numpy", "torch"), ("torch", "jax"), ("jax", "pure")]
DAILY = {"adam", "adafactor", "prodigy", "santa_sss"} & set(EVERYDAY)
"""Element-wise memory, rows and columns, numbers of the whole model, draws."""


def cases(names: Any, daily: Any, pairs: Any) -> list[Any]:
    """Each name with each pair of faces: some names in a ring of the faces every day, the others with `-m slow`."""
    return [
        pytest.param(name, *pair, marks=() if name in daily and pair in RING else pytest.mark.slow)
        for name in names
        for pair in pairs
    ]


@pytest.mark.parametrize(("name", "first", "second"), cases(RULES, DAILY, [*PAIRS, *zip(FACES, FACES, strict=True)]))
def test_every_rule_goes_on_from_face_to_face(name: str, first: str, second: str, tmp_path: Path) -> None:
    with wide(first, second):
        drawn_apart = name in DRAWS and "jax" in (first, second) and first != second  # XLA's draws differ in their last bits
        goes_on(RULES[name], first, second, tmp_path, 1e-5 if drawn_apart else 1e-9 if name in ASKING else 1e-12)


@pytest.mark.parametrize(("name", "first", "second"), cases(STAGES, ("twins", "averaged", "routed twins", "around"), PAIRS))
def test_compositions_go_on_from_face_to_face(name: str, first: str, second: str, tmp_path: Path) -> None:
    if name == "accumulated" and "jax" in (first, second):
        pytest.skip("optax.MultiSteps accumulates in JAX")
    with wide(first, second):
        goes_on(STAGES[name], first, second, tmp_path, 1e-12)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_schedule_goes_on_where_the_count_is(first: str, second: str, tmp_path: Path) -> None:
    def of_face(name: str) -> Any:
        return (lambda t: 0.1 / (t + 1)) if name == "jax" else (lambda t: 0.1 / t)

    with wide(first, second):
        run(FACES[first](tw.adam(), PARAMS, lr=of_face(first)), range(3)).save(tmp_path / "a")
        here = FACES[second](tw.adam(), PARAMS, lr=of_face(second))
        here.load(tmp_path / "a")
        straight = run(FACES[second](tw.adam(), PARAMS, lr=of_face(second)), range(6))
        for name, p in run(here, range(3, 6)).arrays().items():
            np.testing.assert_allclose(p, straight.arrays()[name], rtol=1e-12)


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if "jax" not in pair])
def test_a_parameter_that_rests_keeps_its_own_count(first: str, second: str, tmp_path: Path) -> None:
    """A frozen parameter has no gradient and no updates, and one that rested in a step has one less."""

    def stepped(face: Pure, steps: range) -> Pure:
        for i in steps:
            face.step({**GRADIENTS[i], "s": None, **({"b": None} if i == 1 else {})}, 1.0)
        return face

    stepped(FACES[first](tw.adamw(), PARAMS), range(3)).save(tmp_path / "a")
    here = FACES[second](tw.adamw(), {name: np.zeros_like(p) for name, p in PARAMS.items()})
    here.load(tmp_path / "a")
    straight = stepped(FACES[second](tw.adamw(), PARAMS), range(6))
    for name, p in stepped(here, range(3, 6)).arrays().items():
        np.testing.assert_allclose(p, straight.arrays()[name], rtol=1e-12)
    np.testing.assert_array_equal(here.arrays()["s"], PARAMS["s"])


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float16", marks=pytest.mark.slow), "bfloat16"])
def test_narrow_numbers_keep_their_bits(dtype: str, first: str, second: str, tmp_path: Path) -> None:
    half = np.dtype(pytest.importorskip("ml_dtypes").bfloat16) if dtype == "bfloat16" else np.dtype(dtype)
    if dtype == "bfloat16" and "torch" in (first, second):
        pytest.skip("NumPy hands torch no bfloat16: see the model in bfloat16")
    params = {name: p.astype(half) for name, p in PARAMS.items()}
    written = FACES[first](tw.adam(), params)
    for g in GRADIENTS[:3]:
        written.step({name: x.astype(half) for name, x in g.items()}, 1.0)
    written.save(tmp_path / "a")
    here = FACES[second](tw.adam(), params)
    here.load(tmp_path / "a")
    here.save(tmp_path / "b")
    same(tmp_path / "a", tmp_path / "b")


def test_lanes_go_on(tmp_path: Path) -> None:
    rates = np.asarray([0.1, 0.01])
    lanes = {name: np.stack([p, p]) for name, p in PARAMS.items()}
    one, other = (tw.Optimizer(tw.prodigy(), rates, lanes=2, nonfinite="skip") for _ in range(2))
    params, state = lanes, one.init(lanes)
    for g in GRADIENTS[:3]:
        params, state = one.step(params, {name: np.stack([x, x]) for name, x in g.items()}, state)
    tw.save_state(tmp_path / "a", one, params, state)
    there, after = tw.load_state(tmp_path / "a", other, lanes)
    last = {name: np.stack([x, x]) for name, x in GRADIENTS[3].items()}
    for name, p in one.step(params, last, state)[0].items():
        np.testing.assert_array_equal(other.step(there, last, after)[0][name], p)


def test_draws_go_on_with_the_seed_of_the_file(tmp_path: Path) -> None:
    with sixty_four_bits():
        run(FACES["pure"](tw.noisy_sgd(), PARAMS, seed=5), range(3)).save(tmp_path / "a")
        straight = run(FACES["pure"](tw.noisy_sgd(), PARAMS, seed=5), range(6))
        for face in ("pure", "numpy", "torch"):
            here = FACES[face](tw.noisy_sgd(), PARAMS, seed=0)
            here.load(tmp_path / "a")
            for name, p in run(here, range(3, 6)).arrays().items():
                np.testing.assert_allclose(p, straight.arrays()[name], rtol=1e-12)
        with pytest.raises(ValueError, match="the file's draws have seed 5, and this transformation's 0; make it with that"):
            FACES["jax"](tw.noisy_sgd(), PARAMS).load(tmp_path / "a")
