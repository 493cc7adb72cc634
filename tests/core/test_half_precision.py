"""Half precision: a step computes in float32 and rounds once, whatever the framework, the face and the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import ASKING, HANDED, bowl, everyday

import thalweg as tw
import thalweg.numpy as tn

HALVES = ("float16", "bfloat16")
SHAPES = {"w": (4, 3), "b": (3,), "s": ()}
KINDS = ("numpy", "torch", "jax")


def at_the_edges(seed: int, largest: float = 6e4) -> dict[str, np.ndarray]:
    """Gradients that are exactly 0, near the least and near the largest of float16, and usual ones."""
    draw = np.random.default_rng(seed)
    g = {name: np.asarray(draw.normal(size=shape), np.float32) for name, shape in SHAPES.items()}
    g["w"][0], g["w"][1], g["b"][1] = 0.0, [6e-8, -6e-8, largest], -largest
    return g


def to(kind: str, dtype: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """How a tree of NumPy's numbers becomes one of this framework and dtype; of what is in it already, its cast."""
    if kind == "torch":
        torch = pytest.importorskip("torch")
        return lambda tree: {k: torch.as_tensor(x).to(getattr(torch, dtype)) for k, x in tree.items()}
    if kind == "jax":
        numpy = pytest.importorskip("jax").numpy
        return lambda tree: {k: numpy.asarray(x).astype(dtype) for k, x in tree.items()}
    narrow = np.dtype(getattr(pytest.importorskip("ml_dtypes"), dtype) if dtype == "bfloat16" else dtype)
    return lambda tree: {k: np.asarray(x).astype(narrow) for k, x in tree.items()}


def seen(x: Any) -> np.ndarray:
    """Numbers of any framework and dtype as NumPy's float64."""
    x = x.detach().double() if hasattr(x, "detach") else x
    return np.asarray(x).astype(np.float64)


def casts(like: Any, tree: Any, to_dtype: Callable[[Any, Any], Any]) -> Any:
    """The arrays of a state, each told of the one that it is in the place of."""
    if isinstance(tree, dict):
        return {k: casts(like[k], x, to_dtype) for k, x in tree.items()}
    return to_dtype(tree, like) if hasattr(tree, "dtype") and "float" in str(tree.dtype) else tree


def in_dtype(x: Any, dtype: Any) -> Any:
    with np.errstate(over="ignore"):
        return x.to(dtype) if hasattr(x, "detach") else x.astype(dtype)


def compare(rule: Any, kind: str, dtype: str, exact: bool = True, wrap: Callable[[Any], Any] = lambda f: f) -> None:
    """Steps in half precision, each beside the float32 step from there, rounded once.

    Only the first has the largest gradients: what memory holds of them float16 cannot, which no arithmetic mends.
    """
    half, wide = to(kind, dtype), to(kind, "float32")
    optimizer = tw.Optimizer(rule)
    draw = np.random.default_rng(1)
    params = half({k: np.asarray(draw.normal(size=s), np.float32) for k, s in SHAPES.items()})
    state = optimizer.init(params)

    @wrap
    def step(p: Any, g: Any, s: Any, handed: Any) -> Any:
        return optimizer.step(p, g, s, **handed, **({"loss": 1.5} if "loss" in optimizer.asks else {}))

    for t, largest in enumerate((6e4, 60.0, 60.0, 0.0)):
        if t == 1:
            state = optimizer.init(params)
        g = half(at_the_edges(t, largest))
        handed = {word: half(at_the_edges(10 + t, 1.0)) for word in ("noise", "curvature") if word in optimizer.asks}
        big = casts(optimizer.init(wide(params)), state, lambda x, like: in_dtype(x, getattr(like, "dtype", x.dtype)))
        wanted, kept = step(wide(params), wide(g), big, {word: wide(tree) for word, tree in handed.items()})
        params, state = step(params, g, state, handed)
        for name, x in params.items():
            assert str(x.dtype).endswith(dtype)
            assert np.isfinite(seen(x)).all(), name
            equal(x, in_dtype(wanted[name], x.dtype), exact)
        casts(
            state["memory"], kept["memory"], lambda x, like: equal(like, in_dtype(x, getattr(like, "dtype", np.float64)), exact)
        )


def equal(ours: Any, wanted: Any, exact: bool) -> None:
    if exact:
        np.testing.assert_array_equal(seen(ours), seen(wanted))
    else:  # XLA contracts products and sums as it likes; what differs in float32 may round to the next number
        np.testing.assert_allclose(seen(ours), seen(wanted), rtol=2.0**-7, atol=1e-6)


@pytest.mark.parametrize("name", everyday(HANDED))
def test_a_step_is_float32s_rounded_once(name: str) -> None:
    """Of every rule: zero gradients, tiny ones and those near float16's largest."""
    compare(HANDED[name](), "numpy", "float16")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", HANDED)
def test_a_step_is_float32s_rounded_once_everywhere(name: str, kind: str, dtype: str) -> None:
    compare(HANDED[name](), kind, dtype)


SEVERAL = [pytest.param(kind, marks=pytest.mark.slow if kind != "numpy" else ()) for kind in KINDS]
LOOKING = {**{name: tw.rules[name] for name in ASKING}, "sam": lambda: tw.chain(tw.sam(), tw.sgd())}


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize("kind", SEVERAL)
def test_a_method_that_looks_for_itself_stays_finite(kind: str, name: str) -> None:
    """The points that it looks at are the parameters' own dtype, and so is the gradient that it is told."""
    half = to(kind, "float16")
    optimizer = tw.Optimizer(LOOKING[name](), lr=0.1)
    params, g = half(at_the_edges(0, 0.0)), half(at_the_edges(1, 300.0))
    state = optimizer.init(params)

    def ask(p: Any) -> Any:
        assert {str(x.dtype).removeprefix("torch.") for x in p.values()} == {"float16"}
        return bowl(g)(p)

    for _ in range(5):
        params, state = optimizer.step(params, None, state, grad_fn=ask)
        assert all(np.isfinite(seen(x)).all() for x in params.values())


