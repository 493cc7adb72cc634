"""Trees of arrays in files: `load` returns exactly what was saved, or `save` refuses it."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import numpy as np

from thalweg.values.arrays import framework
from thalweg.values.atomic import atomic_write

Tree = Any
Arrays = dict[str, np.ndarray[Any, Any]]

WANTED = "arrays, numbers, texts, None, dicts, lists and tuples can be"


def save(path: str | os.PathLike[str], tree: Tree) -> None:
    """Write a tree to one .npz file, without pickle. The file appears whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file.
    tree : tree
        Arrays, numbers, strings, None, dicts, lists and tuples. Keys of dicts are strings, numbers, bools or None. torch and
        JAX arrays are written as NumPy arrays, bfloat16 as float32 (exact).

    Raises
    ------
    TypeError, ValueError
        For what would not come back equal and of the same type: subclasses of dict, list and tuple, other keys, object
        arrays, masked arrays. Nothing is written then.
    """
    arrays: Arrays = {}
    try:
        outline = json.dumps(_outline(tree, arrays))
    except RecursionError:
        raise ValueError("cannot save a tree that contains itself, or is nested a thousand deep") from None
    with atomic_write(path, "wb") as file:
        np.savez(file, outline=np.array(outline), **arrays)  # type: ignore[arg-type]


def load(path: str | os.PathLike[str]) -> Tree:
    """Read the tree that `save` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    tree
        The tree, with NumPy arrays.

    Raises
    ------
    ValueError
        If `save` did not write the file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return _fill(json.loads(str(file["outline"])), file)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{os.fspath(path)} is no file that thalweg saved: {error}") from error


def _outline(tree: Tree, arrays: Arrays) -> Any:
    kind = type(tree)
    if kind is dict:
        return {"dict": [[_key(key), _outline(child, arrays)] for key, child in tree.items()]}
    if kind is list or kind is tuple:
        return {kind.__name__: [_outline(child, arrays) for child in tree]}
    if tree is None or kind in (bool, int, float, str):
        return {"value": _text(tree) if kind is str else tree}
    if framework(tree) is None:
        raise TypeError(f"cannot save a {kind.__name__}; {WANTED}{_cure(tree)}")
    name = f"a{len(arrays)}"
    arrays[name] = _array(tree)
    return {"scalar" if isinstance(tree, np.generic) else "array": name}


def _key(key: Any) -> Any:
    if type(key) is str:
        return _text(key)
    if key is None or type(key) in (bool, int) or (type(key) is float and not math.isnan(key)):
        return key
    raise TypeError(f"cannot save a dict with the key {key!r}: keys are texts, numbers, bools or None")


def _text(text: str) -> str:
    """Return the text itself, unless JSON would merge two surrogate halves into one character."""
    if text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") != text:
        raise ValueError(f"cannot save the text {text!r}: two surrogates in a row would come back as one character")
    return text


def _cure(tree: Any) -> str:
    for plain in (dict, list, tuple):
        if isinstance(tree, plain):
            return f"; make a {plain.__name__} of it: {plain.__name__}(...)"
    return ""


def _array(x: Any) -> np.ndarray[Any, Any]:
    """Return x as a NumPy array. Raises TypeError for an array that a file could not give back."""
    space = framework(x)
    if isinstance(x, np.ndarray) and type(x) not in (np.ndarray, np.memmap):
        raise TypeError(
            f"cannot save a {type(x).__name__}, which would come back as a plain array; hand over that: {_plainly(x)}"
        )
    try:
        whole = x.detach().cpu().resolve_conj().resolve_neg() if space.name == "torch" else x
        found = np.asarray(space.cast(whole, "float32") if "bfloat16" in str(whole.dtype) else whole)
    except Exception as error:
        raise TypeError(f"cannot save a {type(x).__name__}: {error}") from error
    if found.dtype.hasobject or not _comes_back(found.dtype):
        raise TypeError(f"cannot save an array of dtype {found.dtype}, which no file can hold without pickle; cast it first")
    return found


def _plainly(x: Any) -> str:
    return "array.filled(...)" if isinstance(x, np.ma.MaskedArray) else "numpy.asarray(array)"


def _comes_back(dtype: np.dtype[Any]) -> bool:
    if dtype.metadata is not None:
        return False
    found: np.dtype[Any] = np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype))
    return found == dtype


def _fill(outline: Any, file: Any) -> Tree:
    ((kind, content),) = outline.items()
    if kind == "dict":
        return {key: _fill(child, file) for key, child in content}
    if kind in ("list", "tuple"):
        parts = [_fill(child, file) for child in content]
        return parts if kind == "list" else tuple(parts)
    if kind == "value":
        return content
    return file[content][()] if kind == "scalar" else file[content]
