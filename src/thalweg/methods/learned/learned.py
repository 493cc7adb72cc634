"""The learned optimizer: a recurrent network in place of a formula."""

import functools
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.form.memory import per_coordinate
from thalweg.ops import X, join, linear, log, sigmoid, sign, single, split, stack, tanh, where
from thalweg.rule import rule
from thalweg.values import trees

HIDDEN = 20
VECTOR = per_coordinate(HIDDEN)
TRAINER = "python -m thalweg.lab.learned.training --out FILE"


@rule(lr=1.0, search=None)
def learned(g, h1=VECTOR, c1=VECTOR, h2=VECTOR, c2=VECTOR, *, weights: str = "quadratics"):
    """The learned optimizer (Andrychowicz et al. 2016, arXiv 1606.04474, section 2 and appendix A).

    The network has two LSTM layers of 20 units and a linear output layer. All coordinates share its weights, and each has its
    own memory. lr = 1 is the published method, which has no learning rate. It is good on functions like those it was
    trained on and may fail on others, as the shipped weights do on a network that classifies digits.
    weights: "quadratics" (the paper's |W theta - y|^2, W 10 x 10, no preprocessing), or the path of a file that the
    trainer wrote. The shipped ones are made, to the last bit, by
    `python -m thalweg.lab.learned.training --out learned_quadratics.npz`.
    """
    net = network(weights)
    a1 = linear(join(inputs(net, g), h1), net["w1"], net["b1"])
    h1, c1 = cell(c1, *gates(a1))
    a2 = linear(join(h1, h2), net["w2"], net["b2"])
    h2, c2 = cell(c2, *gates(a2))
    u = net["scale"] * single(linear(h2, net["w"], net["b"]))
    return -u, h1, c1, h2, c2


def inputs(net: dict[str, Any], g: X) -> X:
    """Return the network's inputs for a gradient: itself, or its logarithm and sign (appendix A), which suits all magnitudes."""
    if not net["preprocessing"]:
        return stack(g)
    p = net["p"]
    large = abs(g) >= math.exp(-p)
    return stack(where(large, log(abs(g)) / p, -1.0), where(large, sign(g), math.exp(p) * g))


def gates(a: X) -> tuple[X, X, X, X]:
    """Return an LSTM layer's gates: i for the input j, f for forgetting (+ 1: it keeps all before training), o for the output."""
    i, j, f, o = split(a, 4)
    return sigmoid(i), tanh(j), sigmoid(f + 1.0), sigmoid(o)


def cell(c: X, i: X, j: X, f: X, o: X) -> tuple[X, X]:
    """Return the layer's new h and c."""
    c = f * c + i * j
    return o * tanh(c), c


def network(weights: str) -> dict[str, Any]:
    """Load a weights file as a tree, once: arrays w1, b1, w2, b2, w, b; preprocessing (with its p); scale.

    Raises FileNotFoundError if there is no file, ValueError for a file with other content.
    """
    if not isinstance(weights, str | os.PathLike):
        raise ValueError(f"learned: weights is a name or the path of a file, not {weights!r}")
    shipped = Path(__file__).parent / f"learned_{weights}.npz"
    path = shipped if shipped.is_file() else Path(weights)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"learned: no weights are called {str(weights)!r}; write weights='quadratics', or train a file with `{TRAINER}`"
        ) from None


@functools.lru_cache(maxsize=16)
def _read(path: Path, _changed: int) -> dict[str, Any]:
    net: dict[str, Any] = trees.load(path)
    if wrong := _wrong(net):
        raise ValueError(f"learned: {path} holds no weights of its network: {wrong}; `{TRAINER}` writes such a file")
    return net


def _wrong(net: Any) -> str:
    """Return what a tree lacks as a network; an empty string if nothing."""
    if not isinstance(net, dict) or not isinstance(net.get("preprocessing"), bool):
        return "no preprocessing=True or False"
    for name in ("scale", "p") if net["preprocessing"] else ("scale",):
        if not isinstance(net.get(name), float) or not 0 < net[name] < math.inf:
            return f"{name} is {net.get(name)!r}, no positive number"
    for name, shape in shapes(net["preprocessing"]).items():
        array = net.get(name)
        if not isinstance(array, np.ndarray) or array.shape != shape:
            return f"{name} has shape {getattr(array, 'shape', 'none')}, wanted {shape}"
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            return f"{name} must hold finite floating-point numbers"
    return ""


def shapes(preprocessing: bool) -> dict[str, tuple[int, ...]]:
    """Return the arrays' shapes: rows of w1 and w2 are the input, then h; columns are the gates i, j, f, o."""
    n, gate = 2 if preprocessing else 1, 4 * HIDDEN
    return {"w1": (n + HIDDEN, gate), "b1": (gate,), "w2": (2 * HIDDEN, gate), "b2": (gate,), "w": (HIDDEN, 1), "b": (1,)}