CLIPPED = {
    "sgd": lambda: tw.chain(tw.clip(1.0), tw.sgd()),
    "adam": lambda: tw.chain(tw.clip(1.0), tw.adam()),
    "after": lambda: tw.chain(tw.sgd(), tw.clip(1.0)),
    "lars": lambda: tw.chain(tw.trust_ratio(), tw.clip(1.0)),
    "averaged": lambda: tw.chain(tw.clip(1.0), tw.momentum(), tw.average()),
}


def stepped_by(face: str, rule: Any, p: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Where a step at the rate 1 leads, by one of the faces."""
    if face.startswith("tn"):
        mine = p.copy()
        tn.Optimizer(mine, rule, lr=1.0, fused=face == "tn").step(g)
        return mine.astype(np.float64)
    if face == "tt":
        torch, tt = pytest.importorskip("torch"), pytest.importorskip("thalweg.torch")
        there = torch.nn.Parameter(torch.from_numpy(p.copy()))
        there.grad = torch.from_numpy(g)
        tt.Optimizer([there], rule, lr=1.0).step()
        return seen(there)
    if face == "tj":
        jax, tj = pytest.importorskip("jax"), pytest.importorskip("thalweg.jax")
        made, there = tj.optimizer(rule, 1.0), jax.numpy.asarray(p)
        return p + seen(jax.jit(made.update)(jax.numpy.asarray(g), made.init(there), there)[0])
    if face == "lanes":
        optimizer = tw.Optimizer(rule, lr=1.0, lanes=2)
        two = np.stack([p, p])
        return seen(optimizer.step(two, np.stack([0 * g, g]), optimizer.init(two))[0])[1]
    here = to(face, str(p.dtype))({"p": p})["p"]
    optimizer = tw.Optimizer(rule, lr=1.0)
    return seen(optimizer.step(here, to(face, str(p.dtype))({"p": g})["p"], optimizer.init(here))[0])


FACES = (*KINDS, "tn", "tn unfused", "tt", "tj", "lanes")


@pytest.mark.parametrize(
    ("dtype", "size"), [("float16", 60.0), ("float16", 6e4), ("float16", 6e-8), ("float32", 1e20), ("float32", 1e-30)]
)
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    "rule", ["sgd", "averaged", *(pytest.param(name, marks=pytest.mark.slow) for name in ("adam", "after", "lars"))]
)
def test_a_norm_is_right_whatever_its_squares(rule: str, face: str, dtype: str, size: float) -> None:
    """A thousand gradients whose squares, or the sum of them, their dtype cannot hold: as from float64, on every face."""
    p, g = np.full(1000, 0.5, dtype), np.full(1000, size, dtype)
    wanted = stepped_by("numpy", CLIPPED[rule](), p.astype(np.float64), g.astype(np.float64))
    if rule == "adam" and size < 1e-6:
        pytest.skip("its epsilon is what decides here")
    found = stepped_by(face, CLIPPED[rule](), p, g)
    spacing = np.finfo(dtype).eps if (rule, face) != ("adam", "tj") else 1e-4  # there 1 - beta^t is a float32
    np.testing.assert_allclose(found, wanted, rtol=2 * spacing, atol=2 * spacing * 0.5)


@pytest.mark.parametrize("face", ["numpy", "torch", "tn", "tn unfused", "tt"])
@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_a_norm_in_float64(face: str, size: float) -> None:
    found = stepped_by(face, tw.chain(tw.trust_ratio(), tw.clip(1.0)), np.full(4, 0.5), np.full(4, size))
    np.testing.assert_allclose(found, 0.0, atol=1e-15)
    np.testing.assert_allclose(stepped_by(face, tw.clip(size), np.zeros(4), np.full(4, size)), -size / 2, rtol=1e-15)


def test_the_norm_of_what_is_no_number() -> None:
    for x, wanted in ((np.nan, np.nan), (np.inf, np.inf), (0.0, 0.0)):
        for kind in KINDS:
            given = to(kind, "float32")({"x": np.array([1.0 if x else 0.0, x])})["x"]
            np.testing.assert_equal(float(tw.ops.norm(given)), wanted)


@pytest.mark.parametrize("face", ["numpy", "torch", "jax", "tn", "tn unfused"])
def test_accumulated_gradients_are_summed_in_float32(face: str) -> None:
    """Four gradients of 6e4 add up to more than float16 has; their mean is one of its numbers."""
    rule, p, g = tw.every(4, tw.sgd()), np.zeros(3, np.float16), np.array([6e4, 6e-8, 1.0], np.float16)
    if face.startswith("tn"):
        mine = p.copy()
        ours = tn.Optimizer(mine, rule, lr=1.0, fused=face == "tn")
        for _ in range(4):
            ours.step(g)
        np.testing.assert_array_equal(mine, -g)
        return
    there, g_there = (to(face, "float16")({"p": x})["p"] for x in (p, g))
    optimizer = tw.Optimizer(rule, lr=1.0)
    state = optimizer.init(there)
    for _ in range(4):
        there, state = optimizer.step(there, g_there, state)
    np.testing.assert_array_equal(seen(there), -g.astype(np.float64))
