"""Trees in files: whole, exactly, or refused before anything is written."""

from __future__ import annotations

import collections
import enum
import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from thalweg.values import trees


class Pair(NamedTuple):
    a: int
    b: int


class Int(int):
    pass


Colour = enum.IntEnum("Colour", "RED")

KEPT: dict[str, Any] = {
    "keys of every kind": {2: 1, "2": 2, None: 3, True: 4, 2.5: 5, "": 6, "a.b": 7},
    "nan": math.nan,
    "inf": -math.inf,
    "-0.0": -0.0,
    "a big int": 2**300,
    "half a surrogate": "\ud800",
    "a NUL": "a\0",
    "containers": [(), [], {}, ((1,), [2])],
    "float32": np.float32(2),
    "float64": np.float64(2),
    "bool_": np.bool_(True),
    "str_": np.str_("x"),
    "datetime64": np.datetime64("2020-01-01"),
    "complex": np.array([1 + 2j]),
    "texts": np.array(["a", "bc"]),
    "bytes": np.array([b"a"]),
    "dates": np.array(["2020"], "M8[ns]"),
    "structured": np.zeros(2, [("a", "i4"), ("b", "f8", 3)]),
    "aligned": np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "other byte order": np.ones(2, ">f8"),
    "float16": np.ones(2, np.float16),
    "longdouble": np.ones(2, np.longdouble),
    "0-d": np.array(3.0),
    "empty": np.zeros((0, 3)),
    "Fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(6.0)[::2],
}

REFUSED: dict[str, Any] = {
    "a tuple as key": {("a", "b"): 1},
    "bytes as key": {b"a": 1},
    "NumPy's int as key": {np.int64(1): 1},
    "NumPy's text as key": {np.str_("a"): 1},
    "nan as key": {math.nan: 1},
    "an enum as key": {Colour.RED: 1},
    "two surrogates": "\ud83d\ude00",
    "two surrogates as key": {"\ud83d\ude00": 1},
    "NamedTuple": Pair(1, 2),
    "OrderedDict": collections.OrderedDict(a=1),
    "defaultdict": collections.defaultdict(list, a=1),
    "deque": collections.deque([1]),
    "a kind of int": Int(3),
    "an enum": Colour.RED,
    "complex number": 1j,
    "bytes": b"x",
    "set": {1},
    "range": range(3),
    "generator": (x for x in [1]),
    "objects": np.array([1, "a"], object),
    "objects in a structure": np.zeros(2, [("a", object)]),
    "masked": np.ma.array([1.0]),
    "matrix": np.eye(2).view(np.matrix),
    "record array": np.zeros(2, [("a", "i4")]).view(np.recarray),
    "a dtype with metadata": np.ones(2, np.dtype("f8", metadata={"a": 1})),
    "strings of any length": np.array(["a"], np.dtypes.StringDType()),
    "too many digits": 10**5000,
}


def same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert [(type(k), k) for k in a] == [(type(k), k) for k in b]
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, np.ndarray | np.generic):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_array_equal(a, b)
    else:
        assert repr(a) == repr(b)


@pytest.mark.parametrize("what", KEPT)
def test_what_is_saved_comes_back(what: str, tmp_path: Any) -> None:
    for tree in (KEPT[what], {"a": [KEPT[what]]}):
        trees.save(tmp_path / "t.npz", tree)
        same(tree, trees.load(tmp_path / "t.npz"))


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_not_come_back_is_refused(what: str, tmp_path: Any) -> None:
    for tree in (REFUSED[what], {"a": np.ones(2), "b": [REFUSED[what]]}):
        with pytest.raises((TypeError, ValueError), match=r"\w+ \w+ \w+"):
            trees.save(tmp_path / "t.npz", tree)
        assert list(tmp_path.iterdir()) == []


def test_a_tree_that_contains_itself_is_refused(tmp_path: Any) -> None:
    tree: list[Any] = []
    tree.append(tree)
    with pytest.raises(ValueError, match="contains itself"):
        trees.save(tmp_path / "t.npz", tree)
    assert list(tmp_path.iterdir()) == []


def test_arrays_of_frameworks_that_a_file_cannot_hold(tmp_path: Any) -> None:
    torch = pytest.importorskip("torch")
    trees.save(tmp_path / "t.npz", torch.tensor([1 + 2j]).conj())
    same(trees.load(tmp_path / "t.npz"), np.array([1 - 2j], np.complex64))
    with pytest.raises(TypeError, match="cannot save a Tensor"):
        trees.save(tmp_path / "u.npz", torch.ones(2).to_sparse())
    with pytest.raises(TypeError, match="cannot save a Linear"):
        trees.save(tmp_path / "u.npz", torch.nn.Linear(1, 1))
    assert not (tmp_path / "u.npz").exists()


def test_jax_keys_and_float8_are_refused(tmp_path: Any) -> None:
    jax = pytest.importorskip("jax")
    for x in (jax.random.key(0), jax.numpy.ones(2, jax.numpy.float8_e4m3fn)):
        with pytest.raises(TypeError, match="cannot save"):
            trees.save(tmp_path / "t.npz", x)
