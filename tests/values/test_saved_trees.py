"""The files that trees are kept in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from thalweg.values import trees


def test_a_saved_tree_comes_back(tmp_path: Any) -> None:
    tree = {
        "a": [np.arange(3.0), (1, 2.5, None)],
        "b": {3: "text", "x/y": np.float32(2)},
        "inf": math.inf,
        "yes": True,
        "empty": {},
    }
    trees.save(tmp_path / "t.npz", tree)
    back = trees.load(tmp_path / "t.npz")
    np.testing.assert_array_equal(back["a"][0], tree["a"][0])
    assert back["a"][1] == (1, 2.5, None)
    assert back["b"][3] == "text"
    assert back["b"]["x/y"].dtype == np.float32
    assert (back["inf"], back["yes"], back["empty"]) == (math.inf, True, {})


def test_no_pickle_is_written_or_read(tmp_path: Any) -> None:
    with pytest.raises(TypeError, match="cannot save a set"):
        trees.save(tmp_path / "t.npz", {"a": {1, 2}})
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "evil.npz", outline=np.array({"a": 1}, dtype=object))
    with pytest.raises(ValueError, match=r"evil.npz is no file that thalweg saved"):
        trees.load(tmp_path / "evil.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ValueError, match="is no file that thalweg saved"):
        trees.load(tmp_path / "text.npz")
    with pytest.raises(FileNotFoundError):
        trees.load(tmp_path / "none.npz")


def test_torch_and_jax_arrays_are_saved_as_numpys(tmp_path: Any) -> None:
    torch = pytest.importorskip("torch")
    trees.save(tmp_path / "t.npz", {"x": torch.ones(2, requires_grad=True), "half": torch.full((2,), 1.5, dtype=torch.bfloat16)})
    back = trees.load(tmp_path / "t.npz")
    assert back["x"].dtype == np.float32
    np.testing.assert_array_equal(back["half"], np.float32(1.5))


def test_names_are_paths() -> None:
    assert trees.flatten({"a": {"b": 1, "c": [2, 3]}})[0] == ["a.b", "a.c.0", "a.c.1"]
    assert trees.flatten(5)[0] == ["p"]
